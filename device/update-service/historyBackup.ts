/**
 * A second copy of the history, `history.jsonl`: one line an entry, appended and flushed, so that the
 * history outlives a damaged journal.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { HistoryEntry } from "../../protocol/updateServiceApi.ts";
import { FLUSHES, flush } from "./durable.ts";

const backupFile = (folder: string): string => join(folder, "history.jsonl");

/** Written after the journal has the entry; what a crash cuts off `completeBackup` adds. */
export function backUpHistory(folder: string, entry: HistoryEntry): void {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const file = openSync(backupFile(folder), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    // An append that was cut off must not take this one with it.
    writeFileSync(file, `${endsInLine(file) ? "" : "\n"}${JSON.stringify(entry)}\n`);
    if (FLUSHES) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  flush(folder);
}

function endsInLine(file: number): boolean {
  const { size } = fstatSync(file);
  if (size === 0) return true;
  const last = new Uint8Array(1);
  readSync(file, last, 0, 1, size - 1);
  return last[0] === "\n".charCodeAt(0);
}

export function readBackup(folder: string): HistoryEntry[] {
  if (!existsSync(backupFile(folder))) return [];
  return readFileSync(backupFile(folder), "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [HistoryEntry.parse(JSON.parse(line))];
      } catch {
        return []; // a cut append, or the end
      }
    });
}

/** Adds what a crash kept from being written. `history`: newest first. */
export function completeBackup(folder: string, history: readonly HistoryEntry[]): void {
  const known = new Set(readBackup(folder).map(({ id }) => id));
  for (const entry of history.toReversed()) if (!known.has(entry.id)) backUpHistory(folder, entry);
}
