/**
 * What is kept: the running version, the one before it for ten days (design, "Numbers to keep"), and
 * what was downloaded and not yet installed. The rest goes.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isFile } from "../../core/actionList.ts";
import type { Sha256, Version } from "../../protocol/ids.ts";
import type { UpdateState } from "../../protocol/updateServiceApi.ts";
import { killPoint } from "../killPoint.ts";
import { collect, objectName } from "./contentStore.ts";
import type { Manifests } from "./findUpdate.ts";
import { productsFolder, removeTree, storeFolder } from "./handlers/tree.ts";
import type { Journal } from "./journal.ts";

export const ROLLBACK_WINDOW_MS = 10 * 24 * 60 * 60 * 1000;

/** Their content may still be wanted: it is being fetched, waits, or is being put in place. */
const NEEDED: ReadonlySet<UpdateState> = new Set([
  "downloading",
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
}

/** Only while no operation is going on. A missing manifest makes it keep everything. */
export function tidyUp(kept: Kept, nowMs: number): void {
  forgetPrevious(kept.journal, nowMs);
  removeVersions(kept);
  const needed = neededManifests(kept.journal);
  const objects = new Set<string>();
  for (const sha256 of needed) {
    const manifest = kept.manifests.read(sha256);
    if (manifest === undefined) return;
    for (const entry of manifest.payload) if (isFile(entry)) objects.add(objectName(entry));
  }
  collect(storeFolder(kept.installed), (name) => objects.has(name));
  for (const sha256 of kept.manifests.all()) if (!needed.has(sha256)) kept.manifests.remove(sha256);
  removeIncoming(kept);
  killPoint("tidy:finished");
}

function forgetPrevious(journal: Journal, nowMs: number): void {
  for (const row of journal.products()) {
    if (row.rollbackUntilMs === undefined || row.rollbackUntilMs > nowMs) continue;
    const { previous: _p, previousSha256: _s, rollbackUntilMs: _u, ...rest } = row;
    journal.setProduct(rest);
  }
}

function removeVersions({ journal, installed }: Kept): void {
  const products = productsFolder(installed);
  if (!existsSync(products)) return;
  for (const row of journal.products()) {
    const folder = join(products, row.product, "versions");
    if (!existsSync(folder)) continue;
    const keep = new Set<Version | string | undefined>([row.current, row.previous]);
    for (const name of readdirSync(folder)) if (!keep.has(name)) removeTree(join(folder, name));
  }
}

export function neededManifests(journal: Journal): Set<Sha256> {
  const needed = new Set<Sha256>();
  for (const { currentSha256, previousSha256 } of journal.products()) {
    if (currentSha256 !== undefined) needed.add(currentSha256);
    if (previousSha256 !== undefined) needed.add(previousSha256);
  }
  for (const { state, manifestSha256 } of journal.records())
    if (NEEDED.has(state)) needed.add(manifestSha256);
  return needed;
}

/** What is being fetched keeps its parts; nothing else has a reason to be there. */
function removeIncoming({ journal, incoming }: Kept): void {
  const fetching = journal
    .records()
    .some(({ state }) => state === "downloading" || state === "failed");
  if (fetching || !existsSync(incoming)) return;
  for (const name of readdirSync(incoming))
    rmSync(join(incoming, name), { recursive: true, force: true });
}
