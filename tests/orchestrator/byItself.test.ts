/**
 * What a machine does by itself, with the real update service: downloads, installs and restarts at a
 * good moment, and says what it waits for. Only the clock and what stands around the device are ours.
 */
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Product, type UpdateId } from "../../protocol/ids.ts";
import { type Surroundings, surroundings } from "../support/deviceSurroundings.ts";
import { type OrchestratedDevice, orchestratedDevice } from "../support/orchestratedDevice.ts";
import { startUpdateService } from "../support/updateServiceProcess.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const kiosk = Product.parse("kiosk");

let device: OrchestratedDevice;
let around: Surroundings;
beforeEach(async () => {
  device = await orchestratedDevice(["kiosk", "runtime"]);
  around = surroundings(device.paths.root);
  around.settings({ timeZone: "UTC", activeHours: activeHours(6) });
});
afterEach(() => device.close());

/** One hour that begins so many hours from now: so it is never now unless a test says so. */
function activeHours(fromNow: number) {
  const hour = new Date(device.clock.nowMs).getUTCHours();
  const at = (add: number) => `${String((hour + fromNow + add + 48) % 24).padStart(2, "0")}:00`;
  return { start: at(0), end: at(1) };
}
/** Of the whole process, with its threads: proc_pid_stat(5), in hundredths of a second. */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
/** Half a second with as good as no work; gives up after some tries. */
async function goesQuiet(pid: number): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const before = cpuTicks(pid);
    await wait(500);
    if (cpuTicks(pid) - before <= 5) return;
  }
  throw new Error("the update service does not go quiet");
}
const idOf = ({ product, version, manifestSha256 }: UpdateId): UpdateId => ({
  ...{ product, version, manifestSha256 },
});
/** One step, and what it began is brought to its end. */
async function tick(): Promise<void> {
  await device.orchestrator.tick();
  await device.settle();
}
const later = (ms: number): void => {
  device.clock.nowMs += ms;
};
const status = () => device.orchestrator.status();
const states = async () =>
  (await status()).updates.map(({ product, version, state }) => `${product}@${version} ${state}`);
const waits = async () =>
  (await status()).waiting.flatMap(({ waiting }) => waiting.map(({ reason }) => reason));
const restartWaits = async () => (await status()).restart?.waiting.map(({ reason }) => reason);

