/**
 * `upbeat publish` against the real server: what lies there afterwards, what a second time costs, and
 * what is left of a publish that was cut off.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { holdFile } from "../content/heldFile.ts";
import { parseDocument, unpackDocument } from "../content/packedDocument.ts";
import { contentPlaces } from "../core/contentPlaces.ts";
import { usedFrames } from "../core/deliveryCost.ts";
import { UpdateStorage } from "../protocol/adminApi.ts";
import { ContentTable, Delivery, type StoredObject } from "../protocol/delivery.ts";
import { ProductIndex, readManifest } from "../protocol/manifest.ts";
import { readPayload } from "../protocol/payload.ts";
import { type Administrator, administrator } from "./support/administrator.ts";
import { seededRandom } from "./support/random.ts";
import { reportInstalled } from "./support/reportingDevice.ts";

let admin: Administrator;
beforeAll(async () => {
  admin = await administrator();
}, 60_000);
afterAll(() => admin.close());

const Published = z.object({
  outcome: z.enum(["published", "improved", "already-there"]),
  cost: z.object({
    cpuMs: z.number().positive(),
    peakMemoryBytes: z.number().positive(),
    growth: z.record(
      z.enum(["contents", "patches", "lists"]),
      z.object({ objects: z.int(), sizeBytes: z.int() }),
    ),
    patches: z.array(
      z.object({
        from: z.string(),
        sizeBytes: z.int(),
        isWorth: z.boolean(),
        cpuMs: z.number(),
      }),
    ),
  }),
});

const NONE = { objects: 0, sizeBytes: 0 };

/** Compresses to about half; the same for the same seed. */
function someText(seed: number, length: number): string {
  const random = seededRandom(seed);
  return Array.from({ length: length / 2 }, () => random.below(256).toString(16)).join("");
}

/** Many small files, one large one, an empty one, the same content twice. */
function build(version: number): string {
  const folder = join(admin.folder, `build-${version}`);
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (let i = 0; i < 30; i++) put(`lib/module-${i}.js`, someText(i, 2_000 + i));
  put("lib/changing.js", `${someText(500, 40_000)} in version ${version}`);
  put(`lib/added-in-${version}.js`, someText(600 + version, 3_000));
  put("bin/program", `${someText(700, 1_000_000)}${version}${someText(701, 200_000)}`);
  put("empty", "");
  put("copy/module-1.js", someText(1, 2_001));
  return folder;
}

const publish = async (folder: string, version: string) => {
  const args = ["publish", folder, "--product", "kiosk", "--version", version];
  const { exitCode, answer } = await admin.attempt(...args);
  return { exitCode, ...Published.parse(answer) };
};

const MAIN = join(import.meta.dirname, "../cli/main.ts");
/** What the work folder remembers of an object or a patch. */
const Note = z.object({ cpuMs: z.number().optional() });
const repo = () => join(admin.folder, "data/repo");
const objectFile = ({ sha256 }: Pick<StoredObject, "sha256">) =>
  join(repo(), "content", sha256.slice(0, 2), sha256);

/** As a device would read it, from the server's files. */
function stored(version: string) {
  const folder = join(repo(), "targets/stable/kiosk");
  const indexes = readdirSync(folder).filter((name) => name.endsWith(".index"));
  const all = indexes.map((name) =>
    ProductIndex.parse(JSON.parse(readFileSync(join(folder, name), "utf8"))),
  );
  // The one that lists the most, and of two that list the same the one with more patches.
  const entries = all.flatMap((index) => index.updates.filter((one) => one.version === version));
  const deliveries = entries.flatMap((entry) => {
    if (entry.delivery === undefined) throw new Error(`${version} has no delivery`);
    const raw = unpackDocument(readFileSync(objectFile(entry.delivery)), entry.delivery, "it");
    return [{ entry, delivery: parseDocument(raw, Delivery, "it") }];
  });
  const { entry, delivery } = deliveries.toSorted(
    (a, b) => b.delivery.patches.length - a.delivery.patches.length,
  )[0] as (typeof deliveries)[number];
  const manifest = readManifest(
    readFileSync(join(folder, `${entry.manifestSha256}.${version}.json`)),
    version,
  );
  if (manifest.payload === undefined) throw new Error("no payload");
  const unpacked = (packed: Delivery["list"]) =>
    unpackDocument(readFileSync(objectFile(packed)), packed, "it");
  const payload = readPayload(unpacked(delivery.list), manifest.payload, version);
  const table = parseDocument(unpacked(delivery.contents), ContentTable, "it");
  return { delivery, payload, table, frames: usedFrames(contentPlaces(payload, table)) };
}

