/**
 * Machines made up from a seed, with odd people, networks, clocks and settings in ten time zones, and
 * what must be true of every restart of theirs. The tests run some thousand hours of them, the bench
 * `restarts` millions.
 *
 * What must be true is computed here a second time, from the events alone and with Temporal.
 */

import type { SettingsLayer } from "../../core/settings.ts";
import {
  type SimulatedEvent,
  type SimulatedMachine,
  type SimulationInput,
  simulate,
} from "../../core/simulate.ts";
import type { Situation } from "../../core/timing/situation.ts";
import { TEN_ZONES } from "../../core/timing/tenZones.ts";
import { type Zone, zoneNamed } from "../../core/timing/zone.ts";
import { Product, Version } from "../../protocol/ids.ts";
import { knownUpdate, offerRules, STABLE } from "./knownUpdates.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Four hours from the first warning, one for what goes along, and some for the machine's own work. */
const LATEST_AFTER_DEADLINE_MS = 5.75 * HOUR_MS;

export interface RandomRun {
  readonly hours: number;
  readonly restarts: number;
  readonly forced: number;
  /** What was wrong, as sentences; empty when all held. */
  readonly broken: readonly string[];
}

export function runRandomMachine(seed: number): RandomRun {
  const random = chances(seed);
  const input = randomInput(random);
  const watch = watcher(input);
  simulate(input, watch.see);
  return { hours: input.days * 24, ...watch.result() };
}

interface RandomInput extends SimulationInput {
  readonly clockJumps: boolean;
  /** For how long the machine was on between two moments of real time. */
  onTimeMs(fromMs: number, toMs: number): number;
}

function watcher(input: RandomInput) {
  const broken: string[] = [];
  let [restarts, forced] = [0, 0];
  let countdownMs: number | undefined;
  /** Downloaded and allowed at the last restart, by hash: should have gone along. */
  let leftBehind: ReadonlySet<string> = new Set();

  function restart(event: Extract<SimulatedEvent, { kind: "restart" }>): void {
    const { situation: now, atMs } = event;
    const say = (what: string): void => {
      broken.push(`${new Date(atMs).toISOString()} ${now.zone.name}: ${what}`);
    };
    restarts += 1;
    const pending = now.updates.filter((it) => it.stage === "restart-pending");
    const deadlineMs = Math.min(...pending.map((it) => deadlineOf(it, now)));
    const isForced = atMs >= deadlineMs;
    if (isForced) forced += 1;
    const chosenMs = now.restart.chosenMs ?? Number.POSITIVE_INFINITY;
    const isChosen = chosenMs <= atMs && atMs < chosenMs + HOUR_MS;
    if (!isForced && !isChosen) {
      if (now.settings.maintenanceWindows.length > 0) {
        if (now.windows.openAt(atMs) === undefined) say("outside its windows");
      } else if (isActive(now)) say("inside active hours");
      if (now.machine.people === "present") say("somebody was there");
      if (now.machine.busy) say("the machine was busy");
    }
    if (!isForced && now.inhibitors.length > 0) say("somebody objected");
    if (!input.clockJumps && now.machine.people !== "nobody") {
      const countedMs = atMs - (countdownMs ?? Number.NEGATIVE_INFINITY);
      if (countedMs < 15 * MINUTE_MS || countedMs > 31 * MINUTE_MS) {
        say(`the countdown was ${countedMs / MINUTE_MS} minutes`);
      }
    }
    if (!input.clockJumps && isForced) {
      const lateMs = input.onTimeMs(deadlineMs, atMs);
      if (lateMs > LATEST_AFTER_DEADLINE_MS) say(`${lateMs / HOUR_MS} hours after its deadline`);
    }
    if (pending.some((it) => leftBehind.has(it.id.manifestSha256))) {
      say("a second restart where one would have done");
    }
    leftBehind = new Set(goingAlong(now).map((it) => it.id.manifestSha256));
    countdownMs = undefined;
  }

  return {
    see(event: SimulatedEvent): void {
      if (event.kind === "warning" && event.warning === "15min") countdownMs = event.atMs;
      if (event.kind === "restart") restart(event);
    },
    result: () => ({ restarts, forced, broken }),
  };
}

type Pending = Situation["updates"][number];

