/** Setting the clock: by whichever time service the machine has. Its sources are the machine's own, never the update server. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Each steps the clock at once; the first that is there and works wins. */
const TIME_SERVICES: readonly (readonly [string, ...string[]])[] = [
  ["chronyc", "-a", "makestep"],
  ["systemctl", "restart", "systemd-timesyncd"],
  ["ntpd", "-gq"],
  ["sntp", "-S", "pool.ntp.org"],
];
const STEP_MS = 10_000;

/** Throws when none could. */
export async function synchroniseClock(): Promise<string> {
  for (const [program, ...args] of TIME_SERVICES) {
    try {
      await promisify(execFile)(program, args, { timeout: STEP_MS });
      return `ran ${[program, ...args].join(" ")}`;
    } catch {
      // Not there, or it has no source: the next one.
    }
  }
  throw new Error("no time service of this machine could set the clock");
}
