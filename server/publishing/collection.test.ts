import { cpSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packDocument } from "../../content/packedDocument.ts";
import { contentTable } from "../../core/contentPlaces.ts";
import { Channel } from "../../protocol/ids.ts";
import { writePayload } from "../../protocol/payload.ts";
import { stableJson } from "../../protocol/trust/stableJson.ts";
import { type PublishingWorld, publishingWorld } from "../../tests/support/publishingWorld.ts";
import { contentPath } from "../contentUpload.ts";
import { openDatabase } from "../storage/database.ts";
import { GRACE_MS, planCollection } from "./collection.ts";

const HOUR_MS = 3_600_000;
const STABLE = Channel.parse("stable");
let world: PublishingWorld;
beforeEach(async () => {
  world = await publishingWorld();
  await world.publish(world.publisher.first());
});
afterEach(() => world.close());

/**
 * Publishes a version of these contents, plainly or with a delivery, and says which objects it needs:
 * made here from what was put there, not from what the server reads.
 */
async function publish(version: string, texts: readonly string[], packed: boolean) {
  const entries = texts.map((text, index) => ({
    ...world.putContent(text),
    path: `file-${index}`,
  }));
  const objects = new Set(entries.map((file) => file.sha256));
  const list = writePayload(entries);
  const payload = list.ref;
  const manifest = world.publisher.manifest({ version, payload });
  if (!packed) {
    objects.add(world.putObject(list.bytes));
    await world.publish(world.publisher.add(manifest));
    return objects;
  }
  const places = entries.map(({ sha256, sizeBytes }) => {
    const frame = { object: 0, start: 0, storedBytes: sizeBytes, rawBytes: sizeBytes };
    const object = { sha256, sizeBytes };
    return [
      sha256,
      { object, frame: { ...frame, codec: "none" as const }, start: 0, sizeBytes },
    ] as const;
  });
  const put = (document: Uint8Array) => {
    const { bytes, packed: about } = packDocument(document);
    objects.add(world.putObject(bytes));
    return about;
  };
  const sizes = new Map(entries.map((file) => [file.sha256, file.sizeBytes]));
  const whole = {
    sizeBytes: sizes.values().reduce((sum, sizeBytes) => sum + sizeBytes, 0),
    frames: sizes.size,
  };
  const delivery = put(
    stableJson({
      schema: "upbeat.delivery/1",
      payload: payload.sha256,
      list: put(list.bytes),
      contents: put(stableJson(contentTable(entries, new Map(places)))),
      whole,
      patches: [],
    }),
  );
  await world.publish(world.publisher.add(manifest, delivery));
  return objects;
}

const retire = (version: string) => world.publish(world.publisher.retire(STABLE, "kiosk", version));
const contentNames = (data?: string) =>
  Object.keys(world.shown(data))
    .filter((path) => path.startsWith("content/"))
    .map((path) => path.slice(-64))
    .sort();

