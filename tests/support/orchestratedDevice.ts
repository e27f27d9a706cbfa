/**
 * An enrolled device whose orchestrator runs here with a clock to turn, beside the real update
 * service as a process; and a server of static files on which updates can be published.
 */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { makeOrReadDeviceKey } from "../../device/deviceKey.ts";
import { type Orchestrator, startOrchestrator } from "../../device/orchestrator/orchestrator.ts";
import type { DevicePaths } from "../../device/paths.ts";
import { canonicalJson } from "../../protocol/canonicalJson.ts";
import { ReportBatch } from "../../protocol/deviceApi.ts";
import { Sha256 } from "../../protocol/ids.ts";
import { UpdateManifest } from "../../protocol/manifest.ts";
import type { Change, ChangeRequest } from "../../protocol/orchestratorApi.ts";
import { writePayload } from "../../protocol/payload.ts";
import { verifyRequest } from "../../protocol/requestSignature.ts";
import {
  DAY_MS,
  isoSeconds,
  type SimulatorServer,
  type TrustSimulator,
  trustSimulator,
} from "./trustSimulator.ts";
import { prepareDevice, type RunningService, startUpdateService } from "./updateServiceProcess.ts";

export interface OrchestratedDevice {
  readonly paths: DevicePaths;
  readonly server: SimulatorServer;
  readonly simulator: TrustSimulator;
  /** `jumpedMs`: how much of the time passed by itself was a jump of the clock or a sleep. */
  readonly clock: { nowMs: number; random: number; jumpedMs: number };
  /** Every batch that arrived, its signature verified. */
  readonly batches: ReportBatch[];
  /** What the server does with the next batches. */
  reports: "accept" | "lose-receipt" | "refuse";
  orchestrator: Orchestrator;
  service: RunningService;
  /** `copies`: the one file so many times, under other names. */
  publish(product: string, version: string, differs?: object, copies?: number): void;
  retire(product: string, version: string): void;
  /** What is signed counts for a year from now on. */
  renew(): void;
  /** Asks for a change and waits for its end. */
  change(request: ChangeRequest): Promise<Change>;
  check(full?: boolean): Promise<Change>;
  /** Waits until nothing runs in the queue of changes. */
  settle(): Promise<void>;
  /** The content that is asked for next never comes to its end; resolves when it is asked for. */
  holdContent(): Promise<void>;
  restartOrchestrator(): Promise<void>;
  close(): Promise<void>;
}

const DEVICE_ID = `dev-${"0".repeat(32)}`;
const REPORTS = `api/v1/devices/${DEVICE_ID}/reports`;