describe("an update", () => {
  beforeEach(() => device.publish("kiosk", "1.0"));

  it("is downloaded and installed by itself where nobody is disturbed", async () => {
    await device.check();
    await tick();
    expect(await states()).toEqual(["kiosk@1.0 downloaded"]);
    await tick();
    expect(await states()).toEqual(["kiosk@1.0 installed"]);
    await tick();
    expect((await status()).now).toBe("Everything is up to date.");
  });

  it("makes room for the person at the machine, and goes on when they are away", async () => {
    around.person(device.clock.nowMs);
    await device.check();
    await tick();
    expect(await states()).toEqual([]);
    expect(await waits()).toEqual(["person-away"]);
    expect((await status()).now).toContain("makes room for the person");
    later(20 * MINUTE_MS);
    await tick();
    expect(await states()).toEqual(["kiosk@1.0 downloaded"]);
  });

  it("that is downloaded is installed when the person shuts down, where that is allowed", async () => {
    await device.change({ kind: "download" });
    around.person(device.clock.nowMs);
    const { atShutdown: updates } = await status();
    expect(updates).toMatchObject([{ product: "kiosk", version: "1.0" }]);
    await device.orchestrator.changeSettings({ set: { installAtShutdown: false }, unset: [] });
    expect((await status()).atShutdown).toEqual([]);
    await device.change({ kind: "install", updates, background: true });
    expect(await states()).toEqual(["kiosk@1.0 installed"]);
  });

  it("is not downloaded over a network that costs, nor installed on battery", async () => {
    around.network("metered");
    await device.check();
    await tick();
    expect(await waits()).toEqual(["unmetered-network"]);
    await device.orchestrator.changeSettings({ set: { downloadOnMetered: true }, unset: [] });
    around.power("battery");
    await tick();
    await tick();
    expect(await states()).toEqual(["kiosk@1.0 downloaded"]);
    expect(await waits()).toEqual(["mains-power"]);
    around.power("mains");
    await tick();
    expect(await states()).toEqual(["kiosk@1.0 installed"]);
  });

  it("that waited for hours is looked up again before it is installed", async () => {
    around.power("battery");
    await device.check();
    await tick();
    expect(await states()).toEqual(["kiosk@1.0 downloaded"]);
    device.publish("kiosk", "1.1");
    later(2 * HOUR_MS);
    around.power("mains");
    for (let step = 0; step < 3; step++) await tick();
    expect(await states()).toContain("kiosk@1.1 installed");
    expect((await device.orchestrator.history(10)).map((it) => it.toVersion)).toEqual(["1.1"]);
  });

  it("waits to be asked for where that is set, and is brought when it is", async () => {
    await device.orchestrator.changeSettings({ set: { download: "ask" }, unset: [] });
    await device.check();
    await tick();
    expect(await waits()).toEqual(["download-consent"]);
    await tick();
    // Told once, to whoever looks or is at a terminal.
    const asked = { kind: "update", sentence: expect.stringContaining("`upbeat download kiosk`") };
    expect((await status()).notices).toEqual([expect.objectContaining(asked)]);
    expect((await status()).now).toContain("`upbeat install`");
    await device.change({ kind: "install" });
    expect(await states()).toEqual(["kiosk@1.0 installed"]);
  });

  it("is not offered while updates are paused, at once and without a check, and again after", async () => {
    await device.check();
    const until = new Date(device.clock.nowMs + 3 * DAY_MS).toISOString();
    const pause = { setAt: "2001-01-01T00:00:00Z", until };
    // A pause that reached for years would be no pause: it counts from now, whatever is said.
    const years = { ...pause, until: new Date(device.clock.nowMs + 90 * DAY_MS).toISOString() };
    const { changeSettings } = device.orchestrator;
    await expect(changeSettings({ set: { pause: years }, unset: [] })).rejects.toMatchObject({
      code: "UPB-SETTINGS-REFUSED",
    });
    await changeSettings({ set: { pause }, unset: [] });
    expect(await status()).toMatchObject({ offers: [], paused: { setBy: "user" } });
    await tick();
    expect(await states()).toEqual([]);
    expect(await device.orchestrator.why({ product: kiosk })).toMatchObject({
      outcome: "not-offered",
      reason: "paused",
      untilMs: Date.parse(until),
    });
    later(3 * DAY_MS + MINUTE_MS);
    device.renew();
    await device.check();
    expect((await status()).offers).toHaveLength(1);
  });

  it("that is being downloaded stops when somebody comes back", async () => {
    await device.check();
    const begun = device.holdContent();
    await device.orchestrator.tick();
    await begun;
    await device.orchestrator.watch();
    expect(await states()).toEqual(["kiosk@1.0 downloading"]);
    around.person(device.clock.nowMs);
    await device.orchestrator.watch();
    await device.settle();
    expect(await states()).toEqual(["kiosk@1.0 paused"]);
    // It is neither a failure nor forgotten.
    expect(await waits()).toEqual(["person-away"]);
    device.server.faults.clear();
    around.person(undefined);
    await tick();
    expect(await states()).toEqual(["kiosk@1.0 downloaded"]);
  });
});

