/**
 * What is kept: the running version, the one before it for ten days (design, "Numbers to keep"), what
 * was downloaded and not yet installed, and for as long what a failed download or install had. The
 * rest goes.
 */
import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Sha256 } from "../../protocol/ids.ts";
import { isFile } from "../../protocol/payload.ts";
import type { UpdateRecord, UpdateState } from "../../protocol/updateServiceApi.ts";
import { killPoint } from "../killPoint.ts";
import { collect, objectName } from "./contentStore.ts";
import { productsFolder, removeTree, storeFolder } from "./handlers/tree.ts";
import type { Journal, ProductRow } from "./journal.ts";
import type { Manifests } from "./keptManifests.ts";
import { ROLLBACK_WINDOW_MS } from "./operations.ts";

/** Their content may still be wanted: it is being fetched, waits, or is being put in place. */
const WANTED: ReadonlySet<UpdateState> = new Set([
  "downloading",
  "paused",
  "downloaded",
  "installing",
  "restart-pending",
  "committing",
  "rolling-back",
]);

export interface Kept {
  readonly journal: Journal;
  readonly manifests: Manifests;
  readonly installed: string;
  readonly incoming: string;
  readonly patches: string;
}

/** Only while no operation is going on. A missing manifest or list makes it keep every object. */
export async function tidyUp(kept: Kept, nowMs: number): Promise<void> {
  const { journal, manifests } = kept;
  forgetPrevious(journal, nowMs);
  await removeVersions(kept);
  const isKept = new Set(manifests.all());
  const needed = neededManifests(journal.products(), journal.records(), nowMs, isKept);
  const content = neededContent(manifests, needed);
  if (content !== undefined) {
    const { objects, lists } = content;
    await collect(storeFolder(kept.installed), (name) => objects.has(name));
    for (const sha256 of manifests.lists.all())
      if (!lists.has(sha256)) manifests.lists.remove(sha256);
  }
  for (const sha256 of isKept) if (!needed.has(sha256)) manifests.remove(sha256);
  removeIncoming(kept, nowMs);
  killPoint("tidy:finished");
}

function forgetPrevious(journal: Journal, nowMs: number): void {
  for (const row of journal.products()) {
    if (row.rollbackUntilMs === undefined || row.rollbackUntilMs > nowMs) continue;
    const { previous: _p, previousSha256: _s, rollbackUntilMs: _u, ...rest } = row;
    journal.atomically(() => journal.setProduct(rest));
  }
}

async function removeVersions({ journal, installed }: Kept): Promise<void> {
  const products = productsFolder(installed);
  if (!existsSync(products)) return;
  for (const product of readdirSync(products)) {
    const folder = join(products, product, "versions");
    if (!existsSync(folder)) continue;
    const row = journal.products().find((known) => known.product === product);
    const keep: ReadonlySet<string | undefined> = new Set([row?.current, row?.previous]);
    for (const name of readdirSync(folder))
      if (!keep.has(name)) await removeTree(join(folder, name));
    // An uninstall that was cut off after its last durable step leaves the empty folder behind.
    if (readdirSync(folder).length === 0) rmdirSync(folder);
  }
}

/** Pure. The manifests whose content must stay. */
export function neededManifests(
  products: readonly ProductRow[],
  records: readonly UpdateRecord[],
  nowMs: number,
  kept: ReadonlySet<Sha256>,
): Set<Sha256> {
  const needed = new Set<Sha256>();
  for (const { currentSha256, previousSha256 } of products) {
    if (currentSha256 !== undefined) needed.add(currentSha256);
    if (previousSha256 !== undefined) needed.add(previousSha256);
  }
  for (const record of records) {
    const { state, manifestSha256 } = record;
    // A download that failed early has no manifest yet, and so no objects.
    const failed = failedLately(record, nowMs) && kept.has(manifestSha256);
    if (WANTED.has(state) || failed) needed.add(manifestSha256);
  }
  return needed;
}

/** A failed download goes on where it was, when it is asked for again. */
const failedLately = ({ state, sinceMs }: UpdateRecord, nowMs: number): boolean =>
  state === "failed" && nowMs - sinceMs < ROLLBACK_WINDOW_MS;

/** Undefined: nobody knows, because a manifest or its list of files is missing. */
function neededContent(
  manifests: Manifests,
  needed: ReadonlySet<Sha256>,
): { objects: ReadonlySet<string>; lists: ReadonlySet<Sha256> } | undefined {
  const objects = new Set<string>();
  const lists = new Set<Sha256>();
  for (const sha256 of needed) {
    const manifest = manifests.read(sha256);
    const payload = manifest && manifests.payload(manifest);
    if (payload === undefined) return undefined;
    for (const entry of payload) if (isFile(entry)) objects.add(objectName(entry));
    if (manifest?.payload !== undefined) lists.add(manifest.payload.sha256);
  }
  return { objects, lists };
}

/** What is being fetched keeps its parts; nothing else has a reason to be there. */
function removeIncoming({ journal, incoming, patches }: Kept, nowMs: number): void {
  const wanted = journal
    .records()
    .some((record) => record.state === "downloading" || failedLately(record, nowMs));
  if (wanted) return;
  clearIncoming(incoming);
  clearIncoming(patches);
}

/** Never into a folder: this one belongs to another account, which could put a link in its place. */
export function clearIncoming(incoming: string): void {
  if (!existsSync(incoming)) return;
  for (const entry of readdirSync(incoming, { withFileTypes: true }))
    if (!entry.isDirectory()) rmSync(join(incoming, entry.name), { force: true });
}
