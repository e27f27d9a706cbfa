/** The data folder, for one server at a time (`content/heldFile.ts`). Errors: UPB-SERVER-DATA. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type HeldFile, holdFile } from "../content/heldFile.ts";
import { UpbeatError } from "../protocol/errors/error.ts";

export const signerFolder = (data: string): string => join(data, "signer");
export const signerSocket = (folder: string): string => join(folder, "signer.sock");

/** sun_path of unix(7), without its closing zero. */
const MAX_SOCKET_PATH_BYTES = 107;

export function openDataFolder(folder: string): HeldFile {
  if (Buffer.byteLength(signerSocket(signerFolder(folder))) > MAX_SOCKET_PATH_BYTES) {
    const detail = "its path is too long for a Unix socket below it";
    throw new UpbeatError("UPB-SERVER-DATA", { object: folder, detail });
  }
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lock = holdFile(join(folder, "server.lock"));
    if (lock !== undefined) return lock;
  } catch (cause) {
    throw new UpbeatError("UPB-SERVER-DATA", { object: folder, cause });
  }
  const detail = "another server holds it";
  throw new UpbeatError("UPB-SERVER-DATA", { object: folder, detail });
}
