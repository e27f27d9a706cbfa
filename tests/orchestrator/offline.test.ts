/** A check from a signed catalogue on a folder, without the server; and clocks that do not go right. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../cli/run.ts";
import { listenLocally } from "../../device/localServer.ts";
import { orchestratorServer } from "../../device/orchestrator/orchestratorServer.ts";
import { testWorld } from "../support/cliWorld.ts";
import { type OrchestratedDevice, orchestratedDevice } from "../support/orchestratedDevice.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let device: OrchestratedDevice;
let app: FastifyInstance;
beforeEach(async () => {
  device = await orchestratedDevice(["kiosk"]);
  device.publish("kiosk", "1.0");
  app = orchestratorServer(device.orchestrator);
  await listenLocally(app, device.paths.orchestratorSocket);
});
afterEach(async () => {
  await app.close();
  await device.close();
});

const stick = () => join(device.paths.root, "stick");
/** What the server serves, as files. */
function copyToStick(): void {
  rmSync(stick(), { recursive: true, force: true });
  for (const [path, bytes] of device.simulator.files) {
    const file = join(stick(), path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
}
async function upbeat(...args: string[]) {
  const world = testWorld([...args, "--root", device.paths.root], { cwd: device.paths.root });
  return { exitCode: await run(world), ...world.printed };
}

describe("a catalogue on a stick", () => {
  it("is checked without a single request, and what suits is offered", async () => {
    copyToStick();
    const before = device.server.requests.length;
    expect(await upbeat("check", "--from", "stick")).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining("kiosk"),
    });
    expect(device.server.requests.slice(before).filter((it) => !it.includes("reports"))).toEqual(
      [],
    );
    expect((await device.orchestrator.status()).offers).toMatchObject([{ title: "kiosk 1.0" }]);
    expect(existsSync(device.paths.catalogue)).toBe(false);
    // The next check asks the server as if there had been no stick.
    expect((await device.check()).check?.outcome).toBe("evaluated");
  });

  it("that is older than what is known is refused, and the offers stay", async () => {
    copyToStick();
    device.publish("kiosk", "2.0");
    await device.check();
    expect(await upbeat("check", "--from", "stick", "--json")).toMatchObject({
      exitCode: 6,
      out: expect.stringContaining("UPB-TRUST-ROLLBACK"),
    });
    expect((await device.orchestrator.status()).offers).toMatchObject([{ title: "kiosk 2.0" }]);
  });

  it("that was changed, has expired or is no catalogue is refused", async () => {
    copyToStick();
    const timestamp = join(stick(), "metadata/timestamp.json");
    writeFileSync(
      timestamp,
      String(device.simulator.files.get("metadata/timestamp.json")).replace("1", "2"),
    );
    expect((await upbeat("check", "--from", "stick")).exitCode).toBe(6);
    copyToStick();
    device.clock.nowMs += 30 * DAY_MS;
    const late = await upbeat("check", "--from", "stick", "--json");
    expect(late).toMatchObject({ exitCode: 6, out: expect.stringContaining("UPB-TRUST-EXPIRED") });
    expect((await upbeat("check", "--from", "nowhere", "--json")).out).toContain(
      "UPB-CLI-CATALOGUE",
    );
    expect((await device.orchestrator.status()).offers).toEqual([]);
  });
});

describe("the next check", () => {
  it("comes soon and at random after a long sleep, not the moment the machine wakes", async () => {
    await device.check();
    const before = device.server.requests.length;
    // Longer than a weekend; after less than that it has four hours (`core/schedule.ts`).
    device.clock.nowMs += 5 * DAY_MS;
    device.clock.jumpedMs += 5 * DAY_MS;
    await device.orchestrator.tick();
    const { nextCheckMs = 0 } = await device.orchestrator.status();
    expect(nextCheckMs - device.clock.nowMs).toBeGreaterThanOrEqual(60_000);
    expect(nextCheckMs - device.clock.nowMs).toBeLessThanOrEqual(660_000);
    const checks = device.server.requests.slice(before).filter((it) => it.includes("timestamp"));
    expect(checks).toEqual([]);
  });

  it("is not years away after a clock that was wrong is put right", async () => {
    device.renew();
    device.clock.nowMs += 300 * DAY_MS;
    device.clock.jumpedMs += 300 * DAY_MS;
    await device.check();
    device.clock.nowMs -= 300 * DAY_MS;
    device.clock.jumpedMs -= 300 * DAY_MS;
    await device.orchestrator.tick();
    const { nextCheckMs = 0 } = await device.orchestrator.status();
    expect(nextCheckMs - device.clock.nowMs).toBeLessThanOrEqual(660_000);
  });
});

describe("`upbeat policy` and `upbeat why` on the machine", () => {
  it("show what counts, who set it, what will happen and why", async () => {
    mkdirSync(dirname(device.paths.settings), { recursive: true });
    writeFileSync(
      device.paths.settings,
      JSON.stringify({ qualityDeferralDays: 5, timeZone: "UTC" }),
    );
    device.publish("kiosk", "2.0", {
      publishedAt: new Date(device.clock.nowMs).toISOString(),
      restart: "always",
    });
    await device.check();
    const shown = await upbeat("policy", "show", "--set");
    expect(shown.out).toMatch(/qualityDeferralDays +5 days +admin/);
    const simulated = await upbeat("policy", "simulate", "--days", "20");
    expect(simulated.out).toContain("kiosk@2.0: installed.");
    expect(simulated.out).toContain("It restarts for kiosk@2.0.");
    const why = await upbeat("why", "kiosk@2.0");
    expect(why.out).toMatch(/^kiosk@2\.0 is not offered\. .*deferred/i);
    expect((await upbeat("why", "kiosk@9.9")).exitCode).toBe(3);
    expect((await upbeat("why", "Not A Product")).exitCode).toBe(64);
    const decisions = await upbeat("log", "--json");
    const { decisions: listed } = JSON.parse(decisions.out) as { decisions: { id: string }[] };
    const replay = await upbeat("log", "--decision", listed[0]?.id ?? "");
    expect(replay).toMatchObject({ exitCode: 0, out: expect.stringContaining("the same answer") });
  });

  it("`upbeat pause` and `resume` say until when", async () => {
    const now = () => device.clock.nowMs;
    const call = async (...args: string[]) => {
      const world = testWorld([...args, "--root", device.paths.root], { now });
      return { exitCode: await run(world), ...world.printed };
    };
    expect((await call("pause", "--for", "3d")).out).toMatch(/Paused until \d{4}-\d\d-\d\d/);
    expect((await call("pause", "--for", "40d", "--json")).out).toContain("UPB-SETTINGS-REFUSED");
    expect((await call("resume")).out).toContain("Not paused");
    expect(await call("restart", "now", "--json")).toMatchObject({
      out: expect.stringContaining("UPB-RESTART-NOTHING"),
    });
  });
});
