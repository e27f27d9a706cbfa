/**
 * One process a state folder. The lock is SQLite's lock on a file, which the kernel drops when its
 * process ends, however it ends: no stale lock has to be guessed at (Node has no flock).
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UpbeatError } from "../protocol/errors/error.ts";

export interface InstanceLock {
  release(): void;
}

/**
 * Errors: UPB-SERVICE-ALREADY-RUNNING, naming the process that holds the folder;
 * UPB-SERVICE-STATE-FOLDER when the folder cannot be written.
 */
export function lockFolder(folder: string): InstanceLock {
  const lockFile = join(folder, "instance.lock");
  const pidFile = join(folder, "instance.pid");
  const lock = openLock(folder, lockFile);
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    writeFileSync(pidFile, `${process.pid}\n`);
  } catch (cause) {
    lock.close();
    if (!isBusy(cause)) throw unusable(folder, cause);
    throw new UpbeatError("UPB-SERVICE-ALREADY-RUNNING", {
      object: folder,
      detail: `process ${holderOf(pidFile)} holds it`,
      nativeCode: "SQLITE_BUSY",
    });
  }
  return {
    release() {
      rmSync(pidFile, { force: true });
      lock.close();
    },
  };
}

function openLock(folder: string, lockFile: string): DatabaseSync {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o750 });
    return new DatabaseSync(lockFile, { timeout: 0 });
  } catch (cause) {
    throw unusable(folder, cause);
  }
}

const unusable = (folder: string, cause: unknown): UpbeatError =>
  new UpbeatError("UPB-SERVICE-STATE-FOLDER", { object: folder, cause });

function isBusy(error: unknown): boolean {
  // SQLITE_BUSY, https://sqlite.org/rescode.html#busy
  return error instanceof Error && "errcode" in error && error.errcode === 5;
}

function holderOf(pidFile: string): string {
  try {
    return readFileSync(pidFile, "utf8").trim();
  } catch {
    // The holder has the lock and has not written its number yet.
    return "unknown";
  }
}
