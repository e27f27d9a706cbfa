/** The update service put together; `main.ts` gives it a process, tests give it a clock. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { FastifyInstance } from "fastify";
import { bundledSource } from "../../content/bundle/bundledSource.ts";
import { removeUnfinished } from "../../content/durableFile.ts";
import { metadataStore } from "../../content/metadataStore.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { UpdateId } from "../../protocol/ids.ts";
import type { TreeEntry } from "../../protocol/payload.ts";
import { NO_SETTINGS } from "../../protocol/transfer.ts";
import { devicePaths } from "../paths.ts";
import { lockFolder } from "../singleInstance.ts";
import { updateServiceApi } from "./api.ts";
import { bringFiles, bringList, type DownloadWorld, download, planDownload } from "./download.ts";
import { downloaderAccount } from "./downloaderAccount.ts";
import { startDownloader } from "./downloaderProcess.ts";
import { channelOf, findUpdate, readConfig, readRoot, stillSigned } from "./findUpdate.ts";
import { handlersFor } from "./handlers/index.ts";
import { productsFolder, storeFolder, versionFolder } from "./handlers/tree.ts";
import { installer } from "./installer.ts";
import { stopSignal } from "./interruption.ts";
import { type Jobs, jobs, type Manners } from "./jobs.ts";
import type { Journal } from "./journal.ts";
import { keptIndexes } from "./keptIndexes.ts";
import { keptManifests } from "./keptManifests.ts";
import { openState } from "./openState.ts";
import { lastSpeed, updateOf } from "./operations.ts";
import { providerRuns } from "./providerRuns.ts";
import { verifyInstalled } from "./repair/verify.ts";
import { requests } from "./requests.ts";
import { restartMachine } from "./restartMachine.ts";
import { clearIncoming, tidyUp } from "./retention.ts";

export interface UpdateService {
  readonly api: FastifyInstance;
  readonly jobs: Jobs;
  readonly journal: Journal;
  close(): Promise<void>;
}

export interface ServiceWorld {
  readonly root: string;
  readonly now: () => number;
  /** Another one after every start of the machine. */
  readonly bootId: () => string;
  readonly warn: (message: string, error: unknown) => void;
  /** For the log: what was decided, with its facts. */
  readonly say: (message: string, facts: object) => void;
}

/** Somebody waits for it. */
const FOREGROUND: Manners = { kind: "foreground", bandwidth: [] };

/**
 * Opens the state; nothing is being done yet (`jobs.resume`).
 * Errors: UPB-STATE-UNWRITABLE, UPB-SERVICE-STATE-FOLDER, UPB-SERVICE-ALREADY-RUNNING.
 */
