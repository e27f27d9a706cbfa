/**
 * The data folder, for one server at a time. The lock is SQLite's lock on a file, which the kernel
 * drops when its process ends, however it ends.
 *
 * Errors: UPB-SERVER-DATA.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UpbeatError } from "../protocol/errors/error.ts";

export function openDataFolder(folder: string): { release(): void } {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lock = new DatabaseSync(join(folder, "server.lock"), { timeout: 0 });
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return { release: () => lock.close() };
  } catch (cause) {
    throw new UpbeatError("UPB-SERVER-DATA", { object: folder, cause });
  }
}
