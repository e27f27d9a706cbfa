/**
 * The table of what can be wrong with updates (windows-update.md, section 4.3), as people ask for it.
 * Each row is looked at by a check that names its number, or stands here with the reason why there is
 * nothing to look at on this system.
 */
import { CHECKS } from "./checks/index.ts";

const TITLES: Readonly<Record<number, string>> = {
  1: "a check for updates does nothing",
  2: "a service was disabled",
  3: "a service that another one needs is off",
  4: "the machine is offline",
  5: "the server's name is not resolved, or wrongly",
  6: "a sign-in page or a filter answers instead of the server",
  7: "the proxy is wrong or wants a login",
  8: "a proxy strips ranges off requests",
  9: "the clock is wrong",
  10: "the encrypted connection fails or is opened on the way",
  11: "the server is overloaded or answers late",
  12: "a disk is full",
  13: "a file system has no inodes left or is read-only",
  14: "downloaded content is damaged",
  15: "a database is damaged or of another version",
  16: "another program holds a file",
  17: "a transfer does not get any further",
  18: "signed metadata or the root of trust is not valid",
  19: "owner or permissions were changed",
  20: "a restart waits",
  21: "Upbeat's own files are damaged or missing",
  22: "installed files are damaged or missing",
  23: "an installer hangs",
  24: "the same update fails again and again",
  25: "an update is not offered",
  26: "an update does not apply to this machine",
  27: "settings are against each other",
  28: "the machine asks the wrong server",
  29: "the server is slow because of what it keeps",
  30: "an update waits for a network, for power or for a quiet moment",
  31: "updates were paused and forgotten",
  32: "the machine is not online for long enough",
  33: "Upbeat itself is too old for what is published",
  34: "nothing has worked for over 30 days",
  35: "a disk or the memory fails",
  36: "an update was undone after a restart",
  37: "the schedule does not fire",
  38: "reports to the server are lost or stuck",
};

const NOT_HERE: Readonly<Record<number, string>> = {
  29: "an update server of Upbeat serves files and removes what nothing needs by itself; how busy it is shows in row 11",
  32: "no rule here counts hours online: a download goes on byte for byte where it ended, however short the time",
};

export interface TableRow {
  readonly row: number;
  readonly what: string;
  /** The checks that look at it; none: `because` says why. */
  readonly checks: readonly { readonly id: string; readonly title: string }[];
  readonly because?: string;
}

export const tableOfChecks = (): TableRow[] =>
  Object.entries(TITLES).map(([number, what]) => {
    const row = Number(number);
    const because = NOT_HERE[row];
    const checks = CHECKS.filter((check) => check.rows.includes(row));
    return {
      row,
      what,
      checks: checks.map(({ id, title }) => ({ id, title })),
      ...(because === undefined ? {} : { because }),
    };
  });
