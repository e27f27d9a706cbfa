/** The ways by which the real update service gets an update, and what it does when one is blocked. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { DownloadPlan } from "../../../protocol/downloadPlan.ts";
import { Product, type UpdateId } from "../../../protocol/ids.ts";
import type { TransferSettings } from "../../../protocol/transfer.ts";
import { copyDevice } from "../../../tests/kills/templates.ts";
import { differences, readTree, type Tree } from "../../../tests/support/deviceTree.ts";
import { seededRandom } from "../../../tests/support/random.ts";
import {
  type StaticRepository,
  type StaticServer,
  staticRepository,
} from "../../../tests/support/staticRepository.ts";
import {
  prepareDevice,
  type RunningService,
  startUpdateService,
} from "../../../tests/support/updateServiceProcess.ts";

const product = Product.parse("kiosk");
let folder: string;
let repository: StaticRepository;
let server: StaticServer;
const updates = new Map<string, UpdateId>();
const trees = new Map<string, Tree>();
/** With 1.0.0 installed. */
let template: string;
let running: RunningService[] = [];
let devices = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-delivery-"));
  repository = await staticRepository(join(folder, "repository"));
  server = await repository.serve();
  await publish("1.0.0", []);
  template = join(folder, "template");
  const service = await start(template);
  await bring(service, "1.0.0");
  await service.stop();
  running = [];
  await publish("2.0.0", ["1.0.0"]);
  await publish("3.0.0", ["2.0.0"]);
  await publish("4.0.0", []);
});

