/**
 * `npm run bench -- fleet`: 100,000 machines over 30 simulated days through the deciding code of the
 * device. How the rollout follows its plan, how evenly the server is asked, and how long a halted
 * update is still about.
 *
 * A machine takes up a new offer at its ordinary check, so that a rollout makes no crowd; that is
 * what the lag behind the curve is. Requests are counted in five minutes: with two requests a
 * second the peak of a single second would only show chance.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { atMost, type Bench, type BenchResult, median } from "./bench.ts";
import { DAYS, HALT_MS, HOUR_MS } from "./fleet/scenario.ts";
import { BUCKET_MS, type ShardCount, type ShardOrder } from "./fleet/shard.ts";

const MACHINES = 100_000;
const KINDS = ["always on", "office"] as const;
const GOAL = { peakToMean: 1.5, lagHours: 22 };

export const fleetBench: Bench = {
  name: "fleet",
  describe: "100,000 machines over 30 simulated days: rollout against plan, peak of requests, halt",
  run,
};

async function run(): Promise<BenchResult> {
  const figures: Record<string, number> = {};
  const goals: BenchResult["goals"][number][] = [];
  const rows: (string | number)[][] = [];
  const curves: (string | number)[][] = [];
  for (const kind of KINDS) {
    const startedMs = performance.now();
    const count = await simulateFleet(kind);
    const seconds = (performance.now() - startedMs) / 1_000;
    const found = summary(count);
    const name = kind === "office" ? "office" : "alwaysOn";
    for (const [key, value] of Object.entries(found)) figures[`${name}-${key}`] = value;
    rows.push([kind, ...Object.values(found), Math.round(seconds)]);
    curves.push(...curve(kind, count));
    goals.push(atMost(`peak against mean, ${kind}`, found.peakToMean, GOAL.peakToMean));
    goals.push(atMost(`machines offered it after the halt, ${kind}`, found.afterHalt, 0));
    if (kind === "always on") {
      goals.push(atMost("hours behind the curve at most", found.lagMaxHours, GOAL.lagHours));
    }
  }
  const header = [
    "machines",
    "requests/s mean",
    "peak",
    "peak/mean",
    "lag h median",
    "lag h most",
    "have it %",
    "bad: offered",
    "after halt",
    "installed",
    "of them later",
    "halt known h",
    "ran s",
  ];
  return {
    figures,
    goals,
    tables: [
      { title: `${MACHINES.toLocaleString("en")} machines, ${DAYS} days`, header, rows },
      { title: "Rollout", header: ["machines", "day", "plan %", "offered %"], rows: curves },
    ],
  };
}

function summary({ requests, lagMs, installed, bad }: ShardCount) {
  const perSecond = BUCKET_MS / 1_000;
  // The last bucket is not a whole one.
  const buckets = [...requests.slice(0, -1)];
  const mean = buckets.reduce((sum, it) => sum + it, 0) / buckets.length / perSecond;
  const peak = buckets.reduce((most, it) => Math.max(most, it), 0) / perSecond;
  const most = lagMs.reduce((longest, it) => Math.max(longest, it), 0);
  return {
    mean: round(mean),
    peak: round(peak),
    peakToMean: round(peak / mean),
    lagMedianHours: round(median(lagMs) / HOUR_MS),
    lagMaxHours: round(most / HOUR_MS),
    installedPercent: round((installed / MACHINES) * 100),
    badOffered: bad.offered,
    afterHalt: bad.offeredAfterHalt,
    badInstalled: bad.installed,
    badInstalledAfterHalt: bad.installedAfterHalt,
    haltKnownHours: round((bad.lastToldMs - HALT_MS) / HOUR_MS),
  };
}

function curve(kind: string, { planned, offered }: ShardCount): (string | number)[][] {
  const share = (list: Uint32Array, day: number): number =>
    round((list.slice(0, day * 24).reduce((sum, it) => sum + it, 0) / MACHINES) * 100);
  return [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14].map((day) => [
    kind,
    day,
    share(planned, day),
    share(offered, day),
  ]);
}

/** One thread for each processor; the shards share nothing. */
async function simulateFleet(kind: ShardOrder["kind"]): Promise<ShardCount> {
  const threads = availableParallelism();
  const size = Math.ceil(MACHINES / threads);
  const shards = await Promise.all(
    Array.from({ length: threads }, (_, at) =>
      runShard({ kind, from: at * size, to: Math.min(MACHINES, (at + 1) * size) }),
    ),
  );
  return shards.reduce(together);
}

function runShard(workerData: ShardOrder): Promise<ShardCount> {
  const worker = new Worker(new URL("./fleet/shard.ts", import.meta.url), { workerData });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`a shard ended with ${code}`)));
  });
}

const together = (a: ShardCount, b: ShardCount): ShardCount => ({
  requests: a.requests.map((it, at) => it + (b.requests[at] ?? 0)),
  offered: a.offered.map((it, at) => it + (b.offered[at] ?? 0)),
  planned: a.planned.map((it, at) => it + (b.planned[at] ?? 0)),
  lagMs: [...a.lagMs, ...b.lagMs],
  installed: a.installed + b.installed,
  bad: {
    offered: a.bad.offered + b.bad.offered,
    offeredAfterHalt: a.bad.offeredAfterHalt + b.bad.offeredAfterHalt,
    installed: a.bad.installed + b.bad.installed,
    installedAfterHalt: a.bad.installedAfterHalt + b.bad.installedAfterHalt,
    lastToldMs: Math.max(a.bad.lastToldMs, b.bad.lastToldMs),
  },
});

const round = (value: number): number => Math.round(value * 100) / 100;