describe("an update that is being put in place", () => {
  /** Long enough to be met at it. */
  const COPIES = 20_000;
  const begin = async (bring: () => Promise<unknown>): Promise<void> => {
    device.publish("kiosk", "1.0", {}, COPIES);
    await device.change({ kind: "download" });
    await bring();
    for (let phase: string | undefined; phase !== "stage"; await wait(1)) {
      const { busy, updates } = await device.service.status();
      if (updates[0]?.state === "installed") throw new Error("it was not met");
      phase = busy?.phase;
    }
    around.person(device.clock.nowMs);
  };

  it("stops when somebody comes back: the machine is theirs until they are away", async () => {
    await begin(() => device.orchestrator.tick());
    await device.orchestrator.watch();
    await device.settle();
    expect(await states()).toEqual(["kiosk@1.0 downloaded"]);
    expect(await waits()).toEqual(["person-away"]);
    expect(await device.orchestrator.history(10)).toEqual([]);
    await goesQuiet(device.service.pid);
    // It is no failure: nothing is put off, or held.
    expect((await status()).notOffered).toEqual([]);
    around.person(undefined);
    await tick();
    expect(await states()).toEqual(["kiosk@1.0 installed"]);
  });

  it.each<[string, object]>([
    ["somebody who is there asked for it", {}],
    ["it goes along with a shutdown", { background: true, atShutdown: true }],
  ])("goes on to its end when %s", async (_, how) => {
    let installing: Promise<unknown> = Promise.resolve();
    await begin(async () => {
      const { updates } = await status();
      installing = device.change({ kind: "install", updates: updates.map(idOf), ...how });
    });
    await device.orchestrator.watch();
    expect(await installing).toMatchObject({ state: "succeeded" });
  });
});

