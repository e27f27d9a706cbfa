/**
 * The Update Service: verifies, downloads, installs, undoes. Root in production, no network of its own.
 *
 *   node device/update-service/main.ts --root DIR
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { metadataStore } from "../../content/metadataStore.ts";
import { reportError, UpbeatError } from "../../protocol/errors/error.ts";
import type { UpdateId } from "../../protocol/ids.ts";
import { onEnd } from "../lifeline.ts";
import { listenLocally } from "../localServer.ts";
import { devicePaths } from "../paths.ts";
import { lockFolder } from "../singleInstance.ts";
import { updateServiceApi } from "./api.ts";
import { download } from "./download.ts";
import { type Downloader, startDownloader } from "./downloaderProcess.ts";
import { channelOf, findUpdate, keptManifests, readConfig } from "./findUpdate.ts";
import { handlersFor } from "./handlers/index.ts";
import { productsFolder } from "./handlers/tree.ts";
import { installer } from "./installer.ts";
import { type Jobs, jobs } from "./jobs.ts";
import { openState } from "./openState.ts";
import { tidyUp } from "./retention.ts";

const TIDY_EVERY_MS = 60 * 60_000;

const log = pino({ name: "update-service" }, pino.destination(2));

async function main(root: string): Promise<void> {
  const paths = devicePaths(root);
  const state = paths.updateServiceState;
  const now = Date.now;
  makeStateFolder(state);
  const lock = lockFolder(state);
  const manifests = keptManifests(join(state, "manifests"));
  const incoming = join(state, "incoming");
  const products = productsFolder(paths.installed);
  const { journal, rebuilt } = openState(
    {
      folder: state,
      products,
      installedProducts: () => (existsSync(products) ? readdirSync(products) : []),
      manifestOf: (product, version) =>
        manifests.all().find((sha256) => {
          const manifest = manifests.read(sha256);
          return manifest?.product === product && manifest.version === version;
        }),
    },
    now(),
  );
  if (rebuilt !== undefined)
    log.warn(
      { code: "UPB-STATE-DAMAGED", rebuilt },
      "the state was damaged and has been rebuilt; the damaged file was kept",
    );

  const config = () => readConfig(paths.config);
  const store = metadataStore(join(state, "metadata"));
  const work: Jobs = jobs(() => ({
    journal,
    now,
    installer: installing,
    log: (message, error) => log.error(error === undefined ? {} : reportError(error), message),
    tidy: () => tidyUp({ journal, manifests, installed: paths.installed, incoming }, now()),
    download: (update) =>
      withDownloader(config().serverUrl, incoming, (downloader) =>
        download(
          {
            journal,
            manifests,
            downloader,
            installed: paths.installed,
            onPhase: work.onPhase,
            onBytes: work.onBytes,
            find: (wanted: UpdateId) =>
              findUpdate(wanted, channelOf(config(), wanted.product), {
                trustedRootFile: paths.trustedRoot,
                store,
                downloader,
                now,
              }),
          },
          update,
        ),
      ),
  }));
  const installing = installer({
    journal,
    manifests,
    now,
    handlers: handlersFor(paths.installed),
    stateFolder: state,
    bootId: () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    onPhase: work.onPhase,
    onBytes: work.onBytes,
  });
  const app = updateServiceApi({
    journal,
    jobs: work,
    startedMs: now(),
    configured: () => (existsSync(paths.config) ? config().products : []),
  });
  onEnd(async () => {
    await app.close();
    journal.close();
    lock.release();
  });
  work.resume();
  await listenLocally(app, paths.updateServiceSocket);
  setInterval(() => work.idleWork(), TIDY_EVERY_MS).unref();
  log.info({ root }, "the update service is ready");
}

function makeStateFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new UpbeatError("UPB-STATE-UNWRITABLE", { object: folder, cause });
  }
}

async function withDownloader(
  serverUrl: string,
  folder: string,
  use: (downloader: Downloader) => Promise<void>,
): Promise<void> {
  const downloader = startDownloader(serverUrl, folder);
  try {
    await use(downloader);
  } finally {
    downloader.stop();
  }
}

const { values } = parseArgs({ options: { root: { type: "string", default: "/" } } });
main(values.root).catch((error: unknown) => {
  log.fatal(reportError(error), "the update service cannot start");
  process.exit(1);
});
