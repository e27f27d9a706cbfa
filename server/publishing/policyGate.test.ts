import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readChannelPolicy } from "../../content/channelPolicy.ts";
import { Channel, Product, policyPath, Version } from "../../protocol/ids.ts";
import type { Rule } from "../../protocol/manifest.ts";
import { OfferPolicy } from "../../protocol/offerPolicy.ts";
import { signMetadata } from "../../protocol/trust/sign.ts";
import { addUpdates } from "../../protocol/trust/writer.ts";
import { type PublishingWorld, publishingWorld } from "../../tests/support/publishingWorld.ts";
import { targetPath } from "./checkTargets.ts";

const STABLE = Channel.parse("stable");
const HOLD = OfferPolicy.shape.holds.parse([
  { id: "H-1", text: "The screen stays dark", updates: {}, createdAt: "2026-06-01T12:00:00Z" },
]);
let world: PublishingWorld;

beforeEach(async () => {
  world = await publishingWorld();
  await world.publish(world.publisher.first());
});
afterEach(() => world.close());

const policyOfDevice = async () => {
  const read = async (path: string, sha256: string) =>
    readFileSync(`${world.data}/repo/${targetPath(path, sha256)}`);
  return (await readChannelPolicy(await world.device(), read, STABLE))?.policy;
};
const revision = (number: number, fields: Partial<OfferPolicy> = {}) =>
  world.publisher.policy(STABLE, { revision: number, ...fields });

describe("an offer policy", () => {
  it("that the channel's key has signed is what a new device reads", async () => {
    expect(await policyOfDevice()).toBeUndefined();
    await world.publish(revision(1, { holds: HOLD }));
    expect(await policyOfDevice()).toMatchObject({ revision: 1, holds: [{ id: "H-1" }] });
    await world.publish(revision(2));
    expect(await policyOfDevice()).toMatchObject({ revision: 2, holds: [] });
  });

  it("stays with the role of its channel when the updates go into hash bins", async () => {
    await world.publish(revision(1));
    const manifests = Array.from({ length: 1_001 }, (_, at) =>
      world.publisher.manifest({ version: `1.0.${at}` }),
    );
    const { current, nowMs, keys } = world.publisher;
    const channelKeys = keys.stable;
    const many = { current, channelKeys, nowMs, channel: STABLE, indexes: [], manifests };
    const { updateIds: _, ...update } = addUpdates(many);
    await world.publish(update);
    expect(await policyOfDevice()).toMatchObject({ revision: 1 });
    // One small role changes, not a bin that holds a share of all updates.
    const next = revision(2, { holds: HOLD });
    expect(Object.keys(next.roles)).toEqual(["stable"]);
    await world.publish(next);
    expect(await policyOfDevice()).toMatchObject({ revision: 2 });
    expect(await world.has("1.0.77")).toBe(true);
    await world.publish(world.addVersion("2.0.0"));
    expect(await policyOfDevice()).toMatchObject({ revision: 2 });
  });
});

describe("the publish gate refuses, and shows nothing of, a policy", () => {
  it.each([
    ["that starts in the middle", [2]],
    ["that skips a revision", [1, 3]],
    ["of which somebody else has published the same revision", [1, 2, 2]],
    ["that goes back", [1, 2, 1]],
  ])("%s", async (_what, revisions) => {
    for (const number of revisions.slice(0, -1)) await world.publish(revision(number));
    // Not the same bytes as the one before.
    const last = revision(revisions.at(-1) ?? 0, { approvalRequired: true });
    await world.expectRefusal(last, "UPB-PUBLISH-STALE");
  });

  it("that another channel's key has signed", async () => {
    const { keys } = world.publisher;
    const update = revision(1);
    const signed = JSON.parse(
      Buffer.from(update.roles["stable"] ?? "", "base64").toString(),
    ).signed;
    const forged = Buffer.from(signMetadata(signed, keys.beta)).toString("base64");
    await world.expectRefusal({ ...update, roles: { stable: forged } }, "UPB-TRUST-SIGNATURES");
  });

  it("of which a byte was changed after it was signed", async () => {
    const update = revision(1, { holds: HOLD });
    const [target] = update.targets;
    const text = Buffer.from(target?.bytes ?? "", "base64")
      .toString()
      .replace("dark", "bark");
    const targets = [{ path: policyPath(STABLE), bytes: Buffer.from(text).toString("base64") }];
    await world.expectRefusal({ ...update, targets }, "UPB-TRUST-HASH");
  });

  it("that is to vanish", async () => {
    await world.publish(revision(1, { holds: HOLD }));
    const update = world.addVersion("1.0.0");
    const signed = JSON.parse(
      Buffer.from(update.roles["stable"] ?? "", "base64").toString(),
    ).signed;
    delete signed.targets[policyPath(STABLE)];
    const stable = Buffer.from(signMetadata(signed, world.publisher.keys.stable)).toString(
      "base64",
    );
    await world.expectRefusal({ ...update, roles: { stable } }, "UPB-PUBLISH-INCONSISTENT");
  });

  it("of another major version, or whose words it does not know", async () => {
    await world.expectRefusal(revision(1, { schema: "upbeat.policy/2.0" }), "UPB-POLICY-VERSION");
    await world.expectRefusal(revision(1, { holds: {} as never }), "UPB-POLICY-INVALID");
  });

  it("with a rule that no device can evaluate", async () => {
    let who: Rule = { fact: "os.id", exists: true };
    for (let depth = 0; depth < 40; depth++) who = { not: who };
    const pins = [{ product: Product.parse("kiosk"), version: Version.parse("1.0"), who }];
    await world.expectRefusal(revision(1, { pins }), "UPB-POLICY-INVALID");
  });
});
