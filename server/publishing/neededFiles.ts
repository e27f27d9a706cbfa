/**
 * Every file that the shown set leads to: metadata, targets, and the content of each listed update by
 * every way that its delivery offers. What is not among them may go, when its grace is over.
 *
 * Throws when anything on the way cannot be read: then nobody knows, and nothing goes.
 * Errors: UPB-SERVER-DAMAGED, UPB-MANIFEST-INVALID, those of `checkStored.ts`.
 */
import { ContentTable, Delivery } from "../../protocol/delivery.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { manifestPath } from "../../protocol/ids.ts";
import { type ProductIndex, readManifest } from "../../protocol/manifest.ts";
import { isFile } from "../../protocol/payload.ts";
import { contentPath } from "../contentUpload.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";
import { readDocument, readList } from "./checkStored.ts";
import { parseIndex, targetPath } from "./checkTargets.ts";
import { type CurrentSet, rolePath, shownTargets, TIMESTAMP_PATH } from "./currentSet.ts";

export function neededFiles(files: RepositoryFiles, current: CurrentSet): Set<string> {
  const needed = new Set([TIMESTAMP_PATH, rolePath("snapshot", current.snapshot.version)]);
  // A new machine walks from the root that it was shipped with to the newest.
  for (let version = 1; version <= files.rootVersion(); version++)
    needed.add(rolePath("root", version));
  for (const [role, { version }] of current.meta) needed.add(rolePath(role, version));
  const targets = shownTargets(files, current);
  for (const [path, sha256] of targets) needed.add(targetPath(path, sha256));
  const read = (path: string): Uint8Array => {
    const at = targetPath(path, targets.get(path) ?? "");
    const bytes = files.read(at);
    if (bytes === undefined) throw new UpbeatError("UPB-SERVER-DAMAGED", { object: at });
    return bytes;
  };
  for (const path of targets.keys()) {
    if (!path.endsWith("/index")) continue;
    const index = parseIndex(read(path), path);
    for (const entry of index.updates)
      for (const sha256 of objectsOf(files, index, entry, read)) needed.add(contentPath(sha256));
  }
  return needed;
}

function* objectsOf(
  files: RepositoryFiles,
  { channel, product }: ProductIndex,
  entry: ProductIndex["updates"][number],
  read: (path: string) => Uint8Array,
): Generator<string> {
  const path = manifestPath(channel, product, entry.version);
  if (entry.delivery !== undefined) {
    const delivery = readDocument(files, entry.delivery, Delivery, path);
    const table = readDocument(files, delivery.contents, ContentTable, path);
    yield entry.delivery.sha256;
    for (const { sha256 } of [delivery.list, delivery.contents, ...delivery.patches]) yield sha256;
    for (const { sha256 } of table.objects) yield sha256;
    return;
  }
  const manifest = readManifest(read(path), path);
  if (manifest.payload === undefined) return;
  yield manifest.payload.sha256;
  for (const file of readList(files, { manifest, entry })) if (isFile(file)) yield file.sha256;
}
