/**
 * Brings everything that an update needs into the store: verified metadata, the manifest, and the
 * content that is not here yet. `downloaded` means: whole, hashed by this process, and on the disk.
 *
 * Errors: those of `findUpdate`, UPB-INSTALL-OLDER, UPB-INSTALL-ALREADY, UPB-PAYLOAD-INVALID, UPB-TREE-*,
 * UPB-DOWNLOAD-*,
 * UPB-VERIFY-*, UPB-FETCH-*.
 */
import { rmSync } from "node:fs";
import { requireSafeTree } from "../../content/treeRules.ts";
import {
  type ActionList,
  type ContentObject,
  type ContentWork,
  distinctFiles,
  planActions,
} from "../../core/actionList.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, type UpdateId } from "../../protocol/ids.ts";
import type { UpdateManifest } from "../../protocol/manifest.ts";
import { type FileEntry, readPayload, type TreeEntry } from "../../protocol/payload.ts";
import type { Progress } from "../../protocol/updateServiceApi.ts";
import { killPoint } from "../killPoint.ts";
import { adopt, adoptSibling, isStored, storedModes } from "./contentStore.ts";
import type { Downloader } from "./downloaderProcess.ts";
import { flushFileSystem } from "./durable.ts";
import { storeFolder } from "./handlers/tree.ts";
import type { Journal } from "./journal.ts";
import type { Manifests } from "./keptManifests.ts";
import { requireNewer } from "./operations.ts";
import { requireSpace } from "./space.ts";
import { takeUntrusted } from "./untrustedFile.ts";

export interface DownloadWorld {
  readonly journal: Journal;
  readonly manifests: Manifests;
  readonly installed: string;
  readonly incoming: string;
  readonly downloader: Downloader;
  readonly find: (update: UpdateId) => Promise<{ manifest: UpdateManifest; bytes: Uint8Array }>;
  readonly onPhase: (phase: Progress["phase"], totalBytes: number) => void;
  readonly onBytes: (bytes: number) => void;
}

/** Requests at once: enough to fill a slow line with small files, few enough to be polite. */
const TRANSFERS = 6;

export async function download(world: DownloadWorld, update: UpdateId): Promise<void> {
  killPoint("download:recorded");
  requireNewer(update, world.journal.product(update.product).current);
  const { manifest, payload } = await bringLists(world, update);
  const store = storeFolder(world.installed);
  const modes = await verifiedModes(world, store, payload);
  world.onPhase("plan", 0);
  const modesHere = ({ sha256 }: ContentObject) => modes.get(sha256) ?? new Set<number>();
  const actions = planActions(payload, manifest.diskNeededBytes, modesHere, TRANSFERS);
  requireSpace(world.incoming, actions.incomingBytes);
  requireSpace(world.installed, actions.diskNeededBytes + actions.incomingBytes);
  killPoint("download:planned");

  await bringAll(world, store, actions);
  killPoint("download:before-sync");
  if (actions.fetch.length + actions.copy.length > 0) await flushFileSystem(store);
  killPoint("download:synced");
}

/** What is signed of an update, verified and kept. */
export async function bringLists(
  world: DownloadWorld,
  update: UpdateId,
): Promise<{ manifest: UpdateManifest; payload: TreeEntry[] }> {
  world.onPhase("refresh-metadata", 0);
  const { manifest, bytes } = await world.find(update);
  killPoint("download:metadata-verified");
  world.manifests.keep(update.manifestSha256, bytes);
  killPoint("download:manifest-kept");
  const payload = await bringPayload(world, manifest);
  killPoint("download:payload-kept");
  return { manifest, payload };
}

/** Brings single files into the store, which has not got them. Not flushed. */
export async function bringFiles(world: DownloadWorld, files: readonly FileEntry[]): Promise<void> {
  const actions = planActions(files, 0, () => new Set(), TRANSFERS);
  requireSpace(world.incoming, actions.incomingBytes);
  requireSpace(world.installed, actions.diskNeededBytes + actions.incomingBytes);
  await bringAll(world, storeFolder(world.installed), actions);
}

/** The list of files, from the server unless it is here; what no tree may be is not kept. */
async function bringPayload(world: DownloadWorld, manifest: UpdateManifest): Promise<TreeEntry[]> {
  const kept = world.manifests.payload(manifest);
  if (kept !== undefined || manifest.payload === undefined) return kept ?? [];
  const { sha256, sizeBytes } = manifest.payload;
  const arrived = await world.downloader.content({ sha256, sizeBytes }, () => {});
  const bytes = takeUntrusted(arrived, sizeBytes);
  const object = formatUpdate(manifest);
  const payload = readPayload(bytes, manifest.payload, object);
  requireSafeTree(payload, object);
  world.manifests.lists.keep(sha256, bytes);
  return payload;
}

/** What the store already has of it, hashed: what was changed is gone, and is fetched again. */
async function verifiedModes(
  world: DownloadWorld,
  store: string,
  payload: readonly TreeEntry[],
): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const modes = storedModes(store);
  const here = distinctFiles(payload).filter((file) => modes.get(file.sha256)?.has(file.mode));
  world.onPhase(
    "verify",
    here.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
  );
  for (const file of here) {
    if (!(await isStored(store, file, world.onBytes))) modes.get(file.sha256)?.delete(file.mode);
  }
  return modes;
}

async function bringAll(world: DownloadWorld, store: string, actions: ActionList): Promise<void> {
  world.onPhase("download", actions.fetchBytes);
  for (const work of actions.copy) {
    // What turns out to be damaged is fetched after all.
    if (!(await copyAll(store, work))) await bring(world, store, work);
  }
  const queue = [...actions.fetch];
  let failed = false;
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !failed; next = queue.shift()) {
      try {
        await bring(world, store, next);
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

async function bring(world: DownloadWorld, store: string, work: ContentWork): Promise<void> {
  const [first, ...others] = work.files;
  if (first === undefined) return;
  let had = 0;
  const arrived = await world.downloader.content(work, (bytes) => {
    world.onBytes(bytes - had);
    had = bytes;
  });
  killPoint("download:object-arrived");
  try {
    await adopt(store, arrived, first);
  } finally {
    // Taken over, or wrong: either way it has no more use, and only this one object is lost.
    rmSync(arrived, { force: true });
  }
  killPoint("download:object-in-store");
  if (await copyAll(store, { ...work, files: others })) return;
  throw new UpbeatError("UPB-VERIFY-MISSING", { object: work.sha256 });
}

async function copyAll(store: string, { files }: ContentWork): Promise<boolean> {
  for (const file of files) if (!(await adoptSibling(store, file))) return false;
  return true;
}
