import { describe, expect, it } from "vitest";
import { SETTING_KEYS, SETTINGS, type Settings } from "../../protocol/settings.ts";
import { knownUpdate } from "../../tests/support/knownUpdates.ts";
import { maintenanceWindows } from "./maintenanceWindows.ts";
import { planNow } from "./plan.ts";
import type { Machine, PendingUpdate, Situation } from "./situation.ts";
import { zoneNamed } from "./zone.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A Tuesday at noon, inside active hours; and two in the morning after, outside. */
const NOON_MS = Date.parse("2026-03-10T12:00:00Z");
const NIGHT_MS = Date.parse("2026-03-11T02:00:00Z");

describe("a download", () => {
  const offered = (differs: Partial<PendingUpdate> = {}) =>
    update({ stage: "offered", ...differs });

  it.each<[string, Partial<Machine>, Partial<Settings>, string[]]>([
    ["goes by itself", {}, {}, []],
    ["waits for a network", { network: "none" }, {}, ["network"]],
    ["waits for one that costs nothing", { network: "metered" }, {}, ["unmetered-network"]],
    ["takes any where that is allowed", { network: "metered" }, { downloadOnMetered: true }, []],
    ["makes room for a person", { people: "present" }, {}, ["person-away"]],
    ["makes room for work", { busy: true }, {}, ["machine-idle"]],
    ["waits to be asked for", {}, { download: "ask" }, ["download-consent"]],
  ])("%s", (_, machine, settings, reasons) => {
    expect(waits(situation({ machine, settings, updates: [offered()] }))).toEqual(reasons);
  });

  it("makes room for a day only, and waits for no consent after its deadline", () => {
    const present = { people: "present" } as const;
    const old = offered({ firstOfferedMs: NOON_MS - DAY_MS });
    expect(waits(situation({ machine: present, updates: [old] }))).toEqual([]);
    const overdue = offered({ firstOfferedMs: NOON_MS - 7 * DAY_MS });
    const ask = { download: "ask" } as const;
    expect(waits(situation({ settings: ask, updates: [overdue] }))).toEqual([]);
    const metered = situation({ machine: { network: "metered" }, updates: [overdue] });
    expect(waits(metered)).toEqual(["unmetered-network"]);
  });

  it("that somebody asked for goes at once, over any network", () => {
    const asked = offered({ asked: "download", notBeforeMs: NOON_MS + DAY_MS });
    const machine = { network: "metered", people: "present", busy: true } as const;
    expect(waits(situation({ machine, updates: [asked] }))).toEqual([]);
  });

  it("of an optional update waits to be asked for, also after any deadline", () => {
    const optional = offered({ optional: true, firstOfferedMs: NOON_MS - 99 * DAY_MS });
    expect(waits(situation({ updates: [optional] }))).toEqual(["download-consent"]);
  });
});

describe("an install", () => {
  it.each<[string, Partial<Machine>, Partial<Settings>, string[]]>([
    ["goes by itself", {}, {}, []],
    ["waits for mains power", { power: "battery" }, {}, ["mains-power"]],
    ["makes room for a person", { people: "present" }, {}, ["person-away"]],
    ["waits to be asked for", {}, { install: "ask" }, ["install-consent"]],
    ["waits for its window", {}, window("22:00"), ["maintenance-window"]],
    ["goes in its window", { people: "present" }, window("11:00"), []],
  ])("%s", (_, machine, settings, reasons) => {
    expect(waits(situation({ machine, settings, updates: [update({})] }))).toEqual(reasons);
  });

  it("waits for nothing of that after its deadline", () => {
    const overdue = update({ firstOfferedMs: NOON_MS - 7 * DAY_MS });
    const machine = { power: "battery", people: "present", busy: true } as const;
    const settings = { install: "ask", ...window("22:00") } as const;
    expect(waits(situation({ machine, settings, updates: [overdue] }))).toEqual([]);
  });

  it("that may ask questions is started by a person only, and has no deadline", () => {
    const asking = update({ userInput: true, firstOfferedMs: NOON_MS - 99 * DAY_MS });
    expect(waits(situation({ updates: [asking] }))).toEqual(["install-consent"]);
    expect(waits(situation({ updates: [{ ...asking, asked: "install" }] }))).toEqual([]);
  });

  it("that failed waits for its next try, also after its deadline", () => {
    const failed = update({
      firstOfferedMs: NOON_MS - 99 * DAY_MS,
      notBeforeMs: NOON_MS + HOUR_MS,
    });
    const plan = planNow(situation({ updates: [failed] }));
    expect(plan.waiting[0]?.waiting.map((it) => it.reason)).toEqual(["retry"]);
    expect(plan.lookAgainMs).toBe(NOON_MS + HOUR_MS);
  });

  it("is preceded by a check where the last one was more than an hour ago, unless it is offline", () => {
    const at = (askedServerMs: number, network: Machine["network"] = "unmetered") =>
      planNow({ ...situation({ machine: { network }, updates: [update({})] }), askedServerMs });
    expect(at(NOON_MS - 2 * HOUR_MS)).toMatchObject({ checkFirst: true, install: [] });
    expect(at(NOON_MS - HOUR_MS)).toMatchObject({ checkFirst: false, install: [{}] });
    expect(at(NOON_MS - 2 * HOUR_MS, "none")).toMatchObject({ checkFirst: false, install: [{}] });
    expect(planNow(situation({ updates: [] })).checkFirst).toBe(false);
  });

  it("of the earliest deadline comes first; an exclusive one has the machine to itself", () => {
    const late = update({ product: "late" });
    const soon = update({ product: "soon", deadlineMs: NOON_MS + HOUR_MS });
    const alone = update({ product: "alone", exclusive: true, deadlineMs: NOON_MS });
    const order = (...updates: PendingUpdate[]) =>
      planNow(situation({ updates })).install.map((it) => it.product);
    expect(order(late, soon, alone)).toEqual(["soon", "late"]);
    expect(order(alone)).toEqual(["alone"]);
    expect(order(alone, update({ product: "other", stage: "installing" }))).toEqual([]);
  });

  it("waits for the restart of its own product, and goes along with that of another", () => {
    const pending = update({ product: "kiosk", version: "1", ...pendingSince(NOON_MS) });
    const next = update({ product: "kiosk", version: "2" });
    expect(waits(situation({ updates: [pending, next] }))).toEqual(["restart-pending"]);
    const other = update({ product: "viewer" });
    expect(planNow(situation({ updates: [pending, other] })).install).toEqual([other.id]);
  });
});

