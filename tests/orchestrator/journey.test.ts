/** The orchestrator with the real update service: what a person asks for, from check to rollback. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Product } from "../../protocol/ids.ts";
import { type OrchestratedDevice, orchestratedDevice } from "../support/orchestratedDevice.ts";

let device: OrchestratedDevice;
afterEach(() => device.close());

const kiosk = Product.parse("kiosk");
const UNHEALTHY = {
  healthCheck: {
    kind: "command",
    command: [process.execPath, "-e", "process.exit(9)"],
    retries: 0,
  },
};
const current = () =>
  readFileSync(join(device.paths.installed, "products/kiosk/current/main.js"), "utf8");

/** Installs what is offered and looks at the bar as often as a page does. */
async function fractions() {
  const { id } = device.orchestrator.request({ kind: "install" });
  const seen: number[] = [];
  const lefts: number[] = [];
  return await vi.waitFor(
    () => {
      const change = device.orchestrator.change(id);
      if (change.whole !== undefined) seen.push(change.whole.fraction);
      if (change.whole?.leftMs !== undefined) lefts.push(change.whole.leftMs);
      expect(change.endedMs).toBeDefined();
      return { change, seen, lefts };
    },
    { timeout: 30_000, interval: 5 },
  );
}

describe("a device", () => {
  it("checks, installs, and has nothing more to do; the server hears of each state once", async () => {
    device = await orchestratedDevice(["kiosk"]);
    device.publish("kiosk", "1.0");
    const check = await device.check();
    expect(check.check).toMatchObject({ outcome: "evaluated", offers: [{ title: "kiosk 1.0" }] });
    expect((await device.orchestrator.status()).now).toContain("kiosk@1.0 is ready to install");

    const install = await device.change({ kind: "install" });
    expect(install).toMatchObject({ state: "succeeded", updates: [{ state: "installed" }] });
    expect(current()).toContain("kiosk 1.0");
    expect(await device.orchestrator.status()).toMatchObject({
      offers: [],
      products: [{ product: "kiosk", current: "1.0" }],
      updateService: "running",
      now: "Everything is up to date.",
    });
    expect((await device.change({ kind: "install" })).state).toBe("nothing-to-do");
    expect((await device.check()).check).toMatchObject({
      outcome: "unchanged",
      notOffered: [{ version: "1.0", reason: "installed" }],
    });
    expect(await device.orchestrator.history(10)).toMatchObject([
      { operation: "install", toVersion: "1.0", result: "succeeded" },
    ]);

    await device.orchestrator.tick();
    const events = device.batches.flatMap((batch) => batch.events);
    const states = events.flatMap((event) => (event.kind === "update-state" ? [event.state] : []));
    expect(states.at(-1)).toBe("installed");
    expect(new Set(states).size).toBe(states.length);
    const inventories = device.batches.flatMap((batch) => batch.inventory ?? []);
    expect(inventories.at(-1)?.facts).toMatchObject({ "product.kiosk.version": "1.0" });
    const before = device.batches.length;
    await device.orchestrator.tick();
    expect(device.batches.length).toBe(before);
    expect((await device.orchestrator.status()).reportsWaiting).toBe(0);
  });

  it("asks the server when somebody wants to install and nothing is offered yet", async () => {
    device = await orchestratedDevice(["kiosk"]);
    device.publish("kiosk", "1.0");
    await device.change({ kind: "install" });
    device.publish("kiosk", "2.0");
    expect(await device.change({ kind: "install", background: true })).toMatchObject({
      state: "nothing-to-do",
    });
    expect((await device.change({ kind: "install" })).state).toBe("succeeded");
    expect(current()).toContain("kiosk 2.0");
  });

  it("moves one bar over download and install, never back, and knows the time from its own past", async () => {
    device = await orchestratedDevice(["kiosk"]);
    device.publish("kiosk", "1.0");
    const first = await fractions();
    expect(first.change).toMatchObject({ state: "succeeded", whole: { fraction: 1 } });
    expect(first.seen).toEqual(first.seen.toSorted((one, other) => one - other));
    expect(new Set(first.seen).size).toBeGreaterThan(1);
    device.publish("kiosk", "2.0");
    await device.check();
    const second = await fractions();
    expect(second.lefts.length).toBeGreaterThan(0);
    expect(second.seen).toEqual(second.seen.toSorted((one, other) => one - other));
  });

  it("says what it waits for, and after the phase's limit that it is stuck, to the server too", async () => {
    device = await orchestratedDevice(["kiosk"]);
    device.publish("kiosk", "1.0");
    await device.check();
    const held = device.holdContent();
    device.orchestrator.request({ kind: "download" });
    await held;
    await vi.waitFor(async () =>
      expect((await device.orchestrator.status()).activity?.waitsFor).toContain("server"),
    );
    const { activity } = await device.orchestrator.status();
    expect(activity).toMatchObject({ stuckMs: expect.any(Number) });
    expect(activity?.stuck).toBeUndefined();
    device.clock.nowMs = (activity?.stuckMs ?? 0) + 60_000;
    expect((await device.orchestrator.status()).activity).toMatchObject({
      stuck: { code: "UPB-UPDATE-STUCK", detail: expect.stringContaining("nothing has moved") },
      advice: expect.stringContaining("upbeat troubleshoot --fix"),
    });
    await device.orchestrator.tick();
    await device.orchestrator.tick();
    const told = device.batches
      .flatMap((batch) => batch.events)
      .filter((event) => "error" in event && event.error?.code === "UPB-UPDATE-STUCK");
    expect(told).toMatchObject([{ kind: "update-state", state: "downloading" }]);
  });

  it("that was never checked is checked by its first install", async () => {
    device = await orchestratedDevice(["kiosk"]);
    device.publish("kiosk", "1.0");
    expect((await device.change({ kind: "install", product: kiosk })).state).toBe("succeeded");
    expect(existsSync(join(device.paths.installed, "products/kiosk/current"))).toBe(true);
  });

  it("downloads without installing when that is asked", async () => {
    device = await orchestratedDevice(["kiosk"]);
    device.publish("kiosk", "1.0");
    await device.check();
    const change = await device.change({ kind: "download" });
    expect(change).toMatchObject({ state: "succeeded", updates: [{ state: "downloaded" }] });
    expect(existsSync(join(device.paths.installed, "products/kiosk/current"))).toBe(false);
    expect((await device.change({ kind: "download" })).state).toBe("nothing-to-do");
  });

  it("rolls a sick release back, says why, and does not offer it again", async () => {
    device = await orchestratedDevice(["kiosk"]);
    device.publish("kiosk", "1.0");
    await device.change({ kind: "install" });
    device.publish("kiosk", "2.0", UNHEALTHY);
    await device.check();
    const install = await device.change({ kind: "install" });
    expect(install).toMatchObject({ state: "failed", updates: [{ state: "rolled-back" }] });
    expect(install.error?.stage).toBe("health-check");
    expect(current()).toContain("kiosk 1.0");
    const check = await device.check();
    expect(check.check).toMatchObject({ offers: [] });
    expect(check.check?.notOffered).toContainEqual(
      expect.objectContaining({ version: "2.0", reason: "rolled-back-here" }),
    );
    expect((await device.change({ kind: "install" })).state).toBe("nothing-to-do");
  });

  it("goes back when asked, and removes when asked", async () => {
    device = await orchestratedDevice(["kiosk"]);
    device.publish("kiosk", "1.0");
    await device.change({ kind: "install" });
    device.publish("kiosk", "2.0");
    await device.check();
    await device.change({ kind: "install" });
    expect(current()).toContain("kiosk 2.0");
    expect((await device.change({ kind: "rollback", product: kiosk })).state).toBe("succeeded");
    expect(current()).toContain("kiosk 1.0");
    expect((await device.change({ kind: "uninstall", product: kiosk })).state).toBe("succeeded");
    expect(existsSync(join(device.paths.installed, "products/kiosk/current"))).toBe(false);
    const again = await device.change({ kind: "uninstall", product: kiosk });
    expect(again.state).toBe("failed");
    expect(again.error?.code).toMatch(/^UPB-UNINSTALL-/);
  });

  it("whose update service is killed in the middle waits for it, and the install is completed", async () => {
    device = await orchestratedDevice(["kiosk"]);
    device.publish("kiosk", "1.0");
    await device.check();
    await device.service.stop();
    const { startUpdateService } = await import("../support/updateServiceProcess.ts");
    const env = { UPBEAT_KILL_AT: "download:finished" };
    device.service = await startUpdateService(device.paths.root, env);
    const install = device.change({ kind: "install" });
    await device.service.ended;
    expect(await device.orchestrator.status()).toMatchObject({ updateService: "not-running" });
    device.service = await startUpdateService(device.paths.root);
    expect(await install).toMatchObject({ state: "succeeded" });
    expect(current()).toContain("kiosk 1.0");
  });
});
