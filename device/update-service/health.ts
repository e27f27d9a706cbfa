/**
 * Asks a new version whether it is well: the manifest's command or HTTP probe, with its time-out and
 * retries. Only what this machine can answer by itself counts; the network being away changes nothing.
 *
 * The probe runs as a child (`healthProbe.ts`) because this service has no network of its own.
 * Errors: UPB-HEALTH-FAILED with the last output.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { HealthCheck } from "../../protocol/manifest.ts";

const PROBE = join(import.meta.dirname, `healthProbe${import.meta.filename.slice(-3)}`);
const MAX_OUTPUT = 2_000;
const LAST_WORDS_MS = 500;

export async function requireHealthy(
  check: HealthCheck,
  folder: string | undefined,
  object: string,
): Promise<void> {
  const command =
    check.kind === "command"
      ? check.command
      : [process.execPath, PROBE, check.url, String(check.expectStatus)];
  let last: CommandEnd = { ok: false, says: "not asked" };
  for (let tries = 0; tries <= check.retries; tries++) {
    if (tries > 0) await sleep(check.retryDelayMs);
    last = await runCommand(command, folder, check.timeoutMs);
    if (last.ok) return;
  }
  throw new UpbeatError("UPB-HEALTH-FAILED", {
    object,
    detail: `${command.join(" ")}: ${last.says}`,
    ...(last.nativeCode === undefined ? {} : { nativeCode: last.nativeCode }),
  });
}

export interface CommandEnd {
  readonly ok: boolean;
  readonly says: string;
  readonly nativeCode?: string | number;
}

/**
 * Without a shell, with a small environment (PATH, HOME, LANG), as a process group of its own, so that
 * a time-out ends what it started too.
 */
export function runCommand(
  command: readonly string[],
  folder: string | undefined,
  timeoutMs: number,
): Promise<CommandEnd> {
  const [program = "", ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      ...(folder === undefined ? {} : { cwd: folder }),
      env: {
        PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin",
        HOME: "/nonexistent",
        LANG: "C.UTF-8",
      },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    let timedOut = false;
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-MAX_OUTPUT);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const endGroup = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // it has ended by itself
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup();
    }, timeoutMs);
    child.once("error", (error) => {
      clearTimeout(timer);
      const nativeCode = "code" in error ? String(error.code) : "error";
      resolve({ ok: false, says: error.message, nativeCode });
    });
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      endGroup();
      // Its last words may still be in the pipe; one that it handed to another process stays open.
      const drained = setTimeout(() => settle(code, signal), LAST_WORDS_MS);
      child.once("close", () => {
        clearTimeout(drained);
        settle(code, signal);
      });
    });
    const settle = (code: number | null, signal: NodeJS.Signals | null) => {
      child.stdout.destroy();
      child.stderr.destroy();
      const ended = timedOut
        ? `no answer within ${timeoutMs} ms`
        : signal !== null
          ? `ended by ${signal}`
          : `exit status ${code}`;
      resolve({
        ok: code === 0 && !timedOut,
        says: output.trim() === "" ? ended : `${ended}: ${output.trim()}`,
        nativeCode: timedOut ? "timeout" : (signal ?? code ?? "unknown"),
      });
    };
  });
}
