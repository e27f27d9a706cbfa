import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Channel } from "../../protocol/ids.ts";
import { newSigningKey } from "../../protocol/trust/sign.ts";
import { addUpdates, rotateChannels } from "../../protocol/trust/writer.ts";
import { type PublishingWorld, publishingWorld } from "../../tests/support/publishingWorld.ts";
import { repositoryFiles } from "../repositoryFiles.ts";
import { listUpdates } from "../storage/updates.ts";
import { relistUpdates } from "./relist.ts";

const HOUR_MS = 3_600_000;
const STABLE = Channel.parse("stable");
let world: PublishingWorld;

beforeEach(async () => {
  world = await publishingWorld();
});
afterEach(() => world.close());

describe("publishing", () => {
  it("shows what a new device verifies, and lists it", async () => {
    const payload = world.putPayload([world.putContent("hello")]);
    await world.publish(world.publisher.first());
    const state = await world.publish(world.publisher.add(world.publisher.manifest({ payload })));
    expect(state.versions).toMatchObject({ root: 1, targets: 1, stable: 2, beta: 1, timestamp: 2 });
    expect(state.expires).toMatchObject({ timestamp: "2026-06-02T12:00:00.000Z" });
    expect(await world.has("1.0.0")).toBe(true);
    expect(await listUpdates(world.db)).toMatchObject([
      { product: "kiosk", version: "1.0.0", files: 1, sizeBytes: 5, retired: false },
    ]);
  });

  it("of nothing new changes nothing", async () => {
    await world.publish(world.publisher.first());
    const before = world.shown();
    await world.publish({ roles: {}, targets: [] });
    expect(world.shown()).toEqual(before);
  });

  it("follows a channel into its hash bins, renewal and rotation included", async () => {
    await world.publish(world.publisher.first());
    const manifests = Array.from({ length: 1_001 }, (_, at) =>
      world.publisher.manifest({ version: `1.0.${at}` }),
    );
    const { current, nowMs, keys } = world.publisher;
    const channelKeys = keys.stable;
    const many = { current, channelKeys, nowMs, channel: STABLE, indexes: [], manifests };
    const { updateIds: _, ...update } = addUpdates(many);
    await world.publish(update);
    await world.publish(world.publisher.add(world.publisher.manifest({ version: "2.0.0" })));
    expect(await world.has("1.0.77")).toBe(true);
    expect(await world.has("2.0.0")).toBe(true);
    const fresh = newSigningKey().key;
    const rule = (key: { publicHex: string } | undefined) => ({
      keys: [key?.publicHex ?? ""],
      threshold: 1,
    });
    const rotation = rotateChannels({
      current,
      channels: { stable: rule(fresh), beta: rule(keys.beta[0]) },
      targetsKeys: keys.targets,
      resign: new Map([["stable", [fresh]]]),
      nowMs,
    });
    const { "stable-07": _bin, ...without } = rotation.roles;
    await world.expectRefusal({ ...rotation, roles: without }, "UPB-TRUST-SIGNATURES");
    await world.publish(rotation);
    expect(await world.has("1.0.77")).toBe(true);
    expect(await listUpdates(world.db)).toHaveLength(1_002);
  });

  it("of a retired update takes it out of the metadata and marks it in the list", async () => {
    await world.publish(world.publisher.first());
    await world.publish(world.addVersion("1.0.0"));
    await world.publish(world.publisher.retire(STABLE, "kiosk", "1.0.0"));
    expect(await world.has("1.0.0")).toBe(false);
    expect(await listUpdates(world.db)).toMatchObject([{ version: "1.0.0", retired: true }]);
  });

  it("lists again what a lost database has forgotten", async () => {
    await world.publish(world.publisher.first());
    await world.publish(world.addVersion("1.0.0"));
    await world.db.deleteFrom("published_update").execute();
    const files = repositoryFiles(world.data);
    const current = world.publishing.current();
    if (current === undefined) throw new Error("nothing is published");
    expect(await relistUpdates(world.db, files, current)).toBe(1);
    expect(await relistUpdates(world.db, files, current)).toBe(0);
    expect(await listUpdates(world.db)).toMatchObject([{ version: "1.0.0", retired: false }]);
  });
});

describe("renewal", () => {
  it("signs the timestamp again when it is an hour old, for as long as the server runs", async () => {
    await world.publish(world.publisher.first());
    expect(await world.publishing.renewIfDue()).toBe(false);
    for (let hours = 0; hours < 100; hours++) {
      world.publisher.nowMs += HOUR_MS + 1_000;
      expect(await world.publishing.renewIfDue()).toBe(true);
    }
    const { versions, expires } = await world.device();
    expect(versions).toMatchObject({ timestamp: 101, snapshot: 2 });
    expect(expires.timestamp - world.publisher.nowMs).toBeGreaterThan(23 * HOUR_MS);
  });

  it("leaves everything as it is while the signer is away", async () => {
    await world.publish(world.publisher.first());
    world.publisher.nowMs += 2 * HOUR_MS;
    world.isSignerAway = true;
    const before = world.shown();
    await expect(world.publishing.renewIfDue()).rejects.toMatchObject({
      code: "UPB-SERVER-SIGNER-AWAY",
    });
    expect(world.shown()).toEqual(before);
  });
});
