import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Updater } from "tuf-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSigner } from "../../server/signer/signer.ts";
import { serveFiles } from "../../tests/support/fileServer.ts";
import { memoryStore } from "../../tests/support/memoryStore.ts";
import { signedFiles } from "../../tests/support/signedFiles.ts";
import { type TestPublisher, testPublisher } from "../../tests/support/testPublisher.ts";
import type { RepositoryUpdate } from "../adminApi.ts";
import { Channel, type Version } from "../ids.ts";
import { allBins, binOf } from "./bins.ts";
import { refresh } from "./client.ts";
import { parseTargets } from "./schema.ts";
import { newSigningKey, type SigningKey } from "./sign.ts";
import { addUpdate, addUpdates, renewRoles, rotateChannels, rotateRoot } from "./writer.ts";

const STABLE = Channel.parse("stable");
let folder: string;
let publisher: TestPublisher;
let shown: ReturnType<typeof signedFiles>;
let online: { snapshot: string; timestamp: string };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-writer-"));
  const signer = openSigner(join(folder, "signer"), Date.now);
  online = signer.keys;
  publisher = testPublisher(online, Date.now());
  shown = signedFiles(signer);
  take(publisher.first());
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const take = (update: RepositoryUpdate) => {
  shown.take(update);
  publisher.taken(update);
};
const firstRoot = () => shown.files.get("metadata/1.root.json") ?? new Uint8Array();
const device = () =>
  refresh({
    trustedRoot: firstRoot(),
    store: memoryStore(),
    source: { fetch: async (name) => shown.files.get(`metadata/${name}`) },
    now: () => publisher.nowMs,
  });
const many = (count: number, product = "kiosk") =>
  Array.from({ length: count }, (_, at) => publisher.manifest({ product, version: `1.0.${at}` }));
const addMany = (count: number, product?: string) =>
  addUpdates({
    current: publisher.current,
    channelKeys: publisher.keys.stable,
    nowMs: publisher.nowMs,
    channel: STABLE,
    indexes: [],
    manifests: many(count, product),
  });
const rule = (keys: readonly SigningKey[], threshold: number) => ({
  keys: keys.map((key) => key.publicHex),
  threshold,
});
const topRules = () => ({
  root: rule(publisher.keys.root, 2),
  targets: rule(publisher.keys.targets, 1),
  snapshot: { keys: [online.snapshot], threshold: 1 },
  timestamp: { keys: [online.timestamp], threshold: 1 },
});

describe("an added update", () => {
  it("is found by this client and by tuf-js, with its index", async () => {
    take(publisher.add(publisher.manifest({ version: "1.0.0" })));
    const server = await serveFiles(shown.files);
    try {
      const cache = join(folder, "tuf-js");
      mkdirSync(cache);
      writeFileSync(join(cache, "root.json"), firstRoot());
      const other = new Updater({
        metadataDir: cache,
        metadataBaseUrl: `${server.url.href}metadata`,
        targetDir: cache,
        targetBaseUrl: `${server.url.href}targets`,
      });
      await other.refresh();
      const ours = await device();
      for (const path of ["stable/kiosk/1.0.0.json", "stable/kiosk/index"]) {
        const found = await ours.findTarget(path);
        expect(found?.role).toBe("stable");
        expect((await other.getTargetInfo(path))?.hashes["sha256"]).toBe(found?.sha256);
      }
    } finally {
      await server.close();
    }
  });

  it("that is there already changes nothing, and another under its version is refused", () => {
    const manifest = publisher.manifest({ version: "1.0.0" });
    take(publisher.add(manifest));
    expect(publisher.add(manifest)).toEqual({ roles: {}, targets: [] });
    expect(() => publisher.add({ ...manifest, title: "Other" })).toThrowError(
      expect.objectContaining({ code: "UPB-PUBLISH-EXISTS" }),
    );
  });

  it("is refused without a threshold of the channel's keys", () => {
    const manifest = publisher.manifest({});
    for (const channelKeys of [[], publisher.keys.beta])
      expect(() =>
        addUpdate({
          current: publisher.current,
          index: undefined,
          manifest,
          channelKeys,
          nowMs: publisher.nowMs,
        }),
      ).toThrowError(expect.objectContaining({ code: "UPB-PUBLISH-UNWRITABLE" }));
  });

  it("is gone when it was retired, and its version leaves the index", async () => {
    for (const version of ["1.0.0", "1.1.0"]) take(publisher.add(publisher.manifest({ version })));
    const update = publisher.retire(STABLE, "kiosk", "1.0.0");
    take(update);
    const trusted = await device();
    expect(await trusted.findTarget("stable/kiosk/1.0.0.json")).toBeUndefined();
    expect(await trusted.findTarget("stable/kiosk/1.1.0.json")).toBeDefined();
    const index = JSON.parse(Buffer.from(update.targets[0]?.bytes ?? "", "base64").toString());
    expect(index.updates.map((one: { version: string }) => one.version)).toEqual(["1.1.0"]);
  });
});