afterEach(async () => {
  server.fail(undefined);
  for (const service of running) await service.stop();
  running = [];
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Noise that no compressor makes smaller, the same for the same seed. */
function noise(bytes: number, seed: number): Buffer {
  const random = seededRandom(seed);
  return Buffer.from(Array.from({ length: bytes }, () => random.below(256)));
}

async function publish(version: string, patchesFrom: string[]): Promise<void> {
  const tree = join(folder, `tree-${version}`);
  mkdirSync(join(tree, "lib"), { recursive: true });
  const big = noise(200_000, 1);
  big.write(`version ${version}`, 1_000);
  writeFileSync(join(tree, "big"), big);
  writeFileSync(join(tree, "same"), noise(50_000, 2));
  writeFileSync(join(tree, "VERSION"), version);
  for (let index = 0; index < 60; index++)
    writeFileSync(join(tree, `lib/${index}`), noise(1_000 + index, 100 + index));
  writeFileSync(join(tree, `lib/${version}`), noise(700, 5_000 + version.charCodeAt(0)));
  trees.set(version, readTree(tree));
  updates.set(version, await repository.publish(tree, { product, version, patchesFrom }));
}

async function start(
  root: string,
  transfer?: Partial<TransferSettings>,
  env: Record<string, string> = {},
): Promise<RunningService> {
  prepareDevice(root, {
    serverUrl: server.url,
    trustedRoot: repository.root,
    products: { [product]: "stable" },
    ...(transfer === undefined ? {} : { transfer }),
  });
  const service = await startUpdateService(root, env);
  running.push(service);
  return service;
}

/** Another machine with 1.0.0 on it. */
async function machine(): Promise<string> {
  const root = join(folder, `device-${devices++}`);
  await copyDevice(template, root);
  return root;
}

const updateOf = (version: string): UpdateId => {
  const update = updates.get(version);
  if (update === undefined) throw new RangeError(version);
  return update;
};

/** Downloads and installs it; the plan is the one that the history keeps. */
async function bring(service: RunningService, version: string): Promise<DownloadPlan> {
  const update = updateOf(version);
  await service.request({ kind: "download", update });
  const { updates: records } = await service.idle();
  const record = records.find((one) => one.version === version);
  expect(record?.error ?? record).toMatchObject({ state: "downloaded" });
  await service.request({ kind: "install", update });
  await service.idle();
  const current = join(service.paths.installed, "products", product, "current");
  expect(differences(trees.get(version) ?? new Map(), readTree(current))).toEqual([]);
  const [entry] = await service.history();
  expect(entry).toMatchObject({ operation: "install", result: "succeeded", toVersion: version });
  if (entry?.download === undefined) throw new Error(service.output());
  return entry.download;
}

const contentRequests = () => server.requests.filter((path) => path.startsWith("/content/")).length;

describe("an update", () => {
  it("comes to a machine that has nothing as a few packs, and to one that has it as a patch", async () => {
    const empty = await start(join(folder, "empty"));
    const whole = await bring(empty, "2.0.0");
    expect(whole.way).toBe("files");
    expect(whole.requests).toBeLessThan(10);
    expect(whole.bytes).toBeGreaterThan(250_000);
    const before = contentRequests();
    const patched = await bring(await start(await machine()), "2.0.0");
    expect(patched).toMatchObject({
      way: "patches",
      parts: [{ source: "patches", count: 1 }],
      fellBack: [],
    });
    expect(patched.bytes).toBeLessThan(5_000);
    expect(patched.tookMs).toBeDefined();
    // The delivery and the patch: no list, no table, no file.
    expect(contentRequests() - before).toBe(2);
  });

  it("comes over several patches, and as whole files where none leads", async () => {
    const service = await start(await machine());
    const chain = await bring(service, "3.0.0");
    expect(chain).toMatchObject({ way: "patches", parts: [{ source: "patches", count: 2 }] });
    const files = await bring(service, "4.0.0");
    expect(files.way).toBe("files");
    const here = files.parts.find(({ source }) => source === "here");
    expect(here?.count).toBe(61);
    // The big file, the version and the new one; the rest is here.
    expect(files.parts.find(({ source }) => source === "files")).toMatchObject({ count: 3 });
  });

  it("is planned without being fetched, and the plan says what then happens", async () => {
    const service = await start(await machine());
    const planned = await service.plan(updateOf("2.0.0"));
    const asked = contentRequests();
    expect(planned.way).toBe("patches");
    const { updates: known } = await service.status();
    expect(known.some(({ version }) => version === "2.0.0")).toBe(false);
    const done = await bring(service, "2.0.0");
    expect(done).toMatchObject({ bytes: planned.bytes, requests: planned.requests });
    expect(contentRequests() - asked).toBe(2);
  });

  it("comes as whole files when a file that the patch reads was changed, and says so", async () => {
    const root = await machine();
    const installed = join(root, "var/lib/upbeat/installed/products", product);
    appendFileSync(join(installed, "versions/1.0.0/big"), "!");
    const plan = await bring(await start(root), "2.0.0");
    expect(plan.way).toBe("files");
    expect(plan.fellBack).toMatchObject([{ code: "UPB-DELTA-WRONG-BASE" }]);
    expect(plan.fellBack[0]?.detail).toContain("big");
  });

  it("comes as whole files when no source has the patch as it was signed, and says so", async () => {
    const root = await machine();
    const patch = await patchTo("2.0.0");
    server.fail({ kind: "corrupt" }, new RegExp(patch));
    const plan = await bring(await start(root), "2.0.0");
    expect(plan.way).toBe("files");
    expect(plan.fellBack).toMatchObject([{ code: "UPB-DOWNLOAD-WRONG-CONTENT" }]);
  });

  it("is taken from another source where one has damaged packs, and those alone", async () => {
    const lying = await repository.serve();
    lying.fail({ kind: "corrupt" }, /^\/content\//);
    try {
      const before = contentRequests();
      const service = await start(join(folder, "mirrored"), { mirrors: [lying.url] });
      expect((await bring(service, "1.0.0")).way).toBe("files");
      expect(contentRequests() - before).toBeGreaterThan(2);
      const root = await machine();
      const patched = await start(root, { mirrors: [lying.url] });
      expect((await bring(patched, "2.0.0")).way).toBe("patches");
    } finally {
      await lying.close();
    }
  });

  it("comes from a server without ranges", async () => {
    server.fail({ kind: "no-ranges" });
    const service = await start(await machine());
    expect((await bring(service, "4.0.0")).way).toBe("files");
  });
});

/** The hash of the patch that leads there from 1.0.0: what is fetched after the delivery. */
async function patchTo(version: string): Promise<string> {
  const service = await start(await machine());
  const before = server.requests.length;
  await bring(service, version);
  const [, patch] = server.requests.slice(before).filter((path) => path.startsWith("/content/"));
  return patch?.split("/").at(-1) ?? "none";
}
