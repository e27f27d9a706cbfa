/** The server answers for a machine what the machine itself decides: the same code, the same words. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { Audience } from "../../protocol/adminApi.ts";
import { Explanation } from "../../protocol/decisions.ts";
import { Product } from "../../protocol/ids.ts";
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

const DAY_MS = 86_400_000;
const iso = (inMs: number) => new Date(Date.now() + inMs).toISOString();

const checkAndReport = async (device: FleetDevice) => {
  const decided = await device.check();
  await device.orchestrator.tick();
  return decided;
};
const why = async (device: FleetDevice, update: string) => {
  const { exitCode, answer } = await admin.attempt(
    "devices",
    "why",
    device.config.deviceId,
    update,
  );
  return exitCode === 0 || exitCode === 3
    ? z.object({ explanation: Explanation }).parse(answer).explanation
    : answer["error"];
};
const audience = async (update: string) =>
  z.object({ audience: Audience }).parse(await admin.upbeat("updates", "audience", update))
    .audience;

describe("the server's preview", () => {
  it("does not guess for a machine that has not reported", async () => {
    await admin.publish("kiosk", "1.0");
    expect(await why(till, "kiosk")).toMatchObject({ code: "UPB-SERVER-NOT-REPORTED" });
    expect(await audience("kiosk@1.0")).toMatchObject({ unknown: 2, offered: 0 });
  });

  it("agrees with the machines about rings, holds and what is installed", async () => {
    const rings = ["--ring", "canary who=tag.canary", "--ring", "rest start=+2d"];
    await admin.upbeat("rollouts", "create", "kiosk@2.0", ...rings);
    await admin.publish("kiosk", "2.0");
    await admin.upbeat("holds", "add", "kiosk@1.0", "--text", "The drawer jams");
    for (const device of [canary, till]) {
      const { offers, notOffered } = await checkAndReport(device);
      for (const update of ["kiosk@1.0", "kiosk@2.0"]) {
        const explained = Explanation.parse(await why(device, update));
        expect(explained.outcome === "offered").toBe(offers.includes(update));
        if (notOffered[update] !== undefined) expect(explained.reason).toBe(notOffered[update]);
        expect(explained.trace.length).toBeGreaterThan(5);
      }
    }
    expect(await why(till, "kiosk@2.0")).toMatchObject({
      outcome: "not-offered",
      reason: "ring-not-reached",
      by: "kiosk-2.0",
      sentence: expect.stringContaining("reaches this machine (ring rest)"),
    });
    expect(await why(till, "kiosk@9.9")).toMatchObject({ outcome: "unknown" });
  });

  it("says who would get an update, and when, through every reason that comes first", async () => {
    await admin.upbeat("policy", "set", "--who", "!tag.canary", "qualityDeferralDays=5");
    const found = await audience("kiosk@2.0");
    expect(found).toMatchObject({ offered: 1, later: 1, installed: 0, unknown: 0 });
    const later = found.devices.find((device) => device.name === "till");
    // The ring in two days, then the deferral of five.
    expect(later).toMatchObject({ outcome: "later", reason: "ring-not-reached" });
    const inDays = ((later?.atMs ?? 0) - Date.now()) / DAY_MS;
    expect(inDays).toBeGreaterThan(4.9);
    expect(inDays).toBeLessThan(5.1);
    expect(found.arrivals).toMatchObject([{ devices: 1 }]);
    await admin.upbeat("policy", "unset");
  });

  it("knows what the machine's own people have set", async () => {
    const pause = { setAt: iso(0), until: iso(3 * DAY_MS) };
    await canary.orchestrator.changeSettings({ set: { pause }, unset: [] });
    expect((await checkAndReport(canary)).notOffered).toMatchObject({ "kiosk@2.0": "paused" });
    expect(await why(canary, "kiosk@2.0")).toMatchObject({ reason: "paused", by: "user" });
    await canary.orchestrator.changeSettings({ set: {}, unset: ["pause"] });
    expect((await checkAndReport(canary)).offers).toEqual(["kiosk@2.0"]);
    expect(await why(canary, "kiosk@2.0")).toMatchObject({ outcome: "offered" });
  });

  it("says what an offered update waits for, as the machine said it, and when it said so", async () => {
    await canary.orchestrator.changeSettings({ set: { download: "ask" }, unset: [] });
    await checkAndReport(canary);
    const here = await canary.orchestrator.why({ product: Product.parse("kiosk") });
    const there = Explanation.parse(await why(canary, "kiosk"));
    expect(there.waiting.map((it) => it.reason)).toEqual(["download-consent"]);
    const { waitingAtMs, ...said } = there;
    expect(said).toMatchObject({ sentence: here.sentence, waiting: here.waiting });
    expect(Math.abs(Date.now() - (waitingAtMs ?? 0))).toBeLessThan(DAY_MS);
    await canary.orchestrator.changeSettings({ set: {}, unset: ["download"] });
  });

  it("knows of updates that are installed", async () => {
    await canary.change({ kind: "install" });
    await checkAndReport(canary);
    expect(await audience("kiosk@2.0")).toMatchObject({ offered: 0, installed: 1, later: 1 });
    expect(await why(canary, "kiosk@2.0")).toMatchObject({ reason: "installed" });
  });

  it("follows a halt at once, before any machine has asked", async () => {
    await admin.upbeat("rollouts", "halt", "kiosk-2.0");
    expect(await audience("kiosk@2.0")).toMatchObject({
      later: 0,
      notOffered: [{ reason: "rollout-halted", devices: 1 }],
    });
  });

  it("knows no device that is not enrolled", async () => {
    const nobody = `dev-${"0".repeat(32)}`;
    const { answer } = await admin.attempt("devices", "why", nobody, "kiosk");
    expect(answer).toMatchObject({ error: { code: "UPB-SERVER-NOT-FOUND" } });
  });
});