describe("what is at work", () => {
  const paused = (differs: Partial<Situation>, ...updates: PendingUpdate[]) =>
    planNow({ ...situation({ updates }), ...differs }).pause;
  const present = { machine: machine({ people: "present" }) };
  const downloading = update({ stage: "downloading" });
  const installing = update({ stage: "installing" });

  it("stops when somebody comes back, and for what it would not have begun for", () => {
    for (const it of [downloading, installing]) {
      expect(paused({}, it)).toEqual([]);
      expect(paused(present, it)).toEqual([it.id]);
    }
    expect(paused({ machine: machine({ network: "metered" }) }, downloading)).toHaveLength(1);
    expect(paused({ machine: machine({ power: "battery" }) }, installing)).toHaveLength(1);
  });

  it("does not stop because the machine is busy: that is its own doing", () => {
    for (const it of [downloading, installing]) {
      expect(paused({ machine: machine({ busy: true }) }, it)).toEqual([]);
    }
  });

  it("goes on beside people from its deadline on, and when somebody asked for it", () => {
    const overdue = { firstOfferedMs: NOON_MS - 7 * DAY_MS };
    expect(paused(present, { ...installing, ...overdue })).toEqual([]);
    expect(paused(present, { ...installing, asked: "install" })).toEqual([]);
  });

  it("goes on when it goes along with a restart that is about to happen", () => {
    const other = update({ product: "other", restart: "always", ...pendingSince(NOON_MS) });
    const asked = { ...present, restart: wishes({ now: true }) };
    expect(paused(asked, installing, other)).toEqual([]);
    expect(paused(present, installing, other)).toEqual([installing.id]);
  });
});

