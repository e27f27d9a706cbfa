/** The one table of exit codes: `upbeat help exit-codes` and docs/cli.md print it. */
import type { ErrorCode } from "../protocol/errors/catalogue.ts";
import type { ErrorReport } from "../protocol/errors/error.ts";

export const EXIT = {
  ok: 0,
  failed: 1,
  nothingToDo: 2,
  notFound: 3,
  permission: 4,
  notRunning: 5,
  notTrusted: 6,
  blocked: 7,
  usage: 64,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, "it worked"],
  [EXIT.failed, "it failed; the error on stderr says why and what to do"],
  [EXIT.nothingToDo, "there was nothing to do"],
  [EXIT.notFound, "what was named does not exist"],
  [EXIT.permission, "not allowed: file permissions, a wrong token, a wrong passphrase"],
  [EXIT.notRunning, "a service or the server does not answer"],
  [EXIT.notTrusted, "metadata or a signature is not trusted (every UPB-TRUST code)"],
  [EXIT.blocked, "blocked: the disk is full, or something else is being installed"],
  [EXIT.usage, "the command line is wrong"],
  [EXIT.interrupted, "interrupted with Ctrl-C"],
];

// The rows that do not follow from a native code or a prefix.
const BY_CODE: Partial<Record<ErrorCode, ExitCode>> = {
  "UPB-CLI-USAGE": EXIT.usage,
  "UPB-CLI-INTERRUPTED": EXIT.interrupted,
  "UPB-CLI-NOT-FOUND": EXIT.notFound,
  "UPB-CLI-NO-TOKEN": EXIT.permission,
  "UPB-CLI-SERVER-AWAY": EXIT.notRunning,
  "UPB-LOCAL-NOT-RUNNING": EXIT.notRunning,
  "UPB-LOCAL-TIMEOUT": EXIT.notRunning,
  "UPB-CHANGE-UNKNOWN": EXIT.notFound,
  "UPB-INSTALL-ALREADY": EXIT.nothingToDo,
  "UPB-ROLLBACK-NOTHING": EXIT.nothingToDo,
  "UPB-UNINSTALL-NOTHING": EXIT.nothingToDo,
  "UPB-INSTALL-BUSY": EXIT.blocked,
  "UPB-INSTALL-DISK-FULL": EXIT.blocked,
  "UPB-DOWNLOAD-NO-SPACE": EXIT.blocked,
  "UPB-DOWNLOAD-DISK-FULL": EXIT.blocked,
  "UPB-KEYS-NONE": EXIT.notFound,
  "UPB-KEYS-PASSPHRASE": EXIT.permission,
  "UPB-KEYS-NO-PASSPHRASE": EXIT.permission,
  "UPB-KEYS-OPEN": EXIT.permission,
};
const BY_NATIVE_CODE: Readonly<Record<string, ExitCode>> = {
  EACCES: EXIT.permission,
  EPERM: EXIT.permission,
  ENOSPC: EXIT.blocked,
  EDQUOT: EXIT.blocked,
};

export function exitCodeOf(report: ErrorReport): ExitCode {
  const native = BY_NATIVE_CODE[String(report.nativeCode)];
  if (native !== undefined) return native;
  if (report.code.startsWith("UPB-TRUST-")) return EXIT.notTrusted;
  // The code may come from a newer service: then the table has no row for it.
  return (BY_CODE as Record<string, ExitCode | undefined>)[report.code] ?? EXIT.failed;
}
