/** The account that the downloader runs under: it owns nothing but the folder of arrivals. */
import { execFileSync } from "node:child_process";

const ACCOUNT = "upbeat-download";

export interface AccountIds {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Undefined where there is no such account (the package makes it), or where this process may not
 * change to it: the downloader then runs under this process's own.
 */
export function downloaderAccount(): AccountIds | undefined {
  if (process.getuid?.() !== 0) return undefined;
  try {
    const line = execFileSync("/usr/bin/getent", ["passwd", ACCOUNT], { encoding: "utf8" });
    const [, , uid, gid] = line.split(":");
    const ids = { uid: Number(uid), gid: Number(gid) };
    return ids.uid > 0 && ids.gid > 0 ? ids : undefined;
  } catch {
    return undefined; // getent ends with 2 when it finds nothing
  }
}