describe("the restart", () => {
  beforeEach(async () => {
    around.boot("first");
    device.publish("kiosk", "1.0", { restart: "always" });
  });
  const installAll = async (): Promise<void> => {
    await device.check();
    await device.change({ kind: "install" });
  };
  const restarted = async (): Promise<void> => {
    await device.service.stop();
    around.boot("second");
    device.service = await startUpdateService(device.paths.root);
    await device.service.idle();
    await tick();
  };

  it("happens by itself, once for everything that is pending", async () => {
    const proof = around.restartLeaves();
    device.publish("runtime", "1.0", { restart: "always" });
    await installAll();
    expect((await status()).restart?.updates).toHaveLength(2);
    expect(existsSync(proof)).toBe(false);
    await tick();
    expect(existsSync(proof)).toBe(true);
    await restarted();
    expect(await states()).toEqual(["kiosk@1.0 installed", "runtime@1.0 installed"]);
    expect(await status()).not.toHaveProperty("restart");
  });

  it("waits for the end of active hours, and says so", async () => {
    const proof = around.restartLeaves();
    around.settings({ timeZone: "UTC", activeHours: activeHours(0) });
    await installAll();
    await tick();
    expect(existsSync(proof)).toBe(false);
    expect(await restartWaits()).toEqual(["active-hours"]);
    expect((await status()).now).toContain("waits for a restart");
    later(HOUR_MS);
    await tick();
    expect(existsSync(proof)).toBe(true);
  });

  it("is held up by an application, but not beyond the deadline", async () => {
    const proof = around.restartLeaves();
    around.settings({
      timeZone: "UTC",
      activeHours: activeHours(6),
      qualityDeadlineDays: 1,
      graceDays: 0,
    });
    await installAll();
    device.orchestrator.inhibitors.take({ who: "backup", why: "it runs", forMs: 20 * HOUR_MS });
    await tick();
    expect(existsSync(proof)).toBe(false);
    expect((await status()).restart?.waiting).toMatchObject([
      { reason: "inhibitor", by: "backup" },
    ]);
    later(2 * HOUR_MS);
    device.orchestrator.inhibitors.take({ who: "backup", why: "still", forMs: 24 * HOUR_MS });
    later(23 * HOUR_MS);
    await tick();
    expect(existsSync(proof)).toBe(true);
  });

  it("is announced to whoever is signed in, and comes after the countdown", async () => {
    const proof = around.restartLeaves();
    around.person(device.clock.nowMs - HOUR_MS);
    await device.orchestrator.changeSettings({
      set: { notices: "restarts", download: "ask" },
      unset: [],
    });
    device.publish("runtime", "1.0");
    await device.check();
    await device.change({ kind: "install", product: kiosk });
    await tick();
    // The other one waits for a word, which is no notice of a restart.
    expect((await status()).notices.map(({ kind }) => kind)).toEqual(["restart"]);
    expect(existsSync(proof)).toBe(false);
    expect(await restartWaits()).toEqual(["warning-time"]);
    expect(around.screen()).toMatch(/restarts for updates in 15 minutes.*upbeat restart snooze/);
    later(16 * MINUTE_MS);
    await tick();
    expect(existsSync(proof)).toBe(true);
  });

  it("comes when a person says so: now, or at a time, or later, never beyond the deadline", async () => {
    const proof = around.restartLeaves();
    around.settings({ timeZone: "UTC", activeHours: activeHours(0), restart: "ask" });
    const { wishRestart } = device.orchestrator;
    await expect(wishRestart({ when: "now" })).rejects.toMatchObject({
      code: "UPB-RESTART-NOTHING",
    });
    await installAll();
    await wishRestart({ when: "at", atMs: device.clock.nowMs + 2 * HOUR_MS });
    expect(await restartWaits()).toEqual(["chosen-time"]);
    await wishRestart({ when: "snooze", forMs: HOUR_MS });
    expect(await restartWaits()).toContain("snoozed");
    await expect(
      wishRestart({ when: "at", atMs: device.clock.nowMs + 30 * DAY_MS }),
    ).rejects.toMatchObject({ code: "UPB-RESTART-TIME" });
    await device.restartOrchestrator();
    expect(await restartWaits()).toContain("snoozed");
    expect(existsSync(proof)).toBe(false);
    await device.orchestrator.wishRestart({ when: "now" });
    expect(existsSync(proof)).toBe(true);
  });

  it("that the machine refuses is said, and tried again only later", async () => {
    around.restartLeaves();
    device.orchestrator.inhibitors.take({ who: "test", why: "first the command", forMs: HOUR_MS });
    await installAll();
    const { writeFileSync, rmSync } = await import("node:fs");
    writeFileSync(device.paths.restartCommand, JSON.stringify({ command: ["/bin/false"] }));
    later(2 * HOUR_MS);
    await tick();
    expect((await status()).restartError).toMatchObject({ code: "UPB-RESTART-FAILED" });
    rmSync(device.paths.restartCommand);
    const proof = around.restartLeaves();
    await tick();
    expect(existsSync(proof)).toBe(false);
    later(11 * MINUTE_MS);
    await tick();
    expect(existsSync(proof)).toBe(true);
  });

  it("takes its turn in a cluster, and gives it on when the machine is well", async () => {
    const asked: string[] = [];
    let isFree = false;
    for (const call of ["pre-reboot", "steady-state"]) {
      device.server.faults.set(`lock/v1/${call}`, (_request, response) => {
        asked.push(call);
        const refusal = JSON.stringify({ kind: "lock_held", value: "node-2 restarts" });
        if (isFree || call === "steady-state") response.end();
        else response.writeHead(409).end(refusal);
      });
    }
    const proof = around.restartLeaves();
    const url = new URL("lock/", device.server.url).href;
    around.settings({
      timeZone: "UTC",
      activeHours: activeHours(6),
      restartLock: { url, group: "web" },
    });
    await installAll();
    await tick();
    expect(existsSync(proof)).toBe(false);
    expect(await restartWaits()).toEqual(["restart-lock"]);
    isFree = true;
    later(6 * MINUTE_MS);
    await tick();
    expect(existsSync(proof)).toBe(true);
    expect(asked).toEqual(["pre-reboot", "pre-reboot"]);
    await restarted();
    expect(asked.at(-1)).toBe("steady-state");
  });
});

describe("an update that keeps failing", () => {
  it("is held after some equal failures, explained, and tried once more when somebody asks", async () => {
    device.publish("kiosk", "1.0");
    await device.check();
    const content = [...device.simulator.files.keys()].find((name) => name.startsWith("content/"));
    const bytes = device.simulator.files.get(content ?? "");
    device.simulator.files.set(content ?? "", Buffer.alloc(bytes?.length ?? 0, "x"));
    for (let tries = 0; tries < 6; tries++) {
      await tick();
      later(15 * DAY_MS);
      device.renew();
      await device.check();
    }
    const why = await device.orchestrator.why({ product: kiosk });
    expect(why).toMatchObject({ outcome: "not-offered", reason: "failed-here" });
    expect(why.lastError?.code).toMatch(/^UPB-/);
    expect((await status()).offers).toEqual([]);
    device.simulator.files.set(content ?? "", bytes ?? Buffer.alloc(0));
    await device.check();
    expect((await device.change({ kind: "install", product: kiosk })).state).toBe("succeeded");
  });
});

