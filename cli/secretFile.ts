/**
 * Writes a file that only its owner may read, whole or not at all: beside it, flushed, renamed, the
 * folder flushed. Its folder is made with mode 0700. Errors: UPB-CLI-FILE.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { UpbeatError } from "../protocol/errors/error.ts";

export function writeSecretFile(file: string, content: string | Uint8Array): void {
  const folder = dirname(file);
  const beside = `${file}.new`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    rmSync(beside, { force: true });
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    // "wx": a link that somebody put there is refused, not followed.
    const handle = openSync(beside, "wx", 0o600);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(handle, bytes, done);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(beside, file);
    flushFolder(folder);
  } catch (cause) {
    rmSync(beside, { force: true });
    throw new UpbeatError("UPB-CLI-FILE", { object: file, cause });
  }
}

function flushFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