describe("upbeat publish", () => {
  it("puts a tree on the server as few compressed objects", async () => {
    const { exitCode, outcome, cost } = await publish(build(1), "1.0.0");
    expect({ exitCode, outcome }).toEqual({ exitCode: 0, outcome: "published" });
    expect(cost.patches).toEqual([]);
    const { table, delivery, frames, payload } = stored("1.0.0");
    expect(payload.filter((entry) => entry.type === "file")).toHaveLength(35);
    // One pack and the large file.
    expect(table.objects).toHaveLength(2);
    expect(delivery.whole.frames).toBe(frames.length);
    for (const object of table.objects) {
      const bytes = readFileSync(objectFile(object));
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(object.sha256);
      expect(bytes.length).toBe(object.sizeBytes);
    }
  });

  it("stores of the next version what is new, and a patch from the one before", async () => {
    const { cost } = await publish(build(2), "2.0.0");
    expect(cost.patches).toMatchObject([{ from: "1.0.0", isWorth: true }]);
    expect(cost.patches[0]?.sizeBytes).toBeLessThan(5_000);
    const [before, now] = [stored("1.0.0"), stored("2.0.0")];
    const known = new Set(before.table.objects.map(({ sha256 }) => sha256));
    expect(now.table.objects.some(({ sha256 }) => known.has(sha256))).toBe(true);
    expect(now.delivery.patches).toMatchObject([{ from: before.delivery.payload }]);
    expect(existsSync(objectFile(now.delivery.patches[0] as StoredObject))).toBe(true);
  });

  it("says what lies there for an update", async () => {
    const answer = await admin.upbeat("updates", "show", "kiosk@2.0.0");
    const { storage } = z.object({ storage: z.array(UpdateStorage) }).parse(answer);
    const { delivery, table } = stored("2.0.0");
    expect(storage).toMatchObject([
      {
        channel: "stable",
        files: { objects: 1 },
        lists: { objects: 3 },
        wholeBytes: delivery.whole.sizeBytes,
        patches: [{ from: "1.0.0", sizeBytes: delivery.patches[0]?.sizeBytes }],
      },
    ]);
    const [one] = storage;
    expect(one?.packs.objects).toBe(table.objects.length - 1);
    expect(one?.shared.objects).toBeGreaterThan(0);
  });

  it("of the same content again uploads nothing and changes nothing", async () => {
    const before = readdirSync(repo(), { recursive: true }).length;
    const { exitCode, outcome, cost } = await publish(build(2), "2.0.0");
    expect({ exitCode, outcome }).toEqual({ exitCode: 2, outcome: "already-there" });
    expect(cost.growth).toEqual({ contents: NONE, patches: NONE, lists: NONE });
    expect(readdirSync(repo(), { recursive: true })).toHaveLength(before);
  });

  it("of a content that another version has stores a list alone", async () => {
    const { outcome, cost } = await publish(build(2), "2.0.1");
    expect(outcome).toBe("published");
    expect(cost.growth).toMatchObject({ contents: NONE, patches: NONE });
  });

  it("is refused while another of the product is under way", async () => {
    const held = holdFile(join(admin.folder, "cache/upbeat/publish-kiosk.lock"));
    const again = ["publish", build(2), "--product", "kiosk", "--version", "2.0.0"];
    const { answer } = await admin.attempt(...again);
    expect(answer).toMatchObject({ error: { code: "UPB-PUBLISH-BUSY" } });
    held?.release();
    expect((await publish(build(2), "2.0.0")).outcome).toBe("already-there");
  });

  it("that is killed shows nothing, and goes on where it was", async () => {
    const folder = build(3);
    const shown = readFileSync(join(repo(), "metadata/timestamp.json"), "utf8");
    const work = join(admin.folder, "cache/upbeat/publish/kiosk");
    const child = spawn(
      process.execPath,
      [MAIN, "publish", folder, "--product", "kiosk", "--version", "3.0.0"],
      { env: { ...process.env, ...admin.env() }, stdio: "ignore" },
    );
    const ended = once(child, "exit");
    // The CPU times of the patches that are made: a second making would take another.
    const patchesMade = (): number[] =>
      (existsSync(work) ? readdirSync(work) : [])
        .filter((name) => name.endsWith(".json"))
        .map((name) => Note.parse(JSON.parse(readFileSync(join(work, name), "utf8"))))
        .flatMap(({ cpuMs }) => cpuMs ?? []);
    const end = Date.now() + 60_000;
    while (patchesMade().length === 0 && child.exitCode === null) {
      if (Date.now() > end) throw new Error("it makes no patch");
      await sleep(5);
    }
    child.kill("SIGKILL");
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(readFileSync(join(repo(), "metadata/timestamp.json"), "utf8")).toBe(shown);

    const before = patchesMade();
    const { outcome, cost } = await publish(folder, "3.0.0");
    expect(outcome).toBe("published");
    expect(cost.patches.map(({ cpuMs }) => cpuMs)).toEqual(expect.arrayContaining(before));
    expect(cost.patches.map(({ from }) => from)).toEqual(["2.0.1", "1.0.0"]);
    expect(existsSync(work)).toBe(false);
  });

  it("of the same content again adds a patch from the version that machines report by now", async () => {
    const folder = build(4);
    const first = await publish(folder, "4.0.0");
    expect(first.cost.patches.map(({ from }) => from)).toEqual(["3.0.0", "2.0.1"]);
    expect((await publish(folder, "4.0.0")).outcome).toBe("already-there");
    await reportInstalled(admin.server, admin.token, [
      { product: "kiosk", channel: "stable", current: "1.0.0" },
    ]);
    const { outcome, cost } = await publish(folder, "4.0.0");
    expect(outcome).toBe("improved");
    expect(cost.patches).toMatchObject([{ from: "1.0.0" }]);
    expect(cost.growth.contents).toEqual(NONE);
    expect(stored("4.0.0").delivery.patches).toHaveLength(3);
    expect((await publish(folder, "4.0.0")).outcome).toBe("already-there");
  });
});
