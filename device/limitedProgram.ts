/**
 * Runs a program of the administrator's (a fact, a provider) so that it can harm only itself: no
 * shell, a small environment, a process group of its own that is ended as a whole, and limits on
 * time, output and memory.
 *
 * Memory is RLIMIT_DATA, set with prlimit(1): it counts what a process really writes to
 * (setrlimit(2), since Linux 4.7), where RLIMIT_AS would also count what it only reserves.
 */
import { spawn } from "node:child_process";
import { existsSync, lstatSync } from "node:fs";

export interface ProgramLimits {
  readonly timeoutMs: number;
  /** Of what it writes to standard output, in bytes. */
  readonly maxOutputBytes: number;
  readonly maxMemoryBytes: number;
}

export interface ProgramRun extends ProgramLimits {
  readonly file: string;
  readonly args: readonly string[];
  readonly folder: string;
  /** Written to its standard input. */
  readonly input?: string;
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
}

/** A program that fails is an answer with a reason, not an error. */
export type ProgramEnd =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly because: string };

const PRLIMIT = "/usr/bin/prlimit";
const MAX_LAST_WORDS = 1_000;
/** After its end: its last words may still be in the pipe, which a child of it may hold open. */
const DRAIN_MS = 500;

export function runLimited(run: ProgramRun): Promise<ProgramEnd> {
  const [program, ...args] = existsSync(PRLIMIT)
    ? [PRLIMIT, `--data=${run.maxMemoryBytes}`, "--core=0", "--", run.file, ...run.args]
    : [run.file, ...run.args];
  return new Promise((resolve) => {
    const child = spawn(program ?? run.file, args, {
      cwd: run.folder,
      env: {
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        LANG: "C.UTF-8",
      },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    let lastWords = "";
    let ended: string | undefined;

    const endGroup = (because: string): void => {
      ended ??= because;
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    const timer = setTimeout(
      () => endGroup(`it did not end within ${run.timeoutMs / 1_000} s`),
      run.timeoutMs,
    );
    const stop = (): void => endGroup("it was told to stop");
    run.signal?.addEventListener("abort", stop, { once: true });
    if (run.signal?.aborted === true) stop();

    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= run.maxOutputBytes) chunks.push(chunk);
      else endGroup(`it wrote more than ${run.maxOutputBytes} bytes`);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      lastWords = (lastWords + chunk.toString("utf8")).slice(-MAX_LAST_WORDS);
    });
    child.stdin.on("error", () => {}); // It need not read what it is told.
    child.stdin.end(run.input ?? "");

    const settle = (end: ProgramEnd): void => {
      clearTimeout(timer);
      run.signal?.removeEventListener("abort", stop);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(end);
    };
    child.once("error", (error) => settle({ ok: false, because: error.message }));
    child.once("exit", (code, signal) => {
      const because =
        ended ??
        (signal !== null ? `it was ended by ${signal}` : `it ended with exit status ${code}`);
      // What it left running has nothing to do any more.
      endGroup(because);
      const answer = (): void =>
        settle(
          code === 0 && signal === null && because.startsWith("it ended")
            ? { ok: true, output: Buffer.concat(chunks).toString("utf8") }
            : { ok: false, because: withWords(because, lastWords) },
        );
      const drained = setTimeout(answer, DRAIN_MS);
      child.once("close", () => {
        clearTimeout(drained);
        answer();
      });
    });
  });
}

const withWords = (because: string, words: string): string =>
  words.trim() === "" ? because : `${because}: ${words.trim()}`;

/**
 * Why a file or folder must not be used: only root, or this very account, may have written it.
 * Undefined: it is safe. Links are refused, because what they lead to may belong to anybody.
 */
export function whyUnsafe(path: string, kind: "file" | "folder"): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return "it does not exist";
  if (kind === "file" ? !found.isFile() : !found.isDirectory()) return `it is no ${kind}`;
  if (found.uid !== 0 && found.uid !== process.geteuid?.()) {
    return "it does not belong to root";
  }
  if ((found.mode & 0o022) !== 0) return "others than its owner may write to it";
  return undefined;
}