export async function orchestratedDevice(
  products: readonly string[],
  options: { updateService: boolean } = { updateService: true },
): Promise<OrchestratedDevice> {
  const root = mkdtempSync(join(tmpdir(), "upbeat-device-"));
  const clock = { nowMs: Date.now(), random: 0.5, jumpedMs: 0 };
  const simulator = trustSimulator(clock.nowMs);
  const server = await simulator.serve();
  const followed = Object.fromEntries(products.map((product) => [product, "stable"]));
  const paths = prepareDevice(root, {
    serverUrl: server.url.href,
    trustedRoot: simulator.firstRoot,
    products: followed,
  });
  // How hard the machine works that runs the tests is no matter of the device's.
  mkdirSync(join(root, "proc"));
  writeFileSync(join(root, "proc/loadavg"), "0.00 0.00 0.00 1/1 1\n");
  const publicKey = createPublicKey(makeOrReadDeviceKey(paths));
  const start = (): Orchestrator =>
    startOrchestrator({
      paths,
      now: () => clock.nowMs,
      elapsed: () => clock.nowMs - clock.jumpedMs,
      random: () => clock.random,
      log: () => {},
    });
  const none: RunningService = { stop: async () => {} } as RunningService;
  const device: OrchestratedDevice = {
    paths,
    server,
    simulator,
    clock,
    batches: [],
    reports: "accept",
    service: options.updateService ? await startUpdateService(root) : none,
    orchestrator: start(),
    publish: (product, version, differs = {}, copies = 0) =>
      publish(simulator, { product, version, ...differs }, copies),
    retire: (product, version) => retire(simulator, product, version),
    renew() {
      const expires = isoSeconds(clock.nowMs + 365 * DAY_MS);
      const roles = ["root", "timestamp", "snapshot", "targets", "stable"];
      for (const role of roles) simulator.document(role).expires = expires;
      simulator.publish("root", "targets", "stable");
    },
    async change(request) {
      const { id } = device.orchestrator.request(request);
      for (let tries = 0; tries < 1_500; tries++) {
        const change = device.orchestrator.change(id);
        if (change.state !== "waiting" && change.state !== "running") return change;
        await wait(20);
      }
      throw new Error(`it does not end: ${JSON.stringify(device.orchestrator.change(id))}`);
    },
    async settle() {
      for (let tries = 0; tries < 1_500; tries++) {
        const { running } = await device.orchestrator.status();
        if (running === undefined) return;
        await wait(20);
      }
      throw new Error("the queue of changes does not come to its end");
    },
    holdContent() {
      const names = [...simulator.files.keys()].filter((name) => name.startsWith("content/"));
      return new Promise((resolve) => {
        for (const name of names) {
          server.faults.set(name, (_request, response) => {
            response.writeHead(200, { "content-length": 10_000_000 });
            response.write("x");
            resolve();
          });
        }
      });
    },
    check: (full = false) => device.change({ kind: "check", full }),
    async restartOrchestrator() {
      await device.orchestrator.stop();
      device.orchestrator = start();
    },
    async close() {
      await device.orchestrator.stop();
      await device.service.stop();
      await server.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
  server.faults.set(REPORTS, (request, response) => {
    void receive(request, publicKey, server.url, clock.nowMs).then((batch) => {
      if (batch === undefined) return response.writeHead(401).end();
      if (device.reports === "refuse") return response.writeHead(503).end();
      device.batches.push(batch);
      if (device.reports === "lose-receipt") return response.destroy();
      return response.end(JSON.stringify({ accepted: batch.events.map((event) => event.id) }));
    });
  });
  return device;
}

async function receive(
  request: IncomingMessage,
  publicKey: KeyObject,
  server: URL,
  nowMs: number,
): Promise<ReportBatch | undefined> {
  const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
  const verified = verifyRequest({
    method: request.method ?? "",
    url: new URL(request.url ?? "", server).href,
    body,
    headers: request.headers,
    publicKeyOf: (keyId) => (keyId === DEVICE_ID ? publicKey : undefined),
    isReplay: () => false,
    nowMs,
  });
  return verified.ok ? ReportBatch.parse(JSON.parse(body.toString())) : undefined;
}

type Published = { readonly product: string; readonly version: string };

function publish(simulator: TrustSimulator, about: Published, copies: number): void {
  const { product, version } = about;
  const content = Buffer.from(`console.log("${product} ${version}")\n`);
  const sha256 = sha256Of(content);
  const names = ["main.js", ...Array.from({ length: copies }, (_, at) => `${at}.js`)];
  const file = { type: "file", sizeBytes: content.length, mode: 0o644, sha256 } as const;
  const list = writePayload(names.toSorted().map((path) => ({ ...file, path })));
  const manifest = UpdateManifest.parse({
    schema: "upbeat.manifest/1.0",
    channel: "stable",
    title: `${product} ${version}`,
    classification: "update",
    publishedAt: "2026-01-01T00:00:00Z",
    handler: "tree",
    payload: list.ref,
    ...about,
  });
  simulator.files.set(`content/${sha256.slice(0, 2)}/${sha256}`, content);
  simulator.files.set(`content/${list.ref.sha256.slice(0, 2)}/${list.ref.sha256}`, list.bytes);
  const bytes = canonicalJson(JSON.parse(JSON.stringify(manifest)));
  simulator.addTarget("stable", `stable/${product}/${version}.json`, bytes);
  const entry = {
    version,
    manifestSha256: createHash("sha256").update(bytes).digest("hex"),
    manifestSizeBytes: bytes.length,
    publishedAt: manifest.publishedAt,
  };
  listVersions(simulator, product, (updates) => [...updates, entry]);
}

const sha256Of = (bytes: Uint8Array): Sha256 =>
  Sha256.parse(createHash("sha256").update(bytes).digest("hex"));

function retire(simulator: TrustSimulator, product: string, version: string): void {
  const targets = simulator.document("stable").targets as Record<string, unknown>;
  delete targets[`stable/${product}/${version}.json`];
  listVersions(simulator, product, (updates) => updates.filter((it) => it.version !== version));
}

type Listed = { version: string };
const lists = new WeakMap<TrustSimulator, Map<string, Listed[]>>();

function listVersions(
  simulator: TrustSimulator,
  product: string,
  change: (updates: Listed[]) => Listed[],
): void {
  const ofAll = lists.get(simulator) ?? new Map<string, Listed[]>();
  lists.set(simulator, ofAll);
  const updates = change(ofAll.get(product) ?? []);
  ofAll.set(product, updates);
  const index = { schema: "upbeat.index/1", product, channel: "stable", updates };
  simulator.addTarget("stable", `stable/${product}/index`, canonicalJson(index));
  simulator.publish("stable");
}
