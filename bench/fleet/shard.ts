/** A part of the fleet, in a thread of its own: every machine through `core/simulate.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { reachOf } from "../../core/rollout.ts";
import { type SimulatedMachine, simulate } from "../../core/simulate.ts";
import { zoneNamed } from "../../core/timing/zone.ts";
import { Product, Version } from "../../protocol/ids.ts";
import { Rollout } from "../../protocol/offerPolicy.ts";
import { STABLE } from "../../tests/support/knownUpdates.ts";
import {
  DAY_MS,
  DAYS,
  GOOD,
  GOOD_ROLLOUT,
  HALT_MS,
  HOUR_MS,
  rulesAt,
  START_MS,
  UPDATES,
} from "./scenario.ts";

export interface ShardOrder {
  readonly from: number;
  readonly to: number;
  readonly kind: "always on" | "office";
}

export interface ShardCount {
  /** Requests to the server in each five minutes. */
  readonly requests: Uint32Array;
  /** Machines that were first offered the good update in each hour. */
  readonly offered: Uint32Array;
  /** Machines that its curve reached in each hour. */
  readonly planned: Uint32Array;
  /** For each machine, how long after the curve it was offered the good update. */
  readonly lagMs: readonly number[];
  readonly installed: number;
  readonly bad: {
    readonly offered: number;
    readonly offeredAfterHalt: number;
    readonly installed: number;
    /** Of them, by machines that had not asked again since. */
    readonly installedAfterHalt: number;
    /** When the last machine that had it on offer was told. */
    readonly lastToldMs: number;
  };
}

export const BUCKET_MS = 5 * 60_000;
/** The timestamp; when something changed also snapshot, role, policy, index, manifest. */
const REQUESTS = { check: 1, offered: 5, downloading: 2 };

function runShard({ from, to, kind }: ShardOrder): ShardCount {
  const zone = zoneNamed("UTC");
  if (zone === undefined) throw new Error("no UTC");
  const requests = new Uint32Array((DAYS * DAY_MS) / BUCKET_MS + 1);
  const offered = new Uint32Array(DAYS * 24 + 1);
  const planned = new Uint32Array(DAYS * 24 + 1);
  const lagMs: number[] = [];
  const bad = { offered: 0, offeredAfterHalt: 0, installed: 0, installedAfterHalt: 0 };
  let [installed, lastToldMs] = [0, HALT_MS];
  const goodRollout = Rollout.parse(GOOD_ROLLOUT);

  const count = (realMs: number, requested: number): void => {
    const bucket = Math.floor((realMs - START_MS) / BUCKET_MS);
    requests[bucket] = (requests[bucket] ?? 0) + requested;
  };
  const hourly = (into: Uint32Array, ms: number): void => {
    const hour = Math.min(into.length - 1, Math.max(0, Math.floor((ms - START_MS) / HOUR_MS)));
    into[hour] = (into[hour] ?? 0) + 1;
  };

  for (let number = from; number < to; number++) {
    const deviceId = `dev-${number.toString(16).padStart(32, "0")}`;
    const facts = number % 100 === 0 ? { "tag.pilot": true } : {};
    const reach = reachOf(goodRollout, { deviceId, facts }, START_MS + DAYS * DAY_MS);
    const plannedMs = reach.is === "reached" ? reach.sinceMs : Number.POSITIVE_INFINITY;
    hourly(planned, plannedMs);
    const random = chances(number + 1);
    let [hasGood, hasBad] = [false, false];
    simulate(
      {
        startMs: START_MS,
        days: DAYS,
        zone,
        activeHours: { start: "08:00", end: "17:00" },
        updates: UPDATES,
        facts,
        products: [
          {
            product: Product.parse("kiosk"),
            channel: STABLE,
            current: Version.parse("1.0"),
          },
        ],
        records: [],
        rulesAt: (nowMs) => rulesAt(deviceId, nowMs),
        machine: kind === "office" ? office(random) : ALWAYS_ON,
        // A fleet that has been running: nobody is overdue at the start.
        lastCheckMs: START_MS - random() * 17.6 * HOUR_MS,
        random,
      },
      (event) => {
        if (event.kind === "check") {
          count(event.realMs, REQUESTS.check);
          if (event.realMs < HALT_MS || !hasBad) return;
          hasBad = false;
          lastToldMs = Math.max(lastToldMs, event.realMs);
        } else if (event.kind === "offered" || event.kind === "downloading") {
          count(event.realMs, REQUESTS[event.kind]);
          if (event.kind !== "offered") return;
          if (event.update.version === GOOD.id.version) {
            // Superseded for a while and offered again is not offered late.
            if (hasGood) return;
            hasGood = true;
            hourly(offered, event.realMs);
            lagMs.push(event.realMs - plannedMs);
          } else {
            hasBad = true;
            bad.offered += 1;
            if (event.realMs >= HALT_MS) bad.offeredAfterHalt += 1;
          }
        } else if (event.kind === "installed") {
          if (event.update.version === GOOD.id.version) installed += 1;
          else {
            hasBad = false;
            bad.installed += 1;
            if (event.realMs >= HALT_MS) bad.installedAfterHalt += 1;
          }
        }
      },
    );
  }
  return { requests, offered, planned, lagMs, installed, bad: { ...bad, lastToldMs } };
}

const TOOLS = { downloadBytesPerSecond: 4e6, installMs: 60_000, restartMs: 60_000 };
const SENSES = { network: "unmetered", power: "mains", busy: false } as const;

const ALWAYS_ON: SimulatedMachine = {
  ...TOOLS,
  at: () => ({ ...SENSES, isOn: true, people: "nobody" }),
  nextChangeMs: () => Number.POSITIVE_INFINITY,
};

/** Switched on between 7:30 and 9:30 on working days, and off some nine hours later. */
function office(random: () => number): SimulatedMachine {
  const onMs = Math.round((7.5 + 2 * random()) * HOUR_MS);
  const offMs = onMs + Math.round((8 + 2 * random()) * HOUR_MS);
  const dayOf = (ms: number) => START_MS + Math.floor((ms - START_MS) / DAY_MS) * DAY_MS;
  const isWorkday = (dayMs: number) => ((dayMs - START_MS) / DAY_MS) % 7 < 5;
  return {
    ...TOOLS,
    at(ms) {
      const dayMs = dayOf(ms);
      const isOn = isWorkday(dayMs) && ms - dayMs >= onMs && ms - dayMs < offMs;
      return { ...SENSES, isOn, people: isOn ? "present" : "nobody" };
    },
    nextChangeMs(ms) {
      const dayMs = dayOf(ms);
      const edges = [dayMs + onMs, dayMs + offMs, dayMs + DAY_MS + onMs];
      return edges.find((edge) => edge > ms) ?? dayMs + DAY_MS;
    },
  };
}

/** A machine's own chances, the same in every run: a linear congruence of 31 bits. */
function chances(seed: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) >>> 1) % 2_147_483_646 || 1;
  return () => {
    state = Number((BigInt(state) * 48_271n) % 2_147_483_647n);
    return state / 2_147_483_647;
  };
}

// The main thread reads these types and constants too, and is no shard.
if (parentPort !== null) parentPort.postMessage(runShard(workerData as ShardOrder));