describe("a restart", () => {
  const pending = update({ restart: "always", ...pendingSince(NOON_MS - HOUR_MS) });
  const away = { people: "away" } as const;

  it("waits for the end of active hours, and comes at night when nobody is there", () => {
    expect(restartWaits(situation({ updates: [pending] }))).toEqual(["active-hours"]);
    expect(restart(situation({ nowMs: NIGHT_MS, updates: [pending] }))?.now).toBe(true);
  });

  it.each<[string, Partial<Situation>, string[]]>([
    ["somebody uses the machine", { machine: machine({ people: "present" }) }, ["person-away"]],
    ["the machine is busy", { machine: machine({ busy: true }) }, ["machine-idle"]],
    ["it runs on battery", { machine: machine({ power: "battery" }) }, ["mains-power"]],
    ["an application objects", { inhibitors: [{ who: "backup", why: "it runs" }] }, ["inhibitor"]],
    ["it was put off", { restart: wishes({ snoozedUntilMs: NIGHT_MS + 1 }) }, ["snoozed"]],
    [
      "the lock service says no",
      { restart: wishes({ lockDenied: { by: "fleet", untilMs: NIGHT_MS + 1, because: "Full." } }) },
      ["restart-lock"],
    ],
  ])("waits while %s", (_, differs, reasons) => {
    const night = { ...situation({ nowMs: NIGHT_MS, updates: [pending] }), ...differs };
    expect(restartWaits(night)).toEqual(reasons);
  });

  it("counts down for fifteen minutes where somebody is signed in", () => {
    const night = (nowMs: number, warnedMs?: number) =>
      restart({
        ...situation({ nowMs, machine: away, updates: [pending] }),
        restart: wishes({ warnedMs: { "15min": warnedMs } }),
      });
    expect(night(NIGHT_MS)).toMatchObject({ now: false, warn: "15min" });
    expect(night(NIGHT_MS + 14 * MINUTE_MS, NIGHT_MS)?.now).toBe(false);
    expect(night(NIGHT_MS + 15 * MINUTE_MS, NIGHT_MS)?.now).toBe(true);
    const slept = night(NIGHT_MS + 3 * HOUR_MS, NIGHT_MS);
    expect(slept).toMatchObject({ now: false, warn: "15min" });
  });

  it("has its deadline by the one written formula", () => {
    const deadline = (firstOfferedMs: number, restartPendingMs: number) =>
      restart(
        situation({ updates: [update({ firstOfferedMs, ...pendingSince(restartPendingMs) })] }),
      )?.plan.deadlineMs;
    expect(deadline(NOON_MS - DAY_MS, NOON_MS)).toBe(NOON_MS + 6 * DAY_MS);
    expect(deadline(NOON_MS - 6 * DAY_MS, NOON_MS)).toBe(NOON_MS + 2 * DAY_MS);
  });

  it("is warned of a day, four hours and a quarter before the deadline, which beats all else", () => {
    const due = update({
      firstOfferedMs: NOON_MS - 7 * DAY_MS,
      ...pendingSince(NOON_MS - 2 * DAY_MS),
    });
    const at = (beforeMs: number, warnedMs: object) =>
      restart({
        ...situation({ nowMs: NOON_MS - beforeMs, machine: { people: "present" }, updates: [due] }),
        inhibitors: [{ who: "backup", why: "it runs" }],
        restart: wishes({ warnedMs }),
      });
    expect(at(25 * HOUR_MS, {})?.warn).toBeUndefined();
    expect(at(24 * HOUR_MS, {})?.warn).toBe("24h");
    const day = { "24h": NOON_MS - 24 * HOUR_MS };
    expect(at(23 * HOUR_MS, day)?.warn).toBeUndefined();
    expect(at(4 * HOUR_MS, day)?.warn).toBe("4h");
    const hours = { ...day, "4h": NOON_MS - 4 * HOUR_MS };
    expect(at(15 * MINUTE_MS, hours)?.warn).toBe("15min");
    const all = { ...hours, "15min": NOON_MS - 15 * MINUTE_MS };
    expect(at(1, all)?.now).toBe(false);
    expect(at(0, all)?.now).toBe(true);
  });

  it("gives somebody who was away when the deadline passed four hours from the first warning", () => {
    const old = update({ firstOfferedMs: 0, ...pendingSince(NOON_MS - 20 * DAY_MS) });
    const back = (nowMs: number, warnedMs: object) =>
      restart({
        ...situation({ nowMs, machine: { people: "present" }, updates: [old] }),
        restart: wishes({ warnedMs }),
      });
    expect(back(NOON_MS, {})).toMatchObject({
      now: false,
      warn: "4h",
      plan: { deadlineMs: NOON_MS + 4 * HOUR_MS },
    });
    const warned = { "4h": NOON_MS, "15min": NOON_MS + 3.75 * HOUR_MS };
    expect(back(NOON_MS + 4 * HOUR_MS, warned)?.now).toBe(true);
    const nobody = situation({ nowMs: NOON_MS, updates: [old] });
    expect(restart(nobody)?.now).toBe(true);
  });

  it("asks for a time after seven days without a deadline, and takes the one that was chosen", () => {
    const settings = { qualityDeadlineDays: null } as const;
    const old = update({ restart: "always", ...pendingSince(NIGHT_MS - 8 * DAY_MS) });
    const night = situation({ nowMs: NIGHT_MS, settings, machine: away, updates: [old] });
    expect(restart(night)?.plan).toMatchObject({ mode: "engaged" });
    expect(restartWaits(night)).toEqual(["restart-consent"]);
    const chosenMs = NIGHT_MS + 8 * HOUR_MS;
    const chosen = { ...night, restart: wishes({ chosenMs }) };
    expect(restart(chosen)?.plan).toMatchObject({ mode: "chosen", atMs: chosenMs });
    const missed = { ...chosen, nowMs: chosenMs + 2 * HOUR_MS };
    expect(restart(missed)?.plan.mode).toBe("engaged");
    const empty = situation({ nowMs: NIGHT_MS, settings, updates: [old] });
    expect(restart(empty)).toMatchObject({ now: true, plan: { mode: "automatic" } });
  });

  it("that somebody asks for now comes now, though not into an install that runs", () => {
    const now = { ...situation({ updates: [pending] }), restart: wishes({ now: true }) };
    expect(restart(now)?.now).toBe(true);
    const installing = update({ product: "other", stage: "installing" });
    expect(restart({ ...now, updates: [pending, installing] })?.now).toBe(false);
  });

  it("waits for what is being downloaded, for a day, so that one restart does for both", () => {
    const other = update({ product: "other", stage: "downloading", restart: "always" });
    const at = (nowMs: number) => situation({ nowMs, updates: [pending, other] });
    expect(restartWaits(at(NIGHT_MS))).toEqual(["before-it"]);
    expect(restart(at(NIGHT_MS + DAY_MS))?.now).toBe(true);
    const small = { ...other, restart: "never" } as const;
    expect(restart(situation({ nowMs: NIGHT_MS, updates: [pending, small] }))?.now).toBe(true);
  });

  it("by force takes along what is downloaded and would need another one", () => {
    const due = update({ firstOfferedMs: 0, ...pendingSince(NOON_MS - 9 * DAY_MS) });
    const other = update({ product: "other", restart: "always" });
    const warnedMs = { "4h": NOON_MS - 4 * HOUR_MS, "15min": NOON_MS - 15 * MINUTE_MS };
    const at = (nowMs: number, people: Machine["people"] = "present") =>
      planNow({
        ...situation({ nowMs, machine: { people }, updates: [due, other] }),
        restart: wishes({ warnedMs }),
      });
    expect(at(NOON_MS)).toMatchObject({ install: [other.id], restart: { now: false } });
    expect(at(NOON_MS, "nobody")).toMatchObject({ install: [other.id], restart: { now: false } });
  });
});

