/**
 * From the administrator's command line to the offers of real machines, through the real server:
 * rings, holds, floors, and the emergency brake.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Administrator, administrator } from "../support/administrator.ts";
import { type FleetDevice, fleetDevice } from "../support/fleetDevice.ts";

let admin: Administrator;
let canary: FleetDevice;
let till: FleetDevice;
beforeAll(async () => {
  admin = await administrator();
  const products = ["kiosk"];
  canary = await fleetDevice(admin, { name: "canary", products, tags: ["canary"] });
  till = await fleetDevice(admin, { name: "till", products });
});
afterAll(async () => {
  await canary.close();
  await till.close();
  await admin.close();
});

const HOUR_MS = 3_600_000;

describe("an update with a rollout in rings", () => {
  it("is offered to the machines of the first ring, and to the others when theirs is reached", async () => {
    const rings = ["--ring", "canary who=tag.canary", "--ring", "rest start=+2h"];
    await admin.upbeat("rollouts", "create", "kiosk@1.0", ...rings);
    await admin.publish("kiosk", "1.0");
    expect(await canary.check()).toEqual({ offers: ["kiosk@1.0"], notOffered: {} });
    expect(await till.check()).toEqual({
      offers: [],
      notOffered: { "kiosk@1.0": "ring-not-reached" },
    });
    till.clock.aheadMs = 3 * HOUR_MS;
    // Nothing has changed on the server; the time has.
    expect(await till.check()).toEqual({ offers: ["kiosk@1.0"], notOffered: {} });
    till.clock.aheadMs = 0;
    expect((await till.check()).offers).toEqual([]);
  });

  it("that is halted is gone at the next check, and comes back when it is resumed", async () => {
    await admin.upbeat("rollouts", "halt", "kiosk-1.0", "--text", "the screen stays dark");
    expect(await canary.check()).toEqual({
      offers: [],
      notOffered: { "kiosk@1.0": "rollout-halted" },
    });
    await admin.upbeat("rollouts", "resume", "kiosk-1.0");
    expect((await canary.check()).offers).toEqual(["kiosk@1.0"]);
  });

  it("that is paused stays where it was offered, and reaches nobody else", async () => {
    await admin.upbeat("rollouts", "pause", "kiosk-1.0");
    expect((await canary.check()).offers).toEqual(["kiosk@1.0"]);
    till.clock.aheadMs = 3 * HOUR_MS;
    expect((await till.check()).notOffered).toEqual({ "kiosk@1.0": "rollout-paused" });
    till.clock.aheadMs = 0;
    await admin.upbeat("rollouts", "resume", "kiosk-1.0");
  });

  it("that is expedited is offered to all of its machines at once", async () => {
    await admin.upbeat("rollouts", "expedite", "kiosk-1.0");
    expect((await till.check()).offers).toEqual(["kiosk@1.0"]);
  });

  it("is kept from the machines of a hold, expedited or not", async () => {
    const { hold } = await admin.upbeat(
      ...["holds", "add", "kiosk@1.0", "--who", "!tag.canary", "--text", "The drawer jams"],
    );
    expect((await till.check()).notOffered).toEqual({ "kiosk@1.0": "safeguard-hold" });
    expect((await canary.check()).offers).toEqual(["kiosk@1.0"]);
    await admin.upbeat("holds", "lift", (hold as { id: string }).id);
    expect((await till.check()).offers).toEqual(["kiosk@1.0"]);
  });
});

describe("a channel that requires rollouts", () => {
  it("offers nothing that was only published", async () => {
    await admin.upbeat("policy", "require", "rollouts");
    await admin.publish("kiosk", "2.0");
    expect(await canary.check()).toEqual({
      offers: ["kiosk@1.0"],
      notOffered: { "kiosk@2.0": "not-in-rollout" },
    });
    await admin.upbeat("rollouts", "create", "kiosk@2.0");
    expect((await canary.check()).offers).toEqual(["kiosk@2.0"]);
  });
});

describe("a floor", () => {
  it("is offered before anything newer", async () => {
    expect(await canary.change({ kind: "install" })).toMatchObject({ state: "succeeded" });
    await admin.publish("kiosk", "3.0");
    await admin.publish("kiosk", "4.0");
    await admin.upbeat("policy", "require", "rollouts", "--off");
    expect((await canary.check()).offers).toEqual(["kiosk@4.0"]);
    await admin.upbeat("floors", "add", "kiosk@3.0");
    expect(await canary.check()).toMatchObject({
      offers: ["kiosk@3.0"],
      notOffered: { "kiosk@4.0": "floor-first" },
    });
  });
});

describe("the counts of a rollout", () => {
  it("are those of the machines that have reported", async () => {
    await canary.orchestrator.tick();
    expect(await admin.upbeat("rollouts", "show", "kiosk-2.0")).toMatchObject({
      rollouts: [{ counts: { offered: 1, downloaded: 1, installed: 1, failed: 0, rolledBack: 0 } }],
    });
  });
});
