/**
 * `npm run bench -- restarts`: two million simulated hours of made-up machines in ten time zones, and
 * how many of their restarts broke a promise: inside active hours before the deadline, hours after
 * it, without a countdown, against an objection, or twice where once would have done. `npm test` runs
 * a small share of the same.
 */
import { runRandomMachine } from "../tests/support/randomMachines.ts";
import { atMost, type Bench, type BenchResult } from "./bench.ts";

const HOURS = 2_000_000;

export const restartsBench: Bench = {
  name: "restarts",
  describe: "two million simulated hours in ten time zones: restarts that broke a promise",
  run,
};

async function run(): Promise<BenchResult> {
  const sum = { machines: 0, hours: 0, restarts: 0, forced: 0 };
  const broken: string[] = [];
  const startedMs = performance.now();
  for (let seed = 1; sum.hours < HOURS; seed++) {
    const run = runRandomMachine(Math.imul(seed, 0x9e3779b1));
    sum.machines += 1;
    sum.hours += run.hours;
    sum.restarts += run.restarts;
    sum.forced += run.forced;
    broken.push(...run.broken.map((text) => `seed ${Math.imul(seed, 0x9e3779b1)}: ${text}`));
  }
  const hoursPerSecond = Math.round(sum.hours / ((performance.now() - startedMs) / 1_000));
  return {
    figures: { ...sum, broken: broken.length, hoursPerSecond },
    goals: [atMost("restarts that broke a promise", broken.length, 0)],
    tables: [
      {
        title: "Simulated machines",
        header: ["machines", "hours", "restarts", "of them forced", "broken promises", "hours/s"],
        rows: [[...Object.values(sum), broken.length, hoursPerSecond]],
      },
      ...(broken.length === 0
        ? []
        : [{ title: "Broken", header: ["what"], rows: broken.slice(0, 20).map((it) => [it]) }]),
    ],
  };
}
