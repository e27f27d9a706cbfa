/**
 * Brings everything that an update needs into the store: verified metadata, the manifest, the list of
 * files, and the content that is not here yet, by the cheapest way. `downloaded` means: whole, hashed
 * by this process, and on the disk.
 *
 * Errors: those of `findUpdate`, UPB-INSTALL-OLDER, UPB-INSTALL-ALREADY, UPB-PAYLOAD-INVALID,
 * UPB-DELIVERY-INVALID, UPB-TREE-*, UPB-DOWNLOAD-*, UPB-VERIFY-*, UPB-FETCH-*. A patch that cannot be
 * used is no error: whole files are fetched instead, and the plan says why.
 */
import {
  type ActionList,
  type ContentObject,
  type ContentWork,
  planActions,
} from "../../core/actionList.ts";
import { distinctContents } from "../../core/contentPlaces.ts";
import { planRanges } from "../../core/deliveryPlan.ts";
import type { DownloadPlan } from "../../protocol/downloadPlan.ts";
import { CATALOGUE } from "../../protocol/errors/catalogue.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Sha256, UpdateId } from "../../protocol/ids.ts";
import type { FileEntry, TreeEntry } from "../../protocol/payload.ts";
import type { Progress } from "../../protocol/updateServiceApi.ts";
import { killPoint } from "../killPoint.ts";
import { adopt, adoptSibling } from "./contentStore.ts";
import { applyStep } from "./delivery/applyPatch.ts";
import { bringRange } from "./delivery/bringFrames.ts";
import { bringObject } from "./delivery/bringObject.ts";
import {
  chooseWay,
  type FilesWay,
  filesWay,
  isFilesWay,
  type Way,
  wholeFiles,
} from "./delivery/chooseWay.ts";
import type { Downloader } from "./downloaderProcess.ts";
import { flushFileSystem } from "./durable.ts";
import type { FoundUpdate } from "./findUpdate.ts";
import { storeFolder } from "./handlers/tree.ts";
import type { Journal } from "./journal.ts";
import type { Manifests } from "./keptManifests.ts";
import { requireNewer } from "./operations.ts";
import { requireSpace } from "./space.ts";

export interface DownloadWorld {
  readonly journal: Journal;
  readonly manifests: Manifests;
  readonly installed: string;
  readonly incoming: string;
  /** Patches while they are applied: a folder of our own. */
  readonly patches: string;
  readonly downloader: Downloader;
  readonly find: (update: UpdateId) => Promise<FoundUpdate>;
  /** An object that came along when it was looked for; unverified. */
  readonly known: (sha256: Sha256) => Uint8Array | undefined;
  readonly now: () => number;
  /** Objects of the store that were hashed since this began: by their names. */
  readonly verified: Set<string>;
  /** Of the last download; undefined: there was none. */
  readonly bytesPerSecond: () => number | undefined;
  /** Keeps durably how the update comes here. */
  readonly planned: (plan: DownloadPlan) => void;
  readonly warn: (message: string, error: unknown) => void;
  readonly onPhase: (phase: Progress["phase"], totalBytes: number) => void;
  readonly onBytes: (bytes: number) => void;
}

/** Requests at once: enough to fill a slow line with small files, few enough to be polite. */
const TRANSFERS = 6;
/** A directory entry and an inode. */
const ENTRY_BYTES = 4096;

export async function download(world: DownloadWorld, update: UpdateId): Promise<void> {
  killPoint("download:recorded");
  requireNewer(update, world.journal.product(update.product).current);
  const found = await bringManifest(world, update);
  const way = await chooseWay(world, found);
  world.planned(way.plan);
  killPoint("download:planned");
  const startedMs = world.now();
  const files = await takePatches(world, found, way);
  await completeStore(world, found, files);
  killPoint("download:before-sync");
  await flushFileSystem(storeFolder(world.installed));
  killPoint("download:synced");
  const { plan } = files.plan.fellBack.length > 0 ? files : way;
  world.planned({ ...plan, tookMs: Math.max(0, world.now() - startedMs) });
}

/** The same question without the deed. */
export async function planDownload(world: DownloadWorld, update: UpdateId): Promise<DownloadPlan> {
  requireNewer(update, world.journal.product(update.product).current);
  return (await chooseWay(world, await bringManifest(world, update))).plan;
}

/** The list of files of an update, from the server: the one here is lost. */
export async function bringList(
  world: DownloadWorld,
  update: UpdateId,
): Promise<readonly TreeEntry[]> {
  return (await wholeFiles(world, await bringManifest(world, update))).payload;
}

/** Brings single files of an update into the store, which has not got them. Not flushed. */
export async function bringFiles(
  world: DownloadWorld,
  update: UpdateId,
  wanted: readonly FileEntry[],
): Promise<void> {
  const { places } = await wholeFiles(world, await bringManifest(world, update));
  await fetchContents(
    world,
    planActions(wanted, 0, () => new Set(), TRANSFERS),
    places,
  );
}

