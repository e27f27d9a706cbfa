/**
 * Wakes the troubleshooter when something has failed, and once a day. It decides by itself whether a
 * run is due; here one runs at a time, has a minute, and who asks meanwhile is heard afterwards.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { extname, join } from "node:path";
import { setInterval } from "node:timers";
import { fileURLToPath } from "node:url";

const LIMIT_MS = 60_000;
/** A machine whose orchestrator is off fails silently: nobody else would ask. */
const EVERY_MS = 24 * 60 * 60_000;

export interface UnaskedLooks {
  ask(): void;
  stop(): void;
}

export function unaskedLooks(root: string, log: (message: string) => void): UnaskedLooks {
  let running: ChildProcess | undefined;
  let askedAgain = false;
  let stopped = false;

  const look = (): void => {
    askedAgain = false;
    const child = spawn(process.execPath, [program(), "--root", root, "--unasked"], {
      stdio: "ignore",
    });
    running = child;
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    child.once("error", (error) => log(`the troubleshooter cannot start: ${error.message}`));
    child.once("close", () => {
      clearTimeout(timer);
      running = undefined;
      if (askedAgain && !stopped) look();
    });
  };
  const ask = (): void => {
    if (stopped) return;
    if (running === undefined) look();
    else askedAgain = true;
  };
  const daily = setInterval(ask, EVERY_MS);
  return {
    ask,
    stop() {
      stopped = true;
      clearInterval(daily);
      running?.kill("SIGKILL");
    },
  };
}

function program(): string {
  const here = fileURLToPath(import.meta.url);
  return join(here, `../../troubleshooter/main${extname(here)}`);
}