describe("what nothing needs any more", () => {
  it("goes a week after a collection has found it, and what is shared with a live update stays", async () => {
    const old = await publish("1.0.0", ["shared", "only in one"], false);
    const live = await publish("2.0.0", ["shared", "only in two"], true);
    await retire("1.0.0");
    expect(await world.publishing.collect()).toEqual({ files: 0, sizeBytes: 0 });
    world.publisher.nowMs += GRACE_MS - HOUR_MS;
    await world.publishing.collect();
    expect(contentNames()).toEqual([...new Set([...old, ...live])].sort());
    world.publisher.nowMs += HOUR_MS;
    expect((await world.publishing.collect()).files).toBeGreaterThan(1);
    expect(contentNames()).toEqual([...live].sort());
    // Of the metadata too: what is shown, and what bundles start from.
    const snapshots = Object.keys(world.shown()).filter((path) => path.includes("snapshot"));
    expect(snapshots).toHaveLength(4);
    await world.publishing.renewIfDue();
    expect(await world.has("2.0.0")).toBe(true);
  });

  it("gets another week when a publisher asks for it", async () => {
    const sha256 = world.putObject(Buffer.from("uploaded, and not published yet"));
    await world.publishing.collect();
    world.publisher.nowMs += GRACE_MS;
    world.ask(sha256);
    await world.publishing.collect();
    world.publisher.nowMs += GRACE_MS - HOUR_MS;
    await world.publishing.collect();
    expect(contentNames()).toEqual([sha256]);
    world.publisher.nowMs += HOUR_MS;
    await world.publishing.collect();
    expect(contentNames()).toEqual([]);
  });

  it("stays, like everything, when a live update's list cannot be read", async () => {
    await publish("1.0.0", ["one"], true);
    const stray = world.putObject(Buffer.from("nobody's"));
    await world.publishing.collect();
    world.publisher.nowMs += GRACE_MS;
    const before = contentNames();
    for (const name of before.filter((one) => one !== stray)) world.spoil(contentPath(name));
    await expect(world.publishing.collect()).rejects.toMatchObject({ code: "UPB-TRUST-HASH" });
    expect(contentNames()).toEqual(before);
  });

  it("goes after a crash between any two steps, and nothing else does", async () => {
    const live = await publish("2.0.0", ["kept"], true);
    await publish("1.0.0", ["dropped", "and this"], true);
    await retire("1.0.0");
    await world.publishing.collect();
    world.publisher.nowMs += GRACE_MS;
    const crashes: string[] = [];
    world.onStep = () => {
      const at = join(world.folder, `crash-${crashes.length}`);
      cpSync(world.data, at, { recursive: true });
      crashes.push(at);
    };
    await world.publishing.collect();
    world.onStep = () => {};
    expect(crashes.length).toBeGreaterThan(3);
    for (const at of crashes) {
      const db = await openDatabase(join(at, "server.db"));
      const restarted = world.open(at, db);
      await restarted.renewIfDue();
      await restarted.collect();
      expect(await world.has("2.0.0", at)).toBe(true);
      expect(contentNames(at)).toEqual([...live].sort());
      await db.destroy();
    }
  });

  it("whatever was published, retired and collected, and when: no live update ever lacks anything", async () => {
    const text = fc.constantFrom("a", "bb", "ccc", "dddd");
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant("publish" as const),
          texts: fc.array(text, { minLength: 1, maxLength: 3 }),
          packed: fc.boolean(),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("retire" as const), which: fc.nat(9) }) },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant("collect" as const),
          afterHours: fc.integer({ min: 0, max: 9 * 24 }),
        }),
      },
    );
    let number = 0;
    const live = new Map<string, ReadonlySet<string>>();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 8 }), async (steps) => {
        for (const one of steps) {
          if (one.do === "publish") {
            const version = `1.${number++}.0`;
            live.set(version, await publish(version, one.texts, one.packed));
          } else if (one.do === "retire") {
            const version = [...live.keys()][one.which];
            if (version === undefined) continue;
            await retire(version);
            live.delete(version);
          } else {
            world.publisher.nowMs += one.afterHours * HOUR_MS;
            await world.publishing.renewIfDue();
            await world.publishing.collect();
          }
          const there = new Set(contentNames());
          for (const objects of live.values())
            for (const name of objects) expect(there).toContain(name);
        }
      }),
      { numRuns: 6, endOnFailure: true },
    );
    // And in the end nothing is left over.
    for (let turn = 0; turn < 2; turn++) {
      await world.publishing.collect();
      world.publisher.nowMs += GRACE_MS;
      await world.publishing.renewIfDue();
    }
    expect(contentNames()).toEqual(
      [...new Set([...live.values()].flatMap((it) => [...it]))].sort(),
    );
  });
});

describe("the plan of a collection", () => {
  it("never removes what is needed or asked for, nor anything before its grace is over", () => {
    const path: fc.Arbitrary<string> = fc.constantFrom("a", "b", "c", "d", "e", "f");
    const paths = fc.uniqueArray(path);
    const times = fc.dictionary(path, fc.integer({ min: 0, max: 3 * GRACE_MS }));
    fc.assert(
      fc.property(
        paths,
        paths,
        paths,
        times,
        fc.nat(3 * GRACE_MS),
        (present, needs, asks, began, nowMs) => {
          const about = {
            present,
            needed: new Set(needs),
            asked: new Set(asks),
            since: new Map(Object.entries(began)),
            nowMs,
          };
          const { remove, begin, forget } = planCollection(about);
          for (const one of remove) {
            expect(needs).not.toContain(one);
            expect(asks).not.toContain(one);
            expect(nowMs - (began[one] ?? nowMs)).toBeGreaterThanOrEqual(GRACE_MS);
            expect(begin).not.toContain(one);
          }
          // Everything unneeded is either waited for or goes; nothing is forgotten that is waited for.
          for (const one of present.filter((it) => !needs.includes(it)))
            expect(remove.includes(one) || begin.includes(one) || one in began).toBe(true);
          for (const one of forget)
            expect(present.includes(one) && !needs.includes(one)).toBe(false);
        },
      ),
    );
  });
});
