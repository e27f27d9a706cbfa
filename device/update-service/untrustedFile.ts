/**
 * Opens what the downloader left. Its folder belongs to another account, which may swap anything at
 * any moment: a file is opened once, without following links, and never again by name.
 *
 * Errors: UPB-VERIFY-CONTENT.
 */
import { closeSync, constants, fstatSync, openSync, readSync, rmSync } from "node:fs";
import { UpbeatError } from "../../protocol/errors/upbeatError.ts";

/**
 * A regular file with one name: a hard link could be any file of this machine, whose hash would
 * then be told. Not waited for if it is a pipe.
 */
export function openUntrusted(path: string): { handle: number; sizeBytes: number } {
  let handle: number;
  try {
    handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw new UpbeatError("UPB-VERIFY-CONTENT", { object: path, cause });
  }
  const about = fstatSync(handle);
  if (about.isFile() && about.nlink === 1) return { handle, sizeBytes: about.size };
  closeSync(handle);
  const detail = about.isFile() ? `it has ${about.nlink} names` : "it is not a regular file";
  throw new UpbeatError("UPB-VERIFY-CONTENT", { object: path, detail });
}

/** All of a small file, which is removed. What it holds is unverified. */
export function takeUntrusted(path: string, maxBytes: number): Uint8Array {
  const { handle, sizeBytes } = openUntrusted(path);
  try {
    if (sizeBytes > maxBytes) {
      const detail = `${sizeBytes} bytes, at most ${maxBytes} were asked for`;
      throw new UpbeatError("UPB-VERIFY-CONTENT", { object: path, detail });
    }
    // Read into what was measured: the file may be growing meanwhile.
    const bytes = new Uint8Array(sizeBytes);
    let total = 0;
    for (let count = -1; count !== 0 && total < sizeBytes; total += count)
      count = readSync(handle, bytes, total, sizeBytes - total, null);
    return bytes.subarray(0, total);
  } finally {
    closeSync(handle);
    rmSync(path, { force: true });
  }
}