export function updateService({ root, now, bootId, warn, say }: ServiceWorld): UpdateService {
  const paths = devicePaths(root);
  const state = paths.updateServiceState;
  const incoming = join(state, "incoming");
  const patches = join(state, "patches");
  const products = productsFolder(paths.installed);
  makeStateFolder(state);
  const lock = lockFolder(state);
  for (const name of ["manifests", "payloads", "metadata", "indexes"])
    removeUnfinished(join(state, name));
  const manifests = keptManifests(state);
  const indexes = keptIndexes(join(state, "indexes"));
  const { journal, rebuilt } = openState(
    {
      folder: state,
      products,
      installedProducts: () => (existsSync(products) ? readdirSync(products) : []),
      manifestOf: manifests.find,
    },
    now(),
  );
  if (rebuilt !== undefined) {
    const damaged = new UpbeatError("UPB-STATE-DAMAGED", { object: rebuilt });
    warn("the state was damaged and has been rebuilt; the damaged file was kept", damaged);
  }

  const config = () => readConfig(paths.config);
  const store = metadataStore(join(state, "metadata"));
  const trust = { trustedRootFile: paths.trustedRoot, store, now };
  async function withDownloads<Result>(
    update: UpdateId,
    manners: Manners,
    use: (world: DownloadWorld) => Promise<Result>,
  ): Promise<Result> {
    const { serverUrl, transfer: own = NO_SETTINGS } = config();
    const channel = channelOf(config(), update.product);
    // The first rule that holds counts, so root's own stand before what was asked.
    const transfer = { ...own, bandwidth: [...own.bandwidth, ...manners.bandwidth] };
    const { kind } = manners;
    const trustedRoot = readRoot(paths.trustedRoot);
    const downloader = startDownloader({ serverUrl, folder: incoming, transfer, kind });
    stopSignal()?.addEventListener("abort", downloader.stop, { once: true });
    const { metadata, target } = downloader;
    const source = bundledSource({ trustedRoot, store, metadata, target, kept: indexes.read });
    try {
      const { onPhase, onBytes } = work;
      const world: DownloadWorld = {
        ...{ journal, manifests, downloader, incoming, patches, now, warn, onPhase, onBytes },
        installed: paths.installed,
        verified: new Set(),
        find: () => findUpdate(update, channel, { trustedRoot, store, source, indexes, now }),
        known: source.object,
        bytesPerSecond: () => lastSpeed(journal.records()),
        planned: (plan) => {
          say("how the update comes here", { update, plan });
          journal.atomically(() => journal.keepPlan(update, plan));
        },
      };
      return await use(world);
    } finally {
      downloader.stop();
    }
  }

  /** As kept, or from the server when it was damaged here. */
  async function payloadOf(update: UpdateId): Promise<readonly TreeEntry[]> {
    const manifest = manifests.read(update.manifestSha256);
    const kept = manifest && manifests.payload(manifest);
    if (kept !== undefined) return kept;
    return withDownloads(update, FOREGROUND, (world) => bringList(world, update));
  }

  const providers = providerRuns({
    folder: paths.providersFolder,
    stateFile: join(state, "providers.json"),
    stateFolder: state,
    journal,
    now,
    bootId,
  });
  const work: Jobs = jobs(() => ({
    journal,
    now,
    proceed,
    log: warn,
    requests: requests({ journal, manifests, now }),
    providers,
    tidy: () =>
      tidyUp({ journal, manifests, installed: paths.installed, incoming, patches }, now()),
    makeRoom: () => {
      clearIncoming(incoming);
      clearIncoming(patches);
    },
    plan: (update) => withDownloads(update, FOREGROUND, (world) => planDownload(world, update)),
    download: (update, manners) =>
      withDownloads(update, manners, (world) => download(world, update)),
  }));
  const proceed = installer({
    journal,
    manifests,
    now,
    bootId,
    handlers: handlersFor(paths.installed),
    stateFolder: state,
    stillSigned: (update) => stillSigned(update, channelOf(config(), update.product), trust),
    verify: async (operation, record) => {
      const update = updateOf(operation);
      await verifyInstalled({
        store: storeFolder(paths.installed),
        folder: versionFolder(paths.installed, update.product, update.version),
        payload: await payloadOf(update),
        bring: (files) =>
          withDownloads(update, FOREGROUND, (world) => bringFiles(world, update, files)),
        before: operation.verify,
        record,
        onPhase: work.onPhase,
        onBytes: work.onBytes,
      });
    },
    stoppably: work.stoppably,
    onPhase: work.onPhase,
    onBytes: work.onBytes,
  });
  const api = updateServiceApi({
    journal,
    jobs: work,
    startedMs: now(),
    providers: providers.states,
    restartMachine: () => restartMachine(paths.restartCommand),
    configured: () => (existsSync(paths.config) ? config().products : []),
  });
  return {
    api,
    jobs: work,
    journal,
    async close() {
      await api.close();
      journal.close();
      lock.release();
    },
  };
}

/** Private, but for the one folder in it that belongs to the downloader: its group may pass. */
function makeStateFolder(folder: string): void {
  try {
    mkdirSync(dirname(folder), { recursive: true, mode: 0o755 });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const account = downloaderAccount();
    if (account === undefined) return;
    chownSync(folder, 0, account.gid);
    chmodSync(folder, 0o710);
  } catch (cause) {
    throw new UpbeatError("UPB-STATE-UNWRITABLE", { object: folder, cause });
  }
}
