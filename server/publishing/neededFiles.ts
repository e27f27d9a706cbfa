/**
 * Every file that the shown set leads to: metadata, targets, and the content of each listed update by
 * every way that its delivery offers. What is not among them may go, when its grace is over.
 *
 * Throws when anything on the way cannot be read: then nobody knows, and nothing goes.
 * Errors: UPB-SERVER-DAMAGED, UPB-MANIFEST-INVALID, those of `checkStored.ts`.
 */
import { ContentTable, Delivery } from "../../protocol/delivery.ts";
import { manifestPath } from "../../protocol/ids.ts";
import type { ProductIndex } from "../../protocol/manifest.ts";
import { isFile } from "../../protocol/payload.ts";
import { contentPath } from "../contentUpload.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";
import { filesOfBundles } from "./bundles.ts";
import { readDocument, readList } from "./checkStored.ts";
import { targetPath } from "./checkTargets.ts";
import { type CurrentSet, rolePath, shownTargets, TIMESTAMP_PATH } from "./currentSet.ts";
import { type ShownIndex, shownIndexes } from "./shownIndexes.ts";

export function neededFiles(files: RepositoryFiles, current: CurrentSet): Set<string> {
  const needed = new Set([TIMESTAMP_PATH, rolePath("snapshot", current.snapshot.version)]);
  // A new machine walks from the root that it was shipped with to the newest.
  for (let version = 1; version <= files.rootVersion(); version++)
    needed.add(rolePath("root", version));
  for (const [role, { version }] of current.meta) needed.add(rolePath(role, version));
  for (const [path, sha256] of shownTargets(files, current)) needed.add(targetPath(path, sha256));
  for (const shown of shownIndexes(files, current))
    for (const entry of shown.index.updates)
      for (const sha256 of objectsOf(files, shown, entry)) needed.add(contentPath(sha256));
  for (const path of filesOfBundles(files, current)) needed.add(path);
  return needed;
}

function* objectsOf(
  files: RepositoryFiles,
  { index, read }: ShownIndex,
  entry: ProductIndex["updates"][number],
): Generator<string> {
  const object = manifestPath(index.channel, index.product, entry.version);
  if (entry.delivery !== undefined) {
    const delivery = readDocument(files, entry.delivery, Delivery, object);
    const table = readDocument(files, delivery.contents, ContentTable, object);
    yield entry.delivery.sha256;
    for (const { sha256 } of [delivery.list, delivery.contents, ...delivery.patches]) yield sha256;
    for (const { sha256 } of table.objects) yield sha256;
    return;
  }
  const listed = read(entry);
  if (listed.manifest.payload === undefined) return;
  yield listed.manifest.payload.sha256;
  for (const file of readList(files, listed)) if (isFile(file)) yield file.sha256;
}
