/**
 * `npm run bench -- evaluate`: one full evaluation of 1,000 updates with 50 conditions each, under a
 * signed policy with rollouts and holds: what is offered, and for every update the trace of every
 * question with every condition. The sentences of a trace are made when somebody reads it, so they
 * are a row of their own.
 *
 * Counted is the process's own CPU time: other programs on the machine do not change it.
 */

import { evaluationOf, stepsOf } from "../core/explain.ts";
import type { OfferInput } from "../core/installedHere.ts";
import { decideOffers } from "../core/offer.ts";
import { Product, Version } from "../protocol/ids.ts";
import { knownUpdate, offerRules, STABLE } from "../tests/support/knownUpdates.ts";
import { atMost, type Bench, type BenchResult, median } from "./bench.ts";

const PRODUCTS = 200;
const VERSIONS = 5;
const GOAL_MS = 20;
const WARM_UP = 20;
const ROUNDS = 60;
const NOW_MS = Date.parse("2026-06-01T12:00:00Z");

export const evaluateBench: Bench = {
  name: "evaluate",
  describe: "one evaluation of 1,000 updates with 50 conditions each, with the trace of every one",
  run,
};

async function run(): Promise<BenchResult> {
  const input = world();
  const count = input.updates.length;
  const conditions = count * 50;
  const kept = evaluationOf(input);
  const { offers, notOffered } = kept.decision;
  if (offers.length + notOffered.length !== count || kept.traces.size !== count) {
    throw new Error(`${count} updates and not as many answers`);
  }
  // One after the other, so that none pays for what another leaves to be collected.
  const measured = {
    "offers and reasons": measure(() => decideOffers(input)),
    [TRACED]: measure(() => evaluationOf(input)),
    "all traces put into words": measure(() => [...kept.traces.values()].map(stepsOf)),
  };
  const tracedMs = round1(median(measured[TRACED] ?? []));
  return {
    figures: { updates: count, conditions, evaluateTracedCpuMs: tracedMs },
    goals: [atMost("CPU ms for one evaluation, traces included", tracedMs, GOAL_MS)],
    tables: [
      {
        title: `One evaluation of ${count} updates, ${conditions} conditions`,
        header: ["what", "CPU ms (median)", "slowest"],
        rows: Object.entries(measured).map(([what, times]) => [
          what,
          round1(median(times)),
          round1(Math.max(...times)),
        ]),
      },
    ],
  };
}

const TRACED = "… with every trace";

/** The first rounds warm up and do not count. */
function measure(work: () => unknown): number[] {
  const times: number[] = [];
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const startMs = cpuMs();
    work();
    if (round >= WARM_UP) times.push(cpuMs() - startMs);
  }
  return times;
}

/** Every condition is different, and none decides before the last. */
function world(): OfferInput {
  const facts: Record<string, string | number | boolean> = {};
  for (let at = 0; at < 120; at++) facts[`inventory.item-${at}`] = `${at}.${at % 7}`;
  const holding = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => ({
      fact: `inventory.item-${(from + at) % 120}`,
      versionAtLeast: String((from + at) % 120),
    }));
  const failing = (from: number, count: number) =>
    holding(from, count).map((rule) => ({ not: { any: [rule] } }));
  const updates = Array.from({ length: PRODUCTS * VERSIONS }, (_, at) => {
    const product = `product-${Math.floor(at / VERSIONS)}`;
    return knownUpdate(product, `1.${at % VERSIONS}`, {
      applicability: {
        // 1 + 3 × 3, 1 + 3 × 3 and 1 + 29 conditions: 50.
        isInstalled: { any: failing(at, 3) },
        isSuperseded: { any: failing(at + 7, 3) },
        isInstallable: { all: holding(at + 13, 29) },
      },
    });
  });
  const rollouts = updates.slice(0, 300).map(({ id }, at) => ({
    id: `R-${at}`,
    product: id.product,
    version: id.version,
    createdAt: "2026-05-01T00:00:00Z",
    rings: [
      {
        name: "all",
        startsAt: "2026-05-28T00:00:00Z",
        curve: [
          { afterHours: 0, percent: 0 },
          { afterHours: 240, percent: 100 },
        ],
      },
    ],
  }));
  const holds = Array.from({ length: 50 }, (_, at) => ({
    id: `H-${at}`,
    text: "A known problem.",
    updates: { product: `product-${at}` },
    who: { all: [...holding(at, 5), { fact: "gpu", exists: at % 2 === 0 }] },
    createdAt: "2026-05-01T00:00:00Z",
  }));
  return {
    updates,
    facts,
    products: Array.from({ length: PRODUCTS / 2 }, (_, at) => ({
      product: Product.parse(`product-${at * 2}`),
      channel: STABLE,
      current: Version.parse("1.1"),
    })),
    records: [],
    rules: offerRules(NOW_MS, { policy: { rollouts, holds } }),
  };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

const round1 = (value: number): number => Math.round(value * 10) / 10;
