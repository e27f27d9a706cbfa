/**
 * Brings everything that an update needs into the store: verified metadata, the manifest, and the
 * content that is not here yet. `downloaded` means: whole, hashed by this process, and on the disk.
 *
 * Errors: those of `findUpdate`, UPB-INSTALL-OLDER, UPB-TREE-*, UPB-DOWNLOAD-*, UPB-VERIFY-*, UPB-FETCH-*.
 */
import { rmSync } from "node:fs";
import { requireSafeTree } from "../../content/treeRules.ts";
import { type ActionList, isFile, planActions } from "../../core/actionList.ts";
import { compareVersions } from "../../core/versionOrder.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, type UpdateId } from "../../protocol/ids.ts";
import type { FileEntry, UpdateManifest } from "../../protocol/manifest.ts";
import type { Progress } from "../../protocol/updateServiceApi.ts";
import { killPoint } from "../killPoint.ts";
import { adopt, adoptSibling, isStored, objectName } from "./contentStore.ts";
import type { Downloader } from "./downloaderProcess.ts";
import { flushFileSystem } from "./durable.ts";
import type { Manifests } from "./findUpdate.ts";
import { storeFolder } from "./handlers/tree.ts";
import type { Journal } from "./journal.ts";
import { requireSpace } from "./space.ts";

export interface DownloadWorld {
  readonly journal: Journal;
  readonly manifests: Manifests;
  readonly installed: string;
  readonly downloader: Downloader;
  readonly find: (update: UpdateId) => Promise<{ manifest: UpdateManifest; bytes: Uint8Array }>;
  readonly onPhase: (phase: Progress["phase"], totalBytes: number) => void;
  readonly onBytes: (bytes: number) => void;
}

/** Requests at once: enough to fill a slow line with small files, few enough to be polite. */
const TRANSFERS = 6;

export async function download(world: DownloadWorld, update: UpdateId): Promise<void> {
  killPoint("download:recorded");
  world.onPhase("refresh-metadata", 0);
  const { manifest, bytes } = await world.find(update);
  killPoint("download:metadata-verified");
  requireInstallable(world.journal, manifest);
  world.manifests.keep(update.manifestSha256, bytes);
  killPoint("download:manifest-kept");

  world.onPhase("plan", 0);
  const store = storeFolder(world.installed);
  const files = distinctFiles(manifest);
  const missing = files.filter((file) => !isStored(store, file));
  const actions = planActions(
    manifest,
    ({ sha256 }) => !missing.some((file) => file.sha256 === sha256),
  );
  requireSpace(world.installed, actions.diskNeededBytes);
  killPoint("download:planned");

  await fetchAll(world, store, missing, actions);
  killPoint("download:before-sync");
  if (missing.length > 0) flushFileSystem(store);
  killPoint("download:synced");
}

function requireInstallable(journal: Journal, manifest: UpdateManifest): void {
  const object = formatUpdate(manifest);
  requireSafeTree(manifest.payload, object);
  const { current } = journal.product(manifest.product);
  if (current === undefined || compareVersions(manifest.version, current) > 0) return;
  throw new UpbeatError("UPB-INSTALL-OLDER", { object, detail: `${current} is installed` });
}

/** One object for each content and mode. */
function distinctFiles(manifest: UpdateManifest): FileEntry[] {
  return [
    ...new Map(manifest.payload.filter(isFile).map((file) => [objectName(file), file])).values(),
  ];
}

async function fetchAll(
  world: DownloadWorld,
  store: string,
  missing: readonly FileEntry[],
  actions: ActionList,
): Promise<void> {
  world.onPhase("download", actions.fetchBytes);
  const byContent = Map.groupBy(missing, ({ sha256 }) => sha256);
  const queue = actions.fetch.flatMap((content) => {
    const files = byContent.get(content.sha256);
    return files === undefined ? [] : [{ content, files }];
  });
  const stopped = new AbortController();
  const worker = async (): Promise<void> => {
    for (
      let next = queue.shift();
      next !== undefined && !stopped.signal.aborted;
      next = queue.shift()
    ) {
      await fetchOne(world, store, next.content, next.files);
    }
  };
  const workers = Array.from({ length: TRANSFERS }, () =>
    worker().catch((error: unknown) => {
      stopped.abort();
      throw error;
    }),
  );
  const ends = await Promise.allSettled(workers);
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function fetchOne(
  world: DownloadWorld,
  store: string,
  content: ActionList["fetch"][number],
  files: readonly FileEntry[],
): Promise<void> {
  const [first, ...others] = files;
  if (first === undefined) return;
  if (!(await adoptSibling(store, first))) {
    let had = 0;
    const arrived = await world.downloader.content(content, (bytes) => {
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
  }
  killPoint("download:object-in-store");
  for (const file of others) await adoptSibling(store, file);
}
