/** Reports: durable, signed, each event counted once, and never in the way of an install. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { surroundings } from "../support/deviceSurroundings.ts";
import { type OrchestratedDevice, orchestratedDevice } from "../support/orchestratedDevice.ts";

let device: OrchestratedDevice;
beforeEach(async () => {
  device = await orchestratedDevice(["kiosk"]);
  device.publish("kiosk", "1.0");
  // Nothing by itself: each event here comes from what a test does.
  await device.orchestrator.changeSettings({ set: { download: "ask" }, unset: [] });
});
afterEach(() => device.close());

const events = () => device.batches.flatMap((batch) => batch.events);
const waiting = async () => (await device.orchestrator.status()).reportsWaiting;
/** Past every backoff. */
const later = () => {
  device.clock.nowMs += 30 * 60_000;
};

describe("while the server takes no reports", () => {
  it("updates are installed, events wait over a restart, and then arrive in order", async () => {
    device.reports = "refuse";
    await device.check();
    expect((await device.change({ kind: "install" })).state).toBe("succeeded");
    await device.orchestrator.tick();
    const kept = await waiting();
    expect(kept).toBeGreaterThan(1);
    await device.restartOrchestrator();
    expect(await waiting()).toBe(kept);
    device.reports = "accept";
    later();
    await device.orchestrator.tick();
    expect(await waiting()).toBe(0);
    const times = events().map((event) => event.atMs);
    expect(
      events()
        .filter((event) => event.kind === "update-state")
        .at(-1),
    ).toMatchObject({
      state: "installed",
    });
    expect(times.length).toBeGreaterThanOrEqual(kept);
  });

  it("it is not asked again before the backoff is over", async () => {
    device.reports = "refuse";
    await device.check();
    await device.orchestrator.tick();
    const asked = device.server.requests.length;
    await device.orchestrator.tick();
    expect(device.server.requests.length).toBe(asked);
  });
});

describe("what updates wait for", () => {
  const told = () =>
    device.batches
      .flatMap(({ inventory }) => inventory?.offering?.waiting?.updates ?? [])
      .map(({ product, waiting }) => [product, ...waiting.map(({ reason }) => reason)]);

  it("is told, and that people come and go is told no more than once an hour", async () => {
    await device.check();
    await device.orchestrator.tick();
    expect(told()).toEqual([["kiosk", "download-consent"]]);
    const around = surroundings(device.paths.root);
    around.person(device.clock.nowMs);
    await device.orchestrator.tick();
    expect(told()).toHaveLength(1);
    device.clock.nowMs += 61 * 60_000;
    around.person(device.clock.nowMs);
    await device.orchestrator.tick();
    expect(told().at(-1)).toEqual(["kiosk", "download-consent", "person-away"]);
  });
});

describe("an event", () => {
  it("whose receipt was lost is sent again under the same id", async () => {
    device.reports = "lose-receipt";
    await device.check();
    await device.orchestrator.tick();
    const first = events().map((event) => event.id);
    expect(first.length).toBeGreaterThan(0);
    device.reports = "accept";
    device.batches.length = 0;
    later();
    await device.orchestrator.tick();
    expect(events().map((event) => event.id)).toEqual(expect.arrayContaining(first));
    expect(await waiting()).toBe(0);
  });

  it("survives a damaged database as far as it can be read; the damaged file is kept", async () => {
    device.reports = "refuse";
    await device.check();
    await device.change({ kind: "install" });
    await device.orchestrator.tick();
    await device.orchestrator.stop();
    const folder = device.paths.orchestratorState;
    const file = join(folder, "orchestrator.db");
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.concat([Buffer.alloc(1_000, 0xaa), bytes.subarray(1_000)]));
    await device.restartOrchestrator();
    expect(readdirSync(folder).filter((name) => name.includes(".damaged-"))).not.toEqual([]);
    // What the update service did is told again, under the ids that it had.
    device.reports = "accept";
    later();
    await device.orchestrator.tick();
    expect(events()).toContainEqual(expect.objectContaining({ state: "installed" }));
    expect((await device.check()).state).toBe("succeeded");
  });
});
