/** Whether what is about to be done fits on the disk, asked before anything is downloaded. */
import { accessSync, constants, mkdirSync, statfsSync } from "node:fs";
import { UpbeatError } from "../../protocol/errors/error.ts";

/** Left for the system and everybody else: a full disk hurts more than a late update. */
const RESERVE_BYTES = 64 * 1024 * 1024;
/** A reserve must not make small disks unusable. */
const RESERVE_SHARE = 0.02;

/** Errors: UPB-DOWNLOAD-NO-SPACE, UPB-STATE-UNWRITABLE. */
export function requireSpace(folder: string, neededBytes: number): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    throw new UpbeatError("UPB-STATE-UNWRITABLE", { object: folder, cause });
  }
  const { bavail, blocks, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const wanted = neededBytes + Math.min(RESERVE_BYTES, Math.floor(blocks * bsize * RESERVE_SHARE));
  if (free >= wanted) return;
  throw new UpbeatError("UPB-DOWNLOAD-NO-SPACE", {
    object: folder,
    detail: `needs ${wanted} bytes, ${free} are free`,
  });
}