/** What is signed of an update, verified and kept. */
async function bringManifest(world: DownloadWorld, update: UpdateId): Promise<FoundUpdate> {
  world.onPhase("refresh-metadata", 0);
  const found = await world.find(update);
  killPoint("download:metadata-verified");
  world.manifests.keep(update.manifestSha256, found.bytes);
  killPoint("download:manifest-kept");
  world.onPhase("plan", 0);
  return found;
}

/** Follows the patches, if that is the way; where they do not lead there, whole files do. */
async function takePatches(world: DownloadWorld, found: FoundUpdate, way: Way): Promise<FilesWay> {
  if (isFilesWay(way)) return way;
  try {
    for (const { patch, to } of way.route) {
      const old = world.manifests.list(patch.from);
      if (old === undefined) throw new UpbeatError("UPB-VERIFY-MISSING", { object: patch.from });
      requireSpace(world.incoming, patch.sizeBytes);
      requireSpace(world.patches, patch.sizeBytes);
      requireSpace(world.installed, patch.writeBytes + old.length * ENTRY_BYTES);
      world.onPhase("download", patch.sizeBytes);
      await applyStep(world, { patch, to }, old);
    }
    return await filesWay(world, found, way.delivery, []);
  } catch (error) {
    if (!isDeadEnd(error)) throw error;
    world.warn("the patch cannot be used; whole files are fetched instead", error);
    const files = await filesWay(world, found, way.delivery, [error]);
    const fellBack = [...way.plan.fellBack, ...files.plan.fellBack];
    world.planned({ ...files.plan, fellBack });
    return { ...files, plan: { ...files.plan, fellBack } };
  }
}

/** Whether another way may lead there: not when the network, the disk or this program is at fault. */
function isDeadEnd(error: unknown): error is UpbeatError {
  if (!(error instanceof UpbeatError) || NO_WAY_ROUND.has(error.code)) return false;
  return CATALOGUE[error.code].retry !== "transient";
}

const NO_WAY_ROUND: ReadonlySet<string> = new Set([
  "UPB-DOWNLOAD-DISK-FULL",
  "UPB-DOWNLOAD-NO-SPACE",
  "UPB-STATE-UNWRITABLE",
  "UPB-INSTALL-SYNC",
  "UPB-INTERNAL-BUG",
]);

/** Whatever of the files is not in the store with its mode: copied there, or fetched. */
async function completeStore(
  world: DownloadWorld,
  found: FoundUpdate,
  { payload, here, places, delivery }: FilesWay,
): Promise<void> {
  const modesHere = ({ sha256 }: ContentObject) => here.modes.get(sha256) ?? new Set<number>();
  const { diskNeededBytes } = found.manifest;
  const actions = planActions(payload, diskNeededBytes, modesHere, TRANSFERS);
  requireSpace(world.installed, actions.diskNeededBytes + actions.incomingBytes);
  for (const work of actions.copy) {
    if (await copyAll(storeFolder(world.installed), work)) continue;
    // It was damaged, is gone now, and is fetched after all.
    await completeStore(world, found, await filesWay(world, found, delivery, []));
    return;
  }
  await fetchContents(world, actions, places);
}

async function fetchContents(
  world: DownloadWorld,
  { fetch }: ActionList,
  places: FilesWay["places"],
): Promise<void> {
  const first = distinctContents(fetch.flatMap(({ files }) => files));
  const transfers =
    places === undefined
      ? first.map((file) => ({ sizeBytes: file.sizeBytes, bring: () => bringPlain(world, file) }))
      : planRanges(first, places).map((range) => ({
          sizeBytes: range.sizeBytes,
          bring: () => bringRange(world, range),
        }));
  const sizes = transfers.map(({ sizeBytes }) => sizeBytes);
  requireSpace(world.incoming, sum(sizes.toSorted((a, b) => b - a).slice(0, TRANSFERS)));
  world.onPhase("download", sum(sizes));
  await severalAtOnce(transfers.map(({ bring }) => bring));
  for (const { sha256, files } of fetch) {
    if (await copyAll(storeFolder(world.installed), { files: files.slice(1) })) continue;
    throw new UpbeatError("UPB-VERIFY-MISSING", { object: sha256 });
  }
}

/** A content that is an object of its own, as it is. */
async function bringPlain(world: DownloadWorld, file: FileEntry): Promise<void> {
  const store = storeFolder(world.installed);
  await bringObject(world, file, (arrived) => adopt(store, arrived, file));
  killPoint("download:object-in-store");
}

async function severalAtOnce(work: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = [...work];
  let failed = false;
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !failed; next = queue.shift()) {
      try {
        await next();
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: TRANSFERS }, worker));
  const bad = ends.find((end) => end.status === "rejected");
  if (bad !== undefined) throw bad.reason;
}

async function copyAll(store: string, { files }: Pick<ContentWork, "files">): Promise<boolean> {
  for (const file of files) if (!(await adoptSibling(store, file))) return false;
  return true;
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
