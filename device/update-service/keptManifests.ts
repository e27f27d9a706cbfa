/**
 * Manifests whose signatures were verified at download, and the lists of files that they name. What
 * was verified once may be finished when the metadata has expired since: the server being away must
 * not strand a half-done update.
 */
import { join } from "node:path";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, type Product, type Sha256, type Version } from "../../protocol/ids.ts";
import { readManifest, type UpdateManifest } from "../../protocol/manifest.ts";
import { parsePayload, readPayload, type TreeEntry } from "../../protocol/payload.ts";
import { type KeptFiles, keptFiles } from "./keptFiles.ts";

export interface Manifests extends Omit<KeptFiles, "read"> {
  /** Undefined: it was never kept, or is damaged. */
  read(sha256: Sha256): UpdateManifest | undefined;
  /** The one of an installed version. Reads them all. */
  find(product: Product, version: Version): Sha256 | undefined;
  readonly lists: Omit<KeptFiles, "read">;
  /** By the hash of the list itself. Undefined: it was never kept, or is damaged. */
  list(sha256: Sha256): TreeEntry[] | undefined;
  /** The files of an update. Undefined: their list was never kept, or is damaged. */
  payload(manifest: UpdateManifest): TreeEntry[] | undefined;
}

/** `folder/manifests` and `folder/payloads`. */
export function keptManifests(folder: string): Manifests {
  const files = keptFiles(join(folder, "manifests"));
  const lists = keptFiles(join(folder, "payloads"));
  const kept: Manifests = {
    ...files,
    lists,
    find: (product, version) =>
      kept.all().find((sha256) => {
        const manifest = kept.read(sha256);
        return manifest?.product === product && manifest.version === version;
      }),
    read(sha256) {
      const bytes = files.read(sha256);
      return bytes && readManifest(bytes, sha256);
    },
    list(sha256) {
      const bytes = lists.read(sha256);
      return bytes && parsePayload(bytes, sha256);
    },
    payload(manifest) {
      if (manifest.payload === undefined) return [];
      const bytes = lists.read(manifest.payload.sha256);
      return bytes && readPayload(bytes, manifest.payload, formatUpdate(manifest));
    },
  };
  return kept;
}

/** Errors: UPB-VERIFY-MISSING. */
export function requirePayload(manifests: Manifests, manifest: UpdateManifest): TreeEntry[] {
  const payload = manifests.payload(manifest);
  if (payload !== undefined) return payload;
  const object = `the list of files of ${formatUpdate(manifest)}`;
  throw new UpbeatError("UPB-VERIFY-MISSING", { object });
}
