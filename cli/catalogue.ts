/**
 * Puts a signed catalogue where the orchestrator reads it, for one check. Services take no paths from
 * anybody, so whoever may write there copies it: the administrator, which is the authorisation.
 *
 * Errors: UPB-CLI-CATALOGUE, UPB-CLI-FILE.
 */
import { cpSync, existsSync, lstatSync, rmSync } from "node:fs";
import { join } from "node:path";
import { devicePaths } from "../device/paths.ts";
import { UpbeatError } from "../protocol/errors/error.ts";

/** Metadata and manifests; content is not looked at by a check. */
const PARTS = ["metadata", "targets"];
const MAX_FILE_BYTES = 64 * 1024 * 1024;

export async function withCatalogue<Result>(
  root: string,
  from: string,
  use: () => Promise<Result>,
): Promise<Result> {
  if (!existsSync(join(from, "metadata/timestamp.json"))) {
    throw new UpbeatError("UPB-CLI-CATALOGUE", {
      object: from,
      detail: "there is no metadata/timestamp.json in it",
    });
  }
  const { catalogue } = devicePaths(root);
  try {
    rmSync(catalogue, { recursive: true, force: true });
    for (const part of PARTS) {
      if (existsSync(join(from, part))) copy(join(from, part), join(catalogue, part));
    }
  } catch (cause) {
    throw new UpbeatError("UPB-CLI-FILE", { object: catalogue, cause });
  }
  try {
    return await use();
  } finally {
    rmSync(catalogue, { recursive: true, force: true });
  }
}

/** Folders and files as they are; a link, a device or what is too long for a check stays behind. */
function copy(from: string, to: string): void {
  cpSync(from, to, {
    recursive: true,
    filter: (path) => {
      const found = lstatSync(path);
      return found.isDirectory() || (found.isFile() && found.size <= MAX_FILE_BYTES);
    },
  });
}
