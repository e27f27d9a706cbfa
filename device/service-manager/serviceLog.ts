/**
 * The log of one service: `NAME.log`, and `NAME.log.1` (newest) to `.3` when it grew too large.
 * It is the one place for logs: all that a service prints ends here.
 */
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";

const ROTATE_BYTES = 5 * 1024 * 1024;
const KEEP = 3;
/** Enough for the stack trace with which a process usually ends. */
const LAST_WORDS_LINES = 12;
const LAST_WORDS_BYTES = 4_000;

export interface ServiceLog {
  append(bytes: Buffer): void;
  /** Forgets what earlier processes said, so that the last words are those of the one that ended. */
  beginProcess(): void;
  lastWords(): string;
  tail(lines: number): string[];
}

export function serviceLog(path: string, rotateBytes = ROTATE_BYTES): ServiceLog {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  let size = sizeOf(path);
  let last = Buffer.alloc(0);
  return {
    append(bytes) {
      last = Buffer.concat([last, bytes]).subarray(-LAST_WORDS_BYTES);
      try {
        if (size + bytes.length > rotateBytes) {
          rotate(path);
          size = 0;
        }
        appendFileSync(path, bytes, { mode: 0o640 });
        size += bytes.length;
      } catch {
        // A full disk must not take the services down with it; the last words are still in memory.
      }
    },
    beginProcess() {
      last = Buffer.alloc(0);
    },
    lastWords: () => linesOf(last.toString("utf8")).slice(-LAST_WORDS_LINES).join("\n"),
    tail(lines) {
      let found: string[] = [];
      for (let age = 0; age <= KEEP && found.length < lines; age++) {
        found = [...linesOf(readIfThere(nameAt(path, age))), ...found];
      }
      return found.slice(-lines);
    },
  };
}

const nameAt = (path: string, age: number): string => (age === 0 ? path : `${path}.${age}`);

function rotate(path: string): void {
  rmSync(nameAt(path, KEEP), { force: true });
  for (let age = KEEP - 1; age >= 0; age--) {
    if (sizeOf(nameAt(path, age)) > 0) renameSync(nameAt(path, age), nameAt(path, age + 1));
  }
}

const linesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "");

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function readIfThere(path: string): string {
  return sizeOf(path) === 0 ? "" : readFileSync(path, "utf8");
}
