/** Writes a file that only its owner may read, whole or not at all. Errors: UPB-CLI-FILE. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { writeDurably } from "../content/durableFile.ts";
import { UpbeatError } from "../protocol/errors/error.ts";

export function writeSecretFile(file: string, content: string | Uint8Array): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeDurably(file, content, 0o600);
  } catch (cause) {
    throw new UpbeatError("UPB-CLI-FILE", { object: file, cause });
  }
}