describe("a shutdown", () => {
  it("takes along what is downloaded and what nobody has to be asked about", () => {
    const at = (settings: Partial<Settings>, differs: Partial<PendingUpdate> = {}) =>
      planNow(situation({ settings, updates: [update(differs)] })).atShutdown.length;
    expect(at({})).toBe(1);
    expect(at({ installAtShutdown: false })).toBe(0);
    expect(at({ install: "ask" })).toBe(0);
    expect(at({ install: "ask" }, { asked: "install" })).toBe(1);
    expect(at({}, { userInput: true })).toBe(0);
    expect(at({}, { optional: true })).toBe(0);
    expect(at({}, { stage: "offered" })).toBe(0);
  });
});

function update({
  product = "kiosk",
  version = "2.0",
  ...differs
}: Partial<PendingUpdate> & { product?: string; version?: string }): PendingUpdate {
  return {
    id: knownUpdate(product, version).id,
    stage: "downloaded",
    classification: "update",
    restart: "never",
    userInput: false,
    exclusive: false,
    optional: false,
    firstOfferedMs: NOON_MS - HOUR_MS,
    asked: "nothing",
    ...differs,
  };
}

function pendingSince(restartPendingMs: number) {
  return { stage: "restart-pending", restartPendingMs } as const;
}

function machine(differs: Partial<Machine> = {}): Machine {
  return { network: "unmetered", power: "mains", people: "nobody", busy: false, ...differs };
}

function wishes(differs: Partial<Situation["restart"]> = {}): Situation["restart"] {
  return { now: false, warnedMs: {}, ...differs };
}

function situation(differs: {
  nowMs?: number;
  machine?: Partial<Machine>;
  settings?: Partial<Settings>;
  updates: PendingUpdate[];
}): Situation {
  const zone = zoneNamed("UTC");
  if (zone === undefined) throw new Error("no UTC");
  // One value for each key of the table.
  const defaults = Object.fromEntries(
    SETTING_KEYS.map((key) => [key, SETTINGS[key].default]),
  ) as unknown as Settings;
  const settings = { ...defaults, ...differs.settings };
  return {
    nowMs: differs.nowMs ?? NOON_MS,
    settings,
    zone,
    windows: maintenanceWindows(settings.maintenanceWindows, zone),
    activeHours: settings.activeHours,
    machine: machine(differs.machine),
    updates: differs.updates,
    restart: wishes(),
    inhibitors: [],
  };
}

function window(time: string): Partial<Settings> {
  return {
    maintenanceWindows: [{ start: `2026-01-05T${time}`, rule: "FREQ=DAILY", durationMinutes: 120 }],
  };
}

const waits = (now: Situation): string[] =>
  planNow(now).waiting.flatMap((it) => it.waiting.map(({ reason }) => reason));
const restart = (now: Situation) => planNow(now).restart;
const restartWaits = (now: Situation): string[] =>
  restart(now)?.plan.waiting.map(({ reason }) => reason) ?? [];