/** The one written formula, a second time. */
function deadlineOf(update: Pending, { settings }: Situation): number {
  const days =
    update.classification === "feature"
      ? settings.featureDeadlineDays
      : settings.qualityDeadlineDays;
  if (days === null) return Number.POSITIVE_INFINITY;
  return Math.max(
    update.firstOfferedMs + days * DAY_MS,
    (update.restartPendingMs ?? Number.POSITIVE_INFINITY) + settings.graceDays * DAY_MS,
  );
}

function isActive({ nowMs, zone, activeHours }: Situation): boolean {
  const time = Temporal.Instant.fromEpochMilliseconds(nowMs)
    .toZonedDateTimeISO(zone.name)
    .toPlainTime()
    .toString()
    .slice(0, 5);
  const { start, end } = activeHours;
  return start < end ? time >= start && time < end : time >= start || time < end;
}

/** What needs a restart too, lies here, and waits for nothing but a better moment. */
const goingAlong = ({ updates, settings, machine }: Situation): Pending[] =>
  updates.filter(
    (it) =>
      it.stage === "downloaded" &&
      it.restart !== "never" &&
      settings.install === "automatic" &&
      (machine.power === "mains" || settings.installOnBattery),
  );

function randomInput(random: Chances): RandomInput {
  const zone = required(random.oneOf(TEN_ZONES));
  const anywhen = Date.parse("2026-01-01T00:00:00Z") + random.below(3 * 365) * DAY_MS;
  const jump = zone.nextJumpMs(anywhen);
  // Half of them live through a night on which the clock jumps.
  const startMs =
    jump !== undefined && random.isTrue(0.5) ? jump - random.below(9 * 24) * HOUR_MS : anywhen;
  const days = 10 + random.below(20);
  const clockJumps = random.isTrue(0.3);
  const { machine, onTimeMs } = randomMachine(random, startMs, clockJumps);
  const values = randomSettings(random);
  const layers: SettingsLayer[] = [{ layer: "admin", values }];
  const count = 1 + random.below(4);
  const updates = Array.from({ length: count }, (_, at) =>
    knownUpdate(`product-${at}`, "2.0", {
      restart: random.oneOf(["never", "always", "always", "canRequest"]),
      classification: random.oneOf(["security", "feature"]),
      payload: {
        sha256: "a".repeat(64),
        sizeBytes: 300,
        files: 1,
        totalBytes: 1 + random.below(3_000) * 1e6,
      },
    }),
  );
  const rollouts = updates.map(({ id }) => ({
    id: `to-${id.product}`,
    product: id.product,
    version: id.version,
    createdAt: new Date(startMs).toISOString(),
    rings: [
      { name: "all", startsAt: new Date(startMs + random.below(days) * DAY_MS).toISOString() },
    ],
  }));
  const rules = offerRules(startMs, { layers, policy: { rollouts } });
  return {
    startMs,
    days,
    zone,
    activeHours: rules.settings.activeHours,
    updates,
    facts: {},
    products: updates.map(({ id }) => ({
      product: Product.parse(id.product),
      channel: STABLE,
      current: Version.parse("1.0"),
    })),
    records: [],
    rulesAt: (nowMs) => ({ ...rules, nowMs }),
    machine,
    random: random.next,
    clockJumps,
    onTimeMs,
  };
}

