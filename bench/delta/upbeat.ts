/**
 * Upbeat itself: `upbeat publish` of both versions to a real server, then an update by the real
 * update service, over HTTP through a proxy that counts every byte. What is installed in the end is
 * compared with the published folder, to the hash. The service is the built one, as machines have it.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { devicePaths } from "../../device/paths.ts";
import { Product, Sha256, type UpdateId, Version } from "../../protocol/ids.ts";
import type { JobRequest, ServiceStatus } from "../../protocol/updateServiceApi.ts";
import { administrator } from "../../tests/support/administrator.ts";
import { differences, readTree } from "../../tests/support/deviceTree.ts";
import {
  isAtRest,
  prepareDevice,
  type RunningService,
  startUpdateService,
} from "../../tests/support/updateServiceProcess.ts";
import { countingProxy, type Traffic } from "../check/countingProxy.ts";
import type { Cost } from "./measuredCommand.ts";
import { watchProcesses } from "./watchProcesses.ts";

export interface UpbeatResult {
  /** On the wire, both directions, from the request for the update until it is installed. */
  readonly traffic: Traffic;
  /** Of patches, or of files where a patch was not worth it. */
  readonly contentBytes: number;
  /** CPU time and memory of the process that compares; of all of `upbeat publish`: time. */
  readonly publish: Cost;
  /** Fetching, checking and making the new files, with the service's idle memory counted. */
  readonly download: Cost;
  readonly install: Cost;
}

const PRODUCT = Product.parse("bench");
const PATIENCE_MS = 30 * 60_000;
/** Each question costs the service a millisecond of its own. */
const POLL_MS = 50;

const Published = z.object({
  update: z.object({ manifestSha256: Sha256 }),
  cost: z.object({ cpuMs: z.number(), peakMemoryBytes: z.number() }),
});

export async function runUpbeat(oldTree: string, newTree: string): Promise<UpbeatResult> {
  const admin = await administrator();
  const root = mkdtempSync(join(tmpdir(), "upbeat-device-"));
  const proxy = await countingProxy(Number(new URL(admin.server.url).port));
  let service: RunningService | undefined;
  try {
    const publish = async (tree: string, version: string) => {
      const startMs = performance.now();
      const names = ["--product", PRODUCT, "--version", version];
      const said = Published.parse(await admin.upbeat("publish", tree, ...names));
      const { cpuMs, peakMemoryBytes: peakBytes } = said.cost;
      const cost: Cost = { wallMs: performance.now() - startMs, cpuMs, peakBytes };
      const update: UpdateId = {
        product: PRODUCT,
        version: Version.parse(version),
        manifestSha256: said.update.manifestSha256,
      };
      return { update, cost };
    };
    const first = await publish(oldTree, "1.0.0");
    prepareDevice(root, {
      serverUrl: proxy.url,
      trustedRoot: readFileSync(join(admin.folder, "data/repo/metadata/1.root.json")),
      products: { [PRODUCT]: "stable" },
    });
    service = await startUpdateService(root, {}, undefined, await builtService());
    await job(service, "download", first.update);
    await job(service, "install", first.update);
    const second = await publish(newTree, "2.0.0");
    proxy.take();
    const download = await job(service, "download", second.update);
    const install = await job(service, "install", second.update);
    const traffic = proxy.take();
    requireInstalled(root, newTree);
    return {
      traffic,
      contentBytes: contentOf(await service.status(), second.update),
      publish: second.cost,
      download,
      install,
    };
  } finally {
    await service?.stop();
    proxy.close();
    await admin.close();
    rmSync(root, { recursive: true, force: true });
  }
}

const REPOSITORY = join(import.meta.dirname, "../..");
const BUILD_TIMEOUT_MS = 5 * 60_000;

/** In `dist/`, as `npm run build` leaves it. */
async function builtService(): Promise<string> {
  const compiler = join(REPOSITORY, "node_modules/typescript/bin/tsc");
  const args = [compiler, "-p", join(REPOSITORY, "tsconfig.build.json")];
  await promisify(execFile)(process.execPath, args, { timeout: BUILD_TIMEOUT_MS });
  return join(REPOSITORY, "dist/device/update-service/main.js");
}

async function job(
  service: RunningService,
  kind: "download" | "install",
  update: UpdateId,
): Promise<Cost> {
  const watch = watchProcesses(service.pid);
  try {
    await service.request({ kind, update } satisfies JobRequest);
    for (const endMs = Date.now() + PATIENCE_MS; ; await sleep(POLL_MS)) {
      const status = await service.status();
      if (isAtRest(status)) {
        const state = status.updates.find(({ version }) => version === update.version)?.state;
        if (state === (kind === "download" ? "downloaded" : "installed")) break;
        throw new Error(`after the ${kind} it is ${state}:\n${service.output()}`);
      }
      if (Date.now() > endMs) throw new Error(`the ${kind} never ends:\n${service.output()}`);
    }
  } finally {
    watch.look();
  }
  return watch.end();
}

function contentOf({ updates }: ServiceStatus, update: UpdateId): number {
  const plan = updates.find(({ version }) => version === update.version)?.plan;
  if (plan === undefined) throw new Error("the service does not say how it came");
  if (plan.fellBack.length > 0) throw new Error(`it fell back: ${JSON.stringify(plan.fellBack)}`);
  return plan.parts
    .filter(({ source }) => source === "patches" || source === "files")
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

function requireInstalled(root: string, tree: string): void {
  const current = join(devicePaths(root).installed, "products", PRODUCT, "current");
  const wrong = differences(readTree(tree), readTree(current));
  if (wrong.length > 0) throw new Error(`installed is not what was published: ${wrong[0]}`);
}
