/**
 * From any version to any other, also back and from nothing, under random faults: dropped and cut
 * connections, damaged objects, missing ones, and a store in which files vanish or change. The real
 * planning, fetching over HTTP, patching thread and store; only the signatures are left out.
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTree } from "../../../content/readTree.ts";
import type { PackedDocument } from "../../../protocol/delivery.ts";
import type { DownloadPlan } from "../../../protocol/downloadPlan.ts";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import { Product, Sha256, type UpdateId } from "../../../protocol/ids.ts";
import { ProductIndex, UpdateManifest } from "../../../protocol/manifest.ts";
import { isFile, type TreeEntry, writePayload } from "../../../protocol/payload.ts";
import { writeDelivery } from "../../../tests/support/deliveryFiles.ts";
import { objectPath } from "../contentStore.ts";
import { type DownloadWorld, download } from "../download.ts";
import { fetchContent } from "../downloader/fetchContent.ts";
import { nameOf } from "../downloader/places.ts";
import { sourcesOf } from "../downloader/sources.ts";
import { throttle } from "../downloader/throttle.ts";
import type { FoundUpdate } from "../findUpdate.ts";
import { storeFolder } from "../handlers/tree.ts";
import { openJournal } from "../journal.ts";
import { keptManifests } from "../keptManifests.ts";

const RUNS = Number(process.env.UPBEAT_ANY_TO_ANY_RUNS ?? 8);
const PRODUCT = Product.parse("any");
const FAULTS = ["drop", "cut", "corrupt", "busy", "missing", "whole"] as const;
type Fault = (typeof FAULTS)[number];

let base: string;
let url: URL;
let close: () => void;
const objects = new Map<string, Uint8Array>();
/** By the number of the request since the last reset. */
let faults = new Map<number, Fault>();
let asked = 0;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "upbeat-any-"));
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`); // it listens on TCP
  close = () => {
    server.closeAllConnections();
    server.close();
  };
});

afterAll(() => {
  close();
  rmSync(base, { recursive: true, force: true });
});

function answer({ url: path = "", headers }: IncomingMessage, response: ServerResponse): void {
  const fault = faults.get(asked++);
  const bytes = objects.get(path.split("/").at(-1) ?? "");
  if (fault === "drop") return void response.destroy();
  if (fault === "busy") return void response.writeHead(503).end();
  if (bytes === undefined || fault === "missing") return void response.writeHead(404).end();
  const [, from, to = ""] =
    fault === "whole" ? [] : (/^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? []);
  const start = Number(from ?? 0);
  const part = Buffer.from(bytes.subarray(start, to === "" ? undefined : Number(to) + 1));
  if (from !== undefined)
    response.setHeader(
      "content-range",
      `bytes ${start}-${start + part.length - 1}/${bytes.length}`,
    );
  if (fault === "corrupt" && part.length > 0)
    part[part.length >> 1] = (part[part.length >> 1] ?? 0) ^ 4;
  response.writeHead(from === undefined ? 200 : 206, { "content-length": part.length });
  if (fault !== "cut") return void response.end(part);
  response.write(part.subarray(0, part.length >> 1), () => response.destroy());
}

/** By path. */
type Files = ReadonlyMap<string, { text: string; mode: number }>;

/** Nothing that a compressor would find, so that whole files cost what they weigh. */
const line = (n: number) => `${createHash("sha256").update(String(n)).digest("hex")}\n`;
const text = fc
  .array(fc.nat(400), { minLength: 20, maxLength: 80 })
  .map((lines) => lines.map(line).join(""));
const path = fc.constantFrom("a", "b/c", "b/d", "e", "f/g/h", "i", "j", "k/l");
const file = fc.record({ text, mode: fc.constantFrom(0o644, 0o755) });
const files: fc.Arbitrary<Files> = fc
  .array(fc.tuple(path, file), { minLength: 3, maxLength: 8 })
  .map((entries) => new Map(entries));

/** What becomes of a tree from one version to the next. */
type Edit = (tree: Map<string, { text: string; mode: number }>) => void;
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(path, fc.nat(400), fc.nat(2_000)).map(
    ([at, n, place]): Edit =>
      (tree) => {
        const old = tree.get(at);
        if (old === undefined) return;
        tree.set(at, { ...old, text: old.text.slice(0, place) + line(n) + old.text.slice(place) });
      },
  ),
  fc.tuple(path, file).map(
    ([at, fresh]): Edit =>
      (tree) =>
        void tree.set(at, fresh),
  ),
  fc.tuple(path, path).map(
    ([from, to]): Edit =>
      (tree) => {
        const old = tree.get(from);
        if (old === undefined) return;
        tree.delete(from);
        tree.set(to, old);
      },
  ),
  path.map(
    (at): Edit =>
      (tree) => {
        const old = tree.get(at);
        if (old !== undefined) tree.set(at, { ...old, mode: old.mode ^ 0o111 });
      },
  ),
);
const versions = fc
  .tuple(
    files,
    fc.array(fc.array(edit, { minLength: 1, maxLength: 3 }), { minLength: 3, maxLength: 3 }),
  )
  .map(([first, later]) => {
    const trees: Files[] = [first];
    for (const edits of later) {
      const tree = new Map(trees.at(-1));
      for (const change of edits) change(tree);
      trees.push(tree);
    }
    return trees;
  });

const PAIRS = [0, 1, 2, 3].flatMap((from) =>
  [0, 1, 2, 3].flatMap((to) => (from === to ? [] : [[from, to] as const])),
);

const history = fc.record({
  versions,
  /** From which other version each has a patch; the rest it has in packs, or plainly. */
  patches: fc.subarray(PAIRS, { minLength: 5, maxLength: 10 }),
  plain: fc.constantFrom([], [], [], [0], [2]),
  route: fc.array(fc.nat(3), { minLength: 3, maxLength: 5 }),
  faults: fc.array(fc.tuple(fc.nat(25), fc.constantFrom(...FAULTS)), { maxLength: 6 }),
  damage: fc.array(
    fc.record({ before: fc.integer({ min: 1, max: 4 }), object: fc.nat(20), vanish: fc.boolean() }),
    { maxLength: 2 },
  ),
});

interface Released {
  readonly update: UpdateId;
  readonly entries: readonly TreeEntry[];
  readonly manifest: UpdateManifest;
  readonly bytes: Uint8Array;
  readonly delivery: PackedDocument | undefined;
}

async function release(
  folder: string,
  trees: readonly Files[],
  about: { patches: readonly (readonly [number, number])[]; plain: readonly number[] },
): Promise<Released[]> {
  const listed = await Promise.all(
    trees.map(async (tree, index) => {
      const at = join(folder, `tree-${index}`);
      for (const [path, { text: content, mode }] of tree) {
        mkdirSync(dirname(join(at, path)), { recursive: true });
        writeFileSync(join(at, path), content);
        chmodSync(join(at, path), mode);
      }
      return { folder: at, entries: await readTree(at) };
    }),
  );
  const released: Released[] = [];
  for (const [index, tree] of listed.entries()) {
    const put = (sha256: string, bytes: Uint8Array) => objects.set(sha256, bytes);
    const list = writePayload(tree.entries);
    const isPlain = about.plain.includes(index);
    if (isPlain) {
      put(list.ref.sha256, list.bytes);
      for (const file of tree.entries.filter(isFile))
        put(file.sha256, readFileSync(join(tree.folder, file.path)));
    }
    const from = about.patches.flatMap(([a, b]) => (b === index && a !== index ? [listed[a]] : []));
    const earlier = [...new Set(from)].filter((one) => one !== undefined);
    const manifest = UpdateManifest.parse({
      schema: "upbeat.manifest/1.0",
      product: PRODUCT,
      version: `${index + 1}.0.0`,
      channel: "stable",
      title: "any",
      classification: "update",
      publishedAt: "2026-01-01T00:00:00Z",
      handler: "tree",
      payload: list.ref,
    });
    const bytes = Buffer.from(JSON.stringify(manifest));
    released.push({
      update: { product: PRODUCT, version: manifest.version, manifestSha256: hashOf(bytes) },
      entries: tree.entries,
      manifest,
      bytes,
      delivery: isPlain ? undefined : await writeDelivery(tree, earlier, put),
    });
  }
  return released;
}

const hashOf = (bytes: Uint8Array): Sha256 =>
  Sha256.parse(createHash("sha256").update(bytes).digest("hex"));

function worldOn(
  folder: string,
  released: readonly Released[],
): DownloadWorld & { plan?: DownloadPlan } {
  const incoming = join(folder, "incoming");
  mkdirSync(incoming, { recursive: true });
  const transfers = {
    folder: incoming,
    sources: sourcesOf([url], () => performance.now()),
    throttle: throttle([], "foreground", () => new Date()),
    limits: {
      ...{ rounds: 3, idleTimeoutMs: 20_000, minBytesPerSecond: 1, speedWindowMs: 60_000 },
      ...{ backoffMs: 1, maxWaitMs: 10 },
    },
  };
  const index = ProductIndex.parse({
    schema: "upbeat.index/1",
    product: PRODUCT,
    channel: "stable",
    updates: released.map(({ update, bytes, delivery, manifest }) => ({
      version: update.version,
      manifestSha256: update.manifestSha256,
      manifestSizeBytes: bytes.length,
      publishedAt: manifest.publishedAt,
      delivery,
    })),
  });
  const never = () => Promise.reject(new Error("no metadata is asked for here"));
  const world: DownloadWorld & { plan?: DownloadPlan } = {
    journal: openJournal(join(folder, "state.db")),
    manifests: keptManifests(folder),
    installed: join(folder, "installed"),
    incoming,
    patches: join(folder, "patches"),
    verified: new Set(),
    known: () => undefined,
    downloader: {
      metadata: { fetch: never },
      target: never,
      rest: () => {},
      stop: () => {},
      async content(content, onProgress, skip = 0) {
        await fetchContent(transfers, { content, skip, onProgress });
        return join(incoming, nameOf(content));
      },
    },
    find: async (update): Promise<FoundUpdate> => {
      const found = released.find((one) => one.update.version === update.version);
      if (found === undefined) throw new RangeError(update.version);
      return { manifest: found.manifest, bytes: found.bytes, index };
    },
    now: Date.now,
    bytesPerSecond: () => undefined,
    planned: (plan) => {
      world.plan = plan;
    },
    warn: () => {},
    onPhase: () => {},
    onBytes: () => {},
  };
  return world;
}

/** What a fault may be called; each attempt gets through more of them. */
const SAID = /^UPB-(?:FETCH|DOWNLOAD|VERIFY|TRUST|DELIVERY)-/;

async function bring(world: DownloadWorld, update: UpdateId): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    world.verified.clear();
    try {
      await download(world, update);
      return;
    } catch (error) {
      if (!(error instanceof UpbeatError) || !SAID.test(error.code) || attempt > 30) throw error;
    }
  }
}

function damage(store: string, { object, vanish }: { object: number; vanish: boolean }): void {
  const all = readdirSync(store, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.\d+$/.test(name))
    .toSorted();
  const name = all[object % Math.max(1, all.length)];
  if (name === undefined) return;
  if (vanish) rmSync(join(store, name));
  else writeFileSync(join(store, name), "changed");
}

describe("the way from any version to any other", () => {
  it("leads there exactly, whatever gets lost or damaged on it", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(history, async (about) => {
        const folder = join(base, String(run++));
        objects.clear();
        faults = new Map();
        const released = await release(folder, about.versions, about);
        faults = new Map(about.faults);
        asked = 0;
        const world = worldOn(join(folder, "device"), released);
        const store = storeFolder(world.installed);
        try {
          for (const [step, wanted] of about.route.entries()) {
            const target = released[wanted % released.length];
            if (target === undefined) continue;
            for (const one of about.damage) if (one.before === step && step > 0) damage(store, one);
            await bring(world, target.update);
            expect(world.plan?.tookMs).toBeDefined();
            for (const file of target.entries.filter(isFile)) {
              const object = objectPath(store, file);
              expect(hashOf(readFileSync(object))).toBe(file.sha256);
              expect(statSync(object).mode & 0o777).toBe(file.mode);
            }
            expect(world.manifests.payload(target.manifest)).toEqual(target.entries);
          }
        } finally {
          world.journal.close();
          rmSync(folder, { recursive: true, force: true });
        }
      }),
      { numRuns: RUNS },
    );
  });
});