function randomSettings(random: Chances): SettingsLayer["values"] {
  const start = random.below(24);
  const clock = (hour: number) =>
    `${String(hour % 24).padStart(2, "0")}:${random.oneOf(["00", "30"])}`;
  const length = 1 + random.below(17);
  const rule = random.oneOf(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SU", "FREQ=WEEKLY;BYDAY=TU,TH"]);
  const windows = [
    { start: `2026-01-01T0${random.below(4)}:30`, rule, durationMinutes: 60 + random.below(180) },
  ];
  return {
    activeHours: { start: clock(start), end: clock(start + length) },
    maintenanceWindows: random.isTrue(0.25) ? windows : [],
    qualityDeadlineDays: random.oneOf([null, 0, 1, 3, 7]),
    featureDeadlineDays: random.oneOf([null, 0, 2, 7]),
    graceDays: random.below(4),
    engagedRestartDays: 2 + random.below(6),
    download: random.oneOf(["automatic", "automatic", "automatic", "ask"]),
    install: random.oneOf(["automatic", "automatic", "automatic", "ask"]),
    restart: random.oneOf(["automatic", "automatic", "automatic", "ask"]),
    downloadOnMetered: random.isTrue(0.3),
    installOnBattery: random.isTrue(0.5),
  };
}

/** Everything about it changes by the hour; the hour's number and the seed say how. */
function randomMachine(random: Chances, startMs: number, clockJumps: boolean) {
  const habits = {
    on: random.oneOf([1, 1, 0.7, 0.3]),
    people: random.oneOf(["nobody", "office", "any"] as const),
    metered: random.oneOf([0, 0.2, 0.8]),
    offline: random.oneOf([0, 0.1, 0.5]),
    battery: random.oneOf([0, 0.3]),
    busy: random.oneOf([0, 0.2]),
    objects: random.oneOf([0, 0, 0.3]),
    decides: random.oneOf([0, 0.02, 0.2]),
    jumps: clockJumps ? 0.02 : 0,
  };
  const salt = random.below(2 ** 31);
  const hourOf = (ms: number) => Math.floor((ms - startMs) / HOUR_MS);
  const draw = (ms: number, what: number) => mixed(salt ^ what, hourOf(ms));
  const isOn = (ms: number) => draw(ms, 1) < habits.on;
  const people = (ms: number): "nobody" | "away" | "present" => {
    if (habits.people === "nobody") return "nobody";
    const hour = ((hourOf(ms) % 24) + 24) % 24;
    if (habits.people === "office") return hour >= 8 && hour < 18 ? "present" : "away";
    return (["nobody", "away", "present"] as const)[Math.floor(draw(ms, 2) * 3)] ?? "away";
  };
  /** A wrong clock stays wrong for some hours. */
  const clockOffsetMs = (ms: number): number => {
    const spell = startMs + Math.floor(hourOf(ms) / 6) * 6 * HOUR_MS;
    if (draw(spell, 3) >= habits.jumps) return 0;
    return Math.round((draw(spell, 4) - 0.5) * 4 * DAY_MS);
  };
  const machine: SimulatedMachine = {
    at: (ms) => ({
      isOn: isOn(ms),
      clockOffsetMs: clockOffsetMs(ms),
      network:
        draw(ms, 5) < habits.offline
          ? "none"
          : draw(ms, 6) < habits.metered
            ? "metered"
            : "unmetered",
      power: draw(ms, 7) < habits.battery ? "battery" : "mains",
      people: people(ms),
      busy: draw(ms, 8) < habits.busy,
    }),
    nextChangeMs: (ms) => startMs + (hourOf(ms) + 1) * HOUR_MS,
    downloadBytesPerSecond: 1e5 * 10 ** (2 * random.next()),
    installMs: (1 + random.below(20)) * MINUTE_MS,
    restartMs: MINUTE_MS,
    wishes(nowMs, plan) {
      const kept = { chosenMs: undefined, snoozedUntilMs: undefined };
      if (plan.restart === undefined || random.next() >= habits.decides) return wished;
      const chooses = random.isTrue(0.5);
      wished = chooses
        ? { ...kept, chosenMs: nowMs + random.below(48) * HOUR_MS }
        : { ...kept, snoozedUntilMs: nowMs + random.below(72) * HOUR_MS };
      return wished;
    },
    inhibitors: (nowMs) =>
      draw(nowMs, 9) < habits.objects
        ? [{ who: "backup", why: "it runs", untilMs: nowMs + HOUR_MS }]
        : [],
  };
  let wished: ReturnType<NonNullable<SimulatedMachine["wishes"]>> = {};
  const onTimeMs = (fromMs: number, toMs: number): number => {
    let sum = 0;
    for (let ms = fromMs; ms < toMs; ) {
      const next = Math.min(toMs, machine.nextChangeMs(ms));
      if (isOn(ms)) sum += next - ms;
      ms = next;
    }
    return sum;
  };
  return { machine, onTimeMs };
}

type Chances = ReturnType<typeof chances>;

function chances(seed: number) {
  let drawn = 0;
  const next = () => mixed(seed, drawn++);
  const below = (count: number) => Math.floor(next() * count);
  return {
    next,
    below,
    isTrue: (share: number) => next() < share,
    oneOf<Value>(values: readonly Value[]): Value {
      const value = values[below(values.length)];
      if (value === undefined) throw new RangeError("one of nothing");
      return value;
    },
  };
}

/** In [0, 1): murmur3's finaliser over two numbers; good enough for made-up lives. */
function mixed(a: number, b: number): number {
  let hash = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x165667b1, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

function required(name: string): Zone {
  const zone = zoneNamed(name);
  if (zone === undefined) throw new Error(`no zone ${name}`);
  return zone;
}
