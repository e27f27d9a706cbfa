/**
 * Metadata and targets from a folder that holds what a server serves (`metadata/NAME`,
 * `targets/CHANNEL/PRODUCT/SHA256.NAME`), e.g. a copy on a USB stick. Everything in it is unverified:
 * the same checks follow as after a fetch, high-water marks and expiry included.
 *
 * Errors: UPB-TRUST-MISSING for a target that the folder does not have; UPB-FETCH-TOO-LONG.
 */
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UpbeatError } from "../protocol/errors/error.ts";
import type { MetadataSource } from "../protocol/trust/ports.ts";
import { targetFileName } from "./metadataSource.ts";
import type { TargetReader } from "./releases.ts";

export const folderMetadataSource = (folder: string): MetadataSource => ({
  fetch: async (name, maxBytes) => readWithin(join(folder, "metadata", plainName(name)), maxBytes),
});

export function folderTargetReader(folder: string): TargetReader {
  return async (path, sha256, maxBytes) => {
    const file = join(folder, "targets", ...targetFileName(path, sha256).split("/").map(plainName));
    const bytes = readWithin(file, maxBytes);
    if (bytes === undefined) throw new UpbeatError("UPB-TRUST-MISSING", { object: file });
    return bytes;
  };
}

/** Undefined: there is no such file. A link is none: it may lead anywhere. */
function readWithin(file: string, maxBytes: number): Uint8Array | undefined {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found?.isFile() !== true) return undefined;
  if (found.size > maxBytes) {
    const detail = `expected at most ${maxBytes} bytes, found ${found.size}`;
    throw new UpbeatError("UPB-FETCH-TOO-LONG", { object: file, detail });
  }
  return readFileSync(file);
}

/** Names come from signed documents; still none may lead out of the folder. */
function plainName(name: string): string {
  if (name !== "." && name !== ".." && !/[/\\\0]/.test(name)) return name;
  throw new UpbeatError("UPB-TRUST-MISSING", { object: name });
}
