/** One step of `npm test`: a command of its own process group, and how it counts. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface StepResult extends Counts {
  /** Why it was skipped, or what is worth a line in the summary. */
  readonly note: string;
}

export interface Step {
  readonly name: string;
  run(): Promise<StepResult>;
}

/** Automake's convention: a test that could not run exits with it; its last line says why. */
export const SKIPPED_EXIT_CODE = 77;
const PATIENCE_MS = 15 * 60_000;
const LAST_WORDS_MS = 20_000;
const ROOT = join(import.meta.dirname, "..");

/** Passes when the command exits with 0. The last line that it printed is the note. */
export function commandStep(name: string, command: readonly string[]): Step {
  return {
    name,
    run: async () => {
      const { code, lastLine } = await run(command);
      if (code === 0) return { passed: 1, failed: 0, skipped: 0, note: lastLine };
      if (code === SKIPPED_EXIT_CODE) return { passed: 0, failed: 0, skipped: 1, note: lastLine };
      return { passed: 0, failed: 1, skipped: 0, note: `exit ${code}` };
    },
  };
}

/** Counts the tests one by one, from Vitest's own JSON report. */
export function vitestStep(name: string, args: readonly string[]): Step {
  return {
    name,
    run: async () => {
      const folder = mkdtempSync(join(tmpdir(), "upbeat-report-"));
      try {
        const report = join(folder, "report.json");
        const { code } = await run([
          ...["vitest", "run", "--reporter=dot", "--reporter=json", `--outputFile.json=${report}`],
          ...args,
        ]);
        const counts = existsSync(report) ? vitestCounts(readFileSync(report, "utf8")) : NOTHING;
        // A run that fails without a failed test (an unhandled error, no report) failed all the same.
        const failed = counts.failed === 0 && code !== 0 ? 1 : counts.failed;
        return { ...counts, failed, note: code === 0 ? "" : `exit ${code}` };
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };

export function vitestCounts(json: string): Counts {
  const report = JSON.parse(json) as {
    numPassedTests: number;
    numFailedTests: number;
    numPendingTests: number;
    numTodoTests: number;
    testResults: { status: string; assertionResults: { status: string }[] }[];
  };
  // A file that cannot even be loaded has no tests to count.
  const unloadable = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/**
 * Shows what the command prints while it runs. In a process group of its own, so that a hanging
 * one can be ended with all that it started; Ctrl-C is passed on.
 */
function run(command: readonly string[]): Promise<{ code: number; lastLine: string }> {
  const [program = "", ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let tail = "";
    child.stdout.on("data", (chunk: Buffer) => {
      process.stdout.write(chunk);
      tail = (tail + chunk.toString("utf8")).slice(-4_000);
    });
    const end = (signal: NodeJS.Signals) => signalGroup(child.pid, signal);
    const interrupted = () => end("SIGTERM");
    const timer = setTimeout(() => {
      process.stdout.write(`\nno end after ${PATIENCE_MS / 60_000} minutes: stopping it\n`);
      end("SIGTERM");
      setTimeout(() => end("SIGKILL"), LAST_WORDS_MS).unref();
    }, PATIENCE_MS);
    process.on("SIGINT", interrupted).on("SIGTERM", interrupted);
    const done = (code: number) => {
      clearTimeout(timer);
      process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
      const lastLine = tail.trimEnd().split("\n").at(-1)?.trim() ?? "";
      resolve({ code, lastLine });
    };
    child.once("error", (error) => {
      process.stdout.write(`${program} cannot be started: ${error.message}\n`);
      done(127);
    });
    child.once("close", (code) => done(code ?? 128));
  });
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // it has ended already
  }
}
