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

export const signerFolder = (data: string): string => join(data, "signer");
export const signerSocket = (folder: string): string => join(folder, "signer.sock");

/** sun_path of unix(7), without its closing zero. */
const MAX_SOCKET_PATH_BYTES = 107;

export function openDataFolder(folder: string): { release(): void } {
  if (Buffer.byteLength(signerSocket(signerFolder(folder))) > MAX_SOCKET_PATH_BYTES) {
    const detail = "its path is too long for a Unix socket below it";
    throw new UpbeatError("UPB-SERVER-DATA", { object: folder, detail });
  }
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lock = new DatabaseSync(join(folder, "server.lock"), { timeout: 0 });
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return { release: () => lock.close() };
  } catch (cause) {
    throw new UpbeatError("UPB-SERVER-DATA", { object: folder, cause });
  }
}