describe("a channel with more than 1,000 updates", () => {
  it("is split into 256 bins, in which every update is found", async () => {
    take(addMany(1_000));
    expect(publisher.roles.has("stable-00")).toBe(false);
    take(addMany(1, "other"));
    expect(allBins("stable").filter((bin) => publisher.roles.has(bin))).toHaveLength(256);
    const trusted = await device();
    for (const path of [
      "stable/kiosk/1.0.0.json",
      "stable/kiosk/1.0.999.json",
      "stable/other/index",
    ])
      expect((await trusted.findTarget(path))?.role).toBe(binOf("stable", path));
  });

  it("signs only the bins that change again, and renews all of them", async () => {
    take(addMany(1_001));
    const update = publisher.add(publisher.manifest({ product: "late", version: "9.0.0" }));
    const touched = ["stable/late/9.0.0.json", "stable/late/index"].map((path) =>
      binOf("stable", path),
    );
    expect(new Set(Object.keys(update.roles))).toEqual(new Set(touched));
    take(update);
    const roles = new Map(["stable", ...allBins("stable")].map((r) => [r, publisher.keys.stable]));
    take(renewRoles({ current: publisher.current, roles, nowMs: publisher.nowMs }));
    expect((await (await device()).findTarget("stable/late/index"))?.role).toBe(touched[1]);
  });

  it("keeps the channel's own threshold in its bins", () => {
    const keys = [newSigningKey().key, newSigningKey().key];
    const { current, nowMs, keys: own } = publisher;
    const channels = { stable: rule(keys, 2), beta: rule(own.beta, 1) };
    const resign = new Map([["stable", keys]]);
    take(rotateChannels({ current, channels, targetsKeys: own.targets, resign, nowMs }));
    take(
      addUpdates({
        current,
        channelKeys: keys,
        nowMs,
        channel: STABLE,
        indexes: [],
        manifests: many(1_001),
      }),
    );
    const parent = parseTargets(publisher.roles.get("stable") ?? new Uint8Array(), "stable");
    expect(parent.signed.delegations?.succinct?.threshold).toBe(2);
  });

  it("takes 20,000 versions of one product in one go", () => {
    const update = addMany(20_000);
    expect(update.updateIds).toHaveLength(20_000);
    expect(Object.keys(update.roles)).toHaveLength(257);
  });
});

describe("a rotation", () => {
  it("of root keys is followed by a device that knows only the first root", async () => {
    const { root } = publisher.keys;
    const fresh = newSigningKey().key;
    const next = [...root.slice(1), fresh];
    take(
      rotateRoot({
        current: publisher.current,
        roles: { ...topRules(), root: rule(next, 2) },
        signWith: [...root, fresh],
        nowMs: publisher.nowMs,
      }),
    );
    expect((await device()).versions.root).toBe(2);
  });

  it("of a channel's key ends what the old key can sign", async () => {
    take(addMany(1_001));
    const fresh = newSigningKey().key;
    const { current, nowMs, keys } = publisher;
    const channels = { stable: rule([fresh], 1), beta: rule(keys.beta, 1) };
    const resign = new Map([["stable", [fresh]]]);
    take(rotateChannels({ current, channels, targetsKeys: keys.targets, resign, nowMs }));
    expect(await (await device()).findTarget("stable/kiosk/1.0.7.json")).toBeDefined();
    expect(() => addMany(1, "late")).toThrowError(
      expect.objectContaining({ code: "UPB-PUBLISH-UNWRITABLE" }),
    );
  });

  it.each([
    ["twice the same key", (key: SigningKey) => [key, key], 1],
    ["a threshold above its keys", (key: SigningKey) => [key], 2],
    ["a threshold of none", (key: SigningKey) => [key], 0],
  ])("to %s is refused", (_what, keysOf, threshold) => {
    const roles = { ...topRules(), targets: rule(keysOf(newSigningKey().key), threshold) };
    const { current, nowMs, keys } = publisher;
    expect(() => rotateRoot({ current, roles, signWith: keys.root, nowMs })).toThrowError(
      expect.objectContaining({ code: "UPB-PUBLISH-UNWRITABLE" }),
    );
  });
});

describe("what other readers would see differently", () => {
  it.each(["constructor", "snapshot"])("as a channel named %s is refused", (name) => {
    const { current, nowMs, keys } = publisher;
    const channels = { [name]: rule(keys.stable, 1) };
    expect(() =>
      rotateChannels({ current, channels, targetsKeys: keys.targets, resign: new Map(), nowMs }),
    ).toThrowError(expect.objectContaining({ code: "UPB-PUBLISH-UNWRITABLE" }));
  });

  it("as a path is refused", () => {
    const manifest = publisher.manifest({});
    // Parsing would refuse it before the writer sees it.
    const version = "1.0.0 " as Version;
    expect(() => publisher.add({ ...manifest, version })).toThrowError(
      expect.objectContaining({ code: "UPB-PUBLISH-UNWRITABLE" }),
    );
  });
});
