import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledSource, firstFromBundle } from "../../content/bundle/bundledSource.ts";
import { GROUP_MAX_BYTES, writeContainer } from "../../content/bundle/container.ts";
import { targetFileName } from "../../content/metadataSource.ts";
import { readIndex, readUpdate } from "../../content/releases.ts";
import { Channel, Product, Version } from "../../protocol/ids.ts";
import { refresh } from "../../protocol/trust/client.ts";
import { memoryStore } from "../support/memoryStore.ts";
import { type PublishingWorld, publishingWorld } from "../support/publishingWorld.ts";

const STABLE = Channel.parse("stable");
const KIOSK = Product.parse("kiosk");

/** A machine over the files that a server shows; it knows what it has read, and asks for the rest. */
function machine(world: PublishingWorld, trustedRoot: Uint8Array) {
  const store = memoryStore();
  const indexes = new Map<string, Uint8Array>();
  const asked: string[] = [];
  const read = (path: string): Uint8Array | undefined => {
    asked.push(path);
    try {
      return readFileSync(join(world.data, "repo", path));
    } catch {
      return undefined;
    }
  };
  return {
    asked,
    async look(version: string) {
      asked.length = 0;
      const source = bundledSource({
        trustedRoot,
        store,
        metadata: { fetch: async (name) => read(`metadata/${name}`) },
        target: async (path, sha256) =>
          read(`targets/${targetFileName(path, sha256)}`) ?? new Uint8Array(),
        kept: (path) => indexes.get(path),
      });
      return firstFromBundle(source, async ({ metadata, target }) => {
        const trusted = await refresh({
          ...{ trustedRoot, store, source: metadata },
          now: () => world.publisher.nowMs,
        });
        const remembered: typeof target = async (path, sha256, maxBytes) => {
          const bytes = await target(path, sha256, maxBytes);
          if (path.endsWith("/index")) indexes.set(path, bytes);
          return bytes;
        };
        const index = await readIndex(trusted, remembered, STABLE, KIOSK);
        const update = await readUpdate(trusted, target, STABLE, KIOSK, Version.parse(version));
        const { snapshot } = trusted.versions;
        return { snapshot, versions: index?.updates.map((it) => it.version), update };
      });
    },
  };
}

/** Bundles are not signed: whoever serves one may put anything into it. */
describe("a bundle", () => {
  let world: PublishingWorld;
  let root: Uint8Array;
  const bundlePath = (since: number) => join(world.data, `repo/metadata/after-${since}.bundle`);
  const bundle = (since: number) => readFileSync(bundlePath(since));

  beforeAll(async () => {
    world = await publishingWorld();
    await world.publish(world.publisher.first());
    root = readFileSync(join(world.data, "repo/metadata/1.root.json"));
    for (const version of ["1.0.0", "2.0.0", "3.0.0"])
      await world.publish(world.addVersion(version));
  });
  afterAll(() => world.close());

  /** Knows the set in which 3.0.0 was the newest. */
  const informed = async () => {
    const known = machine(world, root);
    await known.look("3.0.0");
    return known;
  };

  it("brings a machine all that is new in one request, whether it knew something or nothing", async () => {
    const empty = await informed();
    expect(empty.asked).toEqual(["metadata/after-0.bundle"]);
    await world.publish(world.addVersion("4.0.0"));
    const { versions, update } = await empty.look("4.0.0");
    expect(empty.asked).toEqual(["metadata/after-4.bundle"]);
    expect([versions?.at(-1), update?.manifest.version]).toEqual(["4.0.0", "4.0.0"]);
  });

  it("of an older moment is passed over by a machine that knows a newer one", async () => {
    const known = await informed();
    const old = bundle(0);
    await world.publish(world.addVersion("5.0.0"));
    const { snapshot } = await known.look("5.0.0");
    const fresh = bundle(0);
    rmSync(bundlePath(snapshot));
    writeFileSync(bundlePath(0), old);
    const found = await known.look("5.0.0");
    expect([found.snapshot, found.versions?.at(-1)]).toEqual([snapshot, "5.0.0"]);
    expect(known.asked).toContain("metadata/timestamp.json");
    writeFileSync(bundlePath(0), fresh);
  });

  it("with any byte changed, or cut off, changes nothing about what is believed", async () => {
    const before = machine(world, root);
    const { snapshot } = await before.look("5.0.0");
    const genuine = bundle(0);
    const damaged = fc.oneof(
      fc
        .tuple(fc.nat(genuine.length - 1), fc.integer({ min: 1, max: 255 }))
        .map(([at, by]) => genuine.map((byte, index) => (index === at ? byte ^ by : byte))),
      fc.nat(genuine.length - 1).map((length) => genuine.subarray(0, length)),
      fc.uint8Array({ maxLength: 64 }),
    );
    await fc.assert(
      fc.asyncProperty(damaged, async (bytes) => {
        writeFileSync(bundlePath(0), bytes);
        const found = await machine(world, root).look("5.0.0");
        expect(found.snapshot).toBe(snapshot);
        expect(found.versions?.at(-1)).toBe("5.0.0");
        expect(found.update?.manifest.version).toBe("5.0.0");
      }),
      { numRuns: 60 },
    );
    writeFileSync(bundlePath(0), genuine);
  });

  it("is not unpacked beyond what it says, and that is bounded", async () => {
    const bomb = zlib.brotliCompressSync(Buffer.alloc(64 * GROUP_MAX_BYTES, "a"), {
      params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 },
    });
    const names = ["", "stable", "stable/kiosk"];
    const groups = names.map((name) => ({ name, rawBytes: GROUP_MAX_BYTES, stored: bomb }));
    writeFileSync(bundlePath(0), writeContainer({ rootVersion: 1, groups }));
    const before = process.memoryUsage().rss;
    const found = await machine(world, root).look("5.0.0");
    expect(found.update?.manifest.version).toBe("5.0.0");
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * GROUP_MAX_BYTES);
  });

  it("is made for the last eight snapshots, and goes with them", async () => {
    for (let minor = 1; minor <= 5; minor++) await world.publish(world.addVersion(`5.${minor}.0`));
    const names = readdirSync(join(world.data, "repo/metadata"));
    const since = names.flatMap((name) => /^after-(\d+)\.bundle$/.exec(name)?.[1] ?? []);
    const last = Array.from({ length: 8 }, (_, index) => index + 4);
    expect(since.map(Number).sort((a, b) => a - b)).toEqual([0, ...last]);
  });
});
