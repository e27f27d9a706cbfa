/**
 * One process at a time. The lock is SQLite's lock on a file, which the kernel drops when its process
 * ends, however it ends: no stale lock has to be guessed at (Node has no flock).
 */
import { DatabaseSync } from "node:sqlite";

export interface HeldFile {
  release(): void;
}

/** Made if it is not there. Undefined: somebody else holds it. Errors: those of the disk. */
export function holdFile(file: string): HeldFile | undefined {
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  return { release: () => lock.close() };
}

// SQLITE_BUSY, https://sqlite.org/rescode.html#busy
const isBusy = (error: unknown): boolean =>
  error instanceof Error && "errcode" in error && error.errcode === 5;
