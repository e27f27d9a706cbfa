import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Channel, Sha256 } from "../../protocol/ids.ts";
import { newSigningKey, signMetadata } from "../../protocol/trust/sign.ts";
import { addUpdates, rotateRoot } from "../../protocol/trust/writer.ts";
import { type PublishingWorld, publishingWorld } from "../../tests/support/publishingWorld.ts";
import { testPublisher } from "../../tests/support/testPublisher.ts";
import { openSigner } from "../signer/signer.ts";

const STABLE = Channel.parse("stable");
let world: PublishingWorld;

beforeEach(async () => {
  world = await publishingWorld();
});
afterEach(() => world.close());

describe("the publish gate refuses, and shows nothing of", () => {
  beforeEach(async () => {
    await world.publish(world.publisher.first());
  });

  const resigned = (role: string, change: (signed: Record<string, unknown>) => void, by = role) => {
    const update = world.addVersion("1.0.0");
    const signed = JSON.parse(Buffer.from(update.roles[role] ?? "", "base64").toString()).signed;
    change(signed);
    const keys = world.publisher.keys[by as "stable"];
    const bytes = Buffer.from(signMetadata(signed, keys)).toString("base64");
    return { ...update, roles: { ...update.roles, [role]: bytes } };
  };

  it("anything before the first root", async () => {
    const empty = join(world.folder, "empty");
    mkdirSync(empty);
    const other = world.open(empty, world.db);
    await expect(other.publish(world.addVersion("1.0.0"))).rejects.toMatchObject({
      code: "UPB-SERVER-NO-REPOSITORY",
    });
  });

  it("a second first repository", async () => {
    await world.expectRefusal(world.publisher.first(), "UPB-PUBLISH-STALE");
  });

  it("a first root that trusts other online keys than this server's", async () => {
    const empty = join(world.folder, "empty");
    mkdirSync(empty);
    const other = testPublisher(
      { snapshot: newSigningKey().key.publicHex, timestamp: newSigningKey().key.publicHex },
      world.publisher.nowMs,
    );
    await expect(world.open(empty, world.db).publish(other.first())).rejects.toMatchObject({
      code: "UPB-PUBLISH-INCONSISTENT",
    });
  });

  it("a role signed by the wrong key", async () => {
    await world.expectRefusal(
      resigned("stable", () => {}, "beta"),
      "UPB-TRUST-SIGNATURES",
    );
  });

  it.each([
    ["skipped", 3],
    ["repeated", 1],
  ])("a version that is %s", async (_what, version) => {
    const update = resigned("stable", (signed) => {
      signed["version"] = version;
    });
    await world.expectRefusal(update, "UPB-PUBLISH-STALE");
  });

  it("a role that has expired", async () => {
    const update = resigned("stable", (signed) => {
      signed["expires"] = "2026-06-01T11:59:59Z";
    });
    await world.expectRefusal(update, "UPB-TRUST-EXPIRED");
  });

  it("a role that nothing delegates to", async () => {
    const update = world.addVersion("1.0.0");
    const roles = { ...update.roles, other: update.roles["stable"] ?? "" };
    await world.expectRefusal({ ...update, roles }, "UPB-TRUST-ROLE");
  });

  it("a target outside of the role's channel", async () => {
    const update = resigned("stable", (signed) => {
      const targets = signed["targets"] as Record<string, unknown>;
      targets["beta/kiosk/1.0.0.json"] = targets["stable/kiosk/1.0.0.json"];
    });
    await world.expectRefusal(update, "UPB-PUBLISH-INCONSISTENT");
  });

  it("a manifest that did not come", async () => {
    const update = world.addVersion("1.0.0");
    await world.expectRefusal(
      { ...update, targets: update.targets.slice(1) },
      "UPB-PUBLISH-INCOMPLETE",
    );
  });

  it("a manifest with another byte", async () => {
    const update = world.addVersion("1.0.0");
    const targets = update.targets.map(({ path, bytes }) => {
      const changed = Buffer.from(bytes, "base64");
      changed[10] = (changed[10] ?? 0) ^ 1;
      return { path, bytes: changed.toString("base64") };
    });
    await world.expectRefusal({ ...update, targets }, "UPB-TRUST-HASH");
  });

  it("bytes that no role names", async () => {
    const update = world.addVersion("1.0.0");
    const more = { path: "stable/kiosk/9.json", bytes: "" };
    await world.expectRefusal(
      { ...update, targets: [...update.targets, more] },
      "UPB-PUBLISH-INCONSISTENT",
    );
  });

  it("content that was not uploaded, or not whole", async () => {
    const missing = { ...world.putContent("there"), sha256: Sha256.parse("0".repeat(64)) };
    await world.expectRefusal(
      world.publisher.add(world.publisher.manifest({ payload: world.putPayload([missing]) })),
      "UPB-PUBLISH-INCOMPLETE",
    );
    const longer = { ...world.putContent("there"), sizeBytes: 6 };
    await world.expectRefusal(
      world.publisher.add(world.publisher.manifest({ payload: world.putPayload([longer]) })),
      "UPB-PUBLISH-INCOMPLETE",
    );
  });

  it("a tree that no device would install", async () => {
    const payload = world.putPayload([{ type: "link", path: "out", target: "../../etc" }]);
    await world.expectRefusal(
      world.publisher.add(world.publisher.manifest({ payload })),
      "UPB-TREE-LINK",
    );
  });

  it("another manifest under a version that is published", async () => {
    await world.publish(world.addVersion("1.0.0"));
    const { current, nowMs, keys } = world.publisher;
    const manifests = [world.publisher.manifest({ title: "Other" })];
    const { updateIds: _, ...update } = addUpdates({
      current,
      channelKeys: keys.stable,
      nowMs,
      channel: STABLE,
      indexes: [],
      manifests,
    });
    await world.expectRefusal(update, "UPB-PUBLISH-EXISTS");
  });

  it("an index that forgets what is published", async () => {
    await world.publish(world.addVersion("1.0.0"));
    const { current, nowMs, keys } = world.publisher;
    const manifests = [world.publisher.manifest({ version: "1.1.0" })];
    const channelKeys = keys.stable;
    const input = { current, channelKeys, nowMs, channel: STABLE, indexes: [], manifests };
    const { updateIds: _, ...update } = addUpdates(input);
    await world.expectRefusal(update, "UPB-PUBLISH-INCONSISTENT");
  });

  it("a root without the old keys, and takes one with a threshold of both", async () => {
    const keysOf = (keys: readonly { publicHex: string }[], threshold: number) => ({
      keys: keys.map((key) => key.publicHex),
      threshold,
    });
    const fresh = [1, 2, 3].map(() => newSigningKey().key);
    const { root, targets } = world.publisher.keys;
    const online = openSigner(join(world.data, "signer"), Date.now).keys;
    const roles = {
      root: keysOf(fresh, 2),
      targets: keysOf(targets, 1),
      snapshot: { keys: [online.snapshot], threshold: 1 },
      timestamp: { keys: [online.timestamp], threshold: 1 },
    };
    const { current, nowMs } = world.publisher;
    const next = (signWith: typeof fresh) => rotateRoot({ current, roles, signWith, nowMs });
    await world.expectRefusal(next([...fresh, ...root.slice(2)]), "UPB-TRUST-SIGNATURES");
    await world.expectRefusal(next([...root, ...fresh.slice(2)]), "UPB-TRUST-SIGNATURES");
    expect((await world.publish(next([...root, ...fresh]))).versions["root"]).toBe(2);
    expect((await world.device()).versions.root).toBe(2);
  });

  it("everything while the signer is away, and takes it afterwards", async () => {
    world.isSignerAway = true;
    const update = world.addVersion("1.0.0");
    await world.expectRefusal(update, "UPB-SERVER-SIGNER-AWAY");
    world.isSignerAway = false;
    await world.publish(update);
    expect(await world.has("1.0.0")).toBe(true);
  });
});