describe("the administrator's settings", () => {
  it("that cannot be read are said, and what they said before counts", async () => {
    around.settings({ qualityDeferralDays: 30 });
    device.publish("kiosk", "1.0", { publishedAt: new Date(device.clock.nowMs).toISOString() });
    await device.check();
    expect((await status()).offers).toEqual([]);
    for (const broken of ["{", '{"qualityDeferalDays": 0}', '{"graceDays": 99}']) {
      around.settings(broken);
      await device.check();
      expect(await status()).toMatchObject({
        offers: [],
        settingsProblem: { code: "UPB-SETTINGS-FILE" },
      });
    }
    around.settings({});
    await tick();
    expect((await status()).offers).toHaveLength(1);
    expect(await status()).not.toHaveProperty("settingsProblem");
  });

  it("stand beside a person's, with who set each", async () => {
    around.settings({ qualityDeferralDays: 3, graceDays: 1 });
    const { changeSettings } = device.orchestrator;
    const { settings } = await changeSettings({
      set: { qualityDeferralDays: 7, notices: "none" },
      unset: [],
    });
    const of = (key: string) => settings.find((setting) => setting.key === key);
    expect(of("qualityDeferralDays")).toMatchObject({ value: 7, setBy: "user" });
    expect(of("graceDays")).toMatchObject({ value: 1, setBy: "admin" });
    expect(of("engagedRestartDays")).toMatchObject({ value: 7, setBy: "default" });
    expect((await changeSettings({ set: {}, unset: ["notices"] })).settings).toContainEqual(
      expect.objectContaining({ key: "notices", setBy: "default" }),
    );
  });
});

describe("every decision", () => {
  it("is kept with its inputs and decided again to the same end", async () => {
    device.publish("kiosk", "1.0", { restart: "always" });
    device.publish("runtime", "1.0", {
      applicability: { isInstallable: { fact: "none", exists: true } },
    });
    around.settings({ timeZone: "Europe/Berlin", maintenanceWindows: [WINDOW] });
    await device.check();
    await tick();
    await tick();
    const decisions = device.orchestrator.decisions.list(100);
    expect(new Set(decisions.map(({ kind }) => kind))).toEqual(new Set(["offers", "timing"]));
    for (const { id } of decisions) {
      expect(device.orchestrator.decisions.replay(id)).toMatchObject({ same: true });
    }
    const before = decisions.length;
    await tick();
    expect(device.orchestrator.decisions.list(100)).toHaveLength(before);
    expect(() => device.orchestrator.decisions.replay("no such id")).toThrow(
      expect.objectContaining({ code: "UPB-DECISION-UNKNOWN" }),
    );
  });
});

const WINDOW = { start: "2026-01-05T02:00", rule: "FREQ=WEEKLY;BYDAY=SA", durationMinutes: 120 };

describe("settings that the update service carries out", () => {
  it("say how long one can go back, and how much of the network is taken", async () => {
    around.settings({ rollbackDays: 30, downloadLimit: 50_000 });
    device.publish("kiosk", "1.0");
    await device.check();
    await device.change({ kind: "install" });
    device.publish("kiosk", "2.0");
    await device.check();
    await tick();
    await tick();
    const [product] = (await status()).products;
    expect(product).toMatchObject({ current: "2.0", previous: "1.0" });
    const left = (product?.rollbackUntilMs ?? 0) - Date.now();
    expect(left).toBeGreaterThan(29 * DAY_MS);
    expect(left).toBeLessThanOrEqual(30 * DAY_MS);
  });
});
