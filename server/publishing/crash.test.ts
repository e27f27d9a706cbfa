import { cpSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { type PublishingWorld, publishingWorld } from "../../tests/support/publishingWorld.ts";
import { openDatabase } from "../storage/database.ts";

let world: PublishingWorld;

beforeEach(async () => {
  world = await publishingWorld();
});
afterEach(() => world.close());

describe("a crash while publishing", () => {
  it("leaves the old set or the new one after every step, and publishing goes on", async () => {
    await world.publish(world.publisher.first());
    await world.publish(world.addVersion("1.0.0"));
    const crashes: { step: string; at: string }[] = [];
    world.onStep = (step) => {
      const at = join(world.folder, `crash-${crashes.length}`);
      cpSync(world.data, at, { recursive: true });
      crashes.push({ step, at });
    };
    const update = world.addVersion("1.1.0");
    await world.publishing.publish(update);
    world.onStep = () => {};
    expect(crashes.length).toBeGreaterThan(8);

    const outcomes: boolean[] = [];
    for (const { at } of crashes) {
      // What devices see while the server is down.
      const isShown = await world.has("1.1.0", at);
      expect(await world.has("1.0.0", at)).toBe(true);
      const again = await openDatabase(join(at, "server.db"));
      const restarted = world.open(at, again);
      await restarted.renewIfDue();
      const isThere = await world.has("1.1.0", at);
      outcomes.push(isThere);
      if (isShown) expect(isThere).toBe(true);
      if (isThere)
        await expect(restarted.publish(update)).rejects.toMatchObject({
          code: "UPB-PUBLISH-STALE",
        });
      else await restarted.publish(update);
      expect(await world.has("1.1.0", at)).toBe(true);
      await again.destroy();
    }
    expect(new Set(outcomes)).toEqual(new Set([false, true]));
  });

  it("after the signer has signed and before it was heard is made good", async () => {
    await world.publish(world.publisher.first());
    const deaf = world.signerIn(world.data);
    const half = world.open(world.data, world.db, {
      ...deaf,
      sign: async (meta) => {
        await deaf.sign(meta);
        throw new UpbeatError("UPB-SERVER-SIGNER-AWAY", { object: "signer" });
      },
    });
    const update = world.addVersion("1.0.0");
    await expect(half.publish(update)).rejects.toMatchObject({ code: "UPB-SERVER-SIGNER-AWAY" });
    expect(await world.has("1.0.0")).toBe(false);
    await world.open(world.data, world.db).renewIfDue();
    expect(await world.has("1.0.0")).toBe(true);
  });
});
