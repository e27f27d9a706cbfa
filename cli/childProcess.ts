/**
 * Runs one of our own programs in the foreground, under the Node that runs us.
 *
 * `program` is a path from the repository's root without suffix; it is `.ts` in a checkout and
 * `.js` in a build, like this file.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { plain } from "./screen/format.ts";
import { styleFor } from "./screen/style.ts";
import type { Screen, World } from "./world.ts";

/** Longer than any of our programs takes to finish what is short. */
const GRACE_MS = 15_000;

export interface ForegroundEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Resolves when the program has ended; ends it when the world is interrupted. */
export function runForeground(
  world: World,
  program: string,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<ForegroundEnd> {
  const child = spawn(process.execPath, [programFile(program), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...world.env },
    cwd: world.cwd,
    // A group of its own: Ctrl-C reaches it once, from here, as the SIGTERM it knows.
    detached: true,
  });
  let killer: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill("SIGTERM");
    killer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  };
  if (world.interrupted.aborted) stop();
  world.interrupted.addEventListener("abort", stop, { once: true });
  createInterface({ input: child.stdout }).on("line", onLine);
  createInterface({ input: child.stderr }).on("line", (line) => showLog(world, line));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(killer);
      world.interrupted.removeEventListener("abort", stop);
      resolve({ code, signal });
    });
  });
}

export function programFile(program: string): string {
  const suffix = import.meta.url.slice(import.meta.url.lastIndexOf("."));
  return fileURLToPath(new URL(`../${program}${suffix}`, import.meta.url));
}

/** pino's level of a warning. */
const WARNING = 40;

/** A log file or a collector gets the JSON lines as they are; a person gets warnings in words. */
function showLog({ err, env }: { err: Screen; env: World["env"] }, line: string): void {
  if (!err.isTerminal) {
    err.write(`${line}\n`);
    return;
  }
  const style = styleFor(err, env);
  try {
    const entry = JSON.parse(line) as { level?: number; msg?: string };
    if ((entry.level ?? WARNING) < WARNING) return;
    err.write(`${style.warn("log:")} ${plain(entry.msg ?? line)}\n`);
  } catch {
    // Not one of our log lines, e.g. what Node itself says when it dies: show it.
    err.write(`${plain(line)}\n`);
  }
}
