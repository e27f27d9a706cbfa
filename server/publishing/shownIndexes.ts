/**
 * The indexes that are shown, and the manifests that they list.
 * Errors: UPB-SERVER-DAMAGED, UPB-MANIFEST-INVALID.
 */
import { UpbeatError } from "../../protocol/errors/error.ts";
import { manifestPath, type Product } from "../../protocol/ids.ts";
import { type ProductIndex, readManifest } from "../../protocol/manifest.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";
import type { ListedUpdate } from "./checkStored.ts";
import { parseIndex, targetPath } from "./checkTargets.ts";
import { type CurrentSet, shownTargets } from "./currentSet.ts";

export interface ShownIndex {
  readonly index: ProductIndex;
  read(entry: ProductIndex["updates"][number]): ListedUpdate;
}

/** Without a product: of all. */
export function* shownIndexes(
  files: RepositoryFiles,
  current: CurrentSet,
  product?: Product,
): Generator<ShownIndex> {
  const targets = shownTargets(files, current);
  const bytesOf = (path: string): Uint8Array => {
    const at = targetPath(path, targets.get(path) ?? "");
    const bytes = files.read(at);
    if (bytes === undefined) throw new UpbeatError("UPB-SERVER-DAMAGED", { object: at });
    return bytes;
  };
  for (const path of targets.keys()) {
    if (!path.endsWith(product === undefined ? "/index" : `/${product}/index`)) continue;
    const index = parseIndex(bytesOf(path), path);
    const read = (entry: ProductIndex["updates"][number]): ListedUpdate => {
      const at = manifestPath(index.channel, index.product, entry.version);
      return { entry, manifest: readManifest(bytesOf(at), at) };
    };
    yield { index, read };
  }
}
