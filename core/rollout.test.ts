import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Rollout } from "../protocol/offerPolicy.ts";
import { placeOf, reachOf } from "./rollout.ts";

const HOUR_MS = 3_600_000;
const START = "2026-03-02T00:00:00Z";
const START_MS = Date.parse(START);

describe("a machine's place in a rollout", () => {
  it("is the first 48 bits of a SHA-256 that anybody can compute", () => {
    const hex = createHash("sha256").update("kiosk-1.4\ndev-7").digest("hex").slice(0, 12);
    expect(placeOf("dev-7", "kiosk-1.4")).toBe(Number.parseInt(hex, 16) / 2 ** 48);
  });

  it("spreads machines evenly, and another rollout orders them anew", () => {
    const places = devices(4_000).map((id) => [placeOf(id, "one"), placeOf(id, "two")] as const);
    for (let part = 0; part < 10; part++) {
      const share = places.filter(([one]) => one >= part / 10 && one < (part + 1) / 10).length;
      expect(share).toBeGreaterThan(320);
      expect(share).toBeLessThan(480);
    }
    const firstInBoth = places.filter(([one, two]) => one < 0.1 && two < 0.1).length;
    expect(firstInBoth).toBeLessThan(80);
  });
});

describe("a rollout", () => {
  it("reaches the share of machines that its curve says, in time", () => {
    const slow = rollout({ curve: [point(0, 1), point(24, 10), point(72, 100)] });
    const reachedAfter = (hours: number) => share(slow, START_MS + hours * HOUR_MS);
    expect(reachedAfter(-0.01)).toBe(0);
    expect(reachedAfter(0)).toBeCloseTo(0.01, 1);
    expect(reachedAfter(24)).toBeCloseTo(0.1, 1);
    expect(reachedAfter(48)).toBeCloseTo(0.55, 1);
    expect(reachedAfter(72)).toBe(1);
  });

  it("says when it will reach a machine, and keeps its word", () => {
    fc.assert(
      fc.property(rollouts, fc.integer({ min: 0, max: 500 }), times, (plan, device, nowMs) => {
        const reach = at(plan, device, nowMs);
        if (reach.is !== "waiting") return;
        expect(at(plan, device, reach.atMs - 1).is).toBe("waiting");
        expect(at(plan, device, reach.atMs)).toMatchObject({ is: "reached", sinceMs: reach.atMs });
      }),
    );
  });

  it("never takes back what it reached", () => {
    fc.assert(
      fc.property(
        rollouts,
        fc.integer({ min: 0, max: 500 }),
        times,
        fc.nat(1e9),
        (plan, device, nowMs, later) => {
          if (at(plan, device, nowMs).is !== "reached") return;
          expect(at(plan, device, nowMs + later).is).toBe("reached");
        },
      ),
    );
  });

  it("that is paused reaches nobody new and leaves who has it; resumed it goes on where it stood", () => {
    const plan = { curve: [point(0, 0), point(10, 100)] };
    const pausedAt = "2026-03-02T05:00:00Z";
    const paused = rollout({ ...plan, state: "paused", pauses: [{ from: pausedAt }] });
    const later = START_MS + 100 * HOUR_MS;
    expect(share(paused, later)).toBe(share(rollout(plan), Date.parse(pausedAt)));
    const resumed = rollout({ ...plan, pauses: [{ from: pausedAt, to: "2026-03-03T05:00:00Z" }] });
    expect(share(resumed, START_MS + 29 * HOUR_MS)).toBe(share(paused, later));
    expect(share(resumed, START_MS + 34 * HOUR_MS)).toBe(1);
    expect(at(paused, lastOf(paused), later)).toMatchObject({ is: "paused" });
  });

  it("that is halted is for nobody, also not for those whom it reached", () => {
    const halted = rollout({ state: "halted" });
    expect(at(halted, 1, START_MS + HOUR_MS)).toEqual({ is: "halted" });
  });

  it("in a hurry reaches all its machines at once, and stays within its rings", () => {
    const plan = rollout({
      curve: [point(0, 1)],
      startsAt: "2027-01-01T00:00:00Z",
      who: { fact: "tag.kiosk", exists: true },
      expedite: {},
    });
    expect(share(plan, START_MS, { "tag.kiosk": true })).toBe(1);
    expect(share(plan, START_MS)).toBe(0);
  });

  it("that ends below a hundred says so to the others", () => {
    const plan = rollout({ curve: [point(0, 0), point(1, 20)] });
    expect(at(plan, lastOf(plan), START_MS + 9e9)).toMatchObject({
      is: "beyond-curve",
      highestPercent: 20,
    });
  });

  it("takes a machine into the first ring that names it; a rule that cannot be used names nobody", () => {
    let deep: object = { fact: "x", exists: false };
    for (let depth = 0; depth < 40; depth++) deep = { not: deep };
    const plan = Rollout.parse({
      ...rollout({}),
      rings: [
        { name: "broken", who: deep, startsAt: START },
        { name: "pilot", who: { fact: "tag.pilot", exists: true }, startsAt: START },
        { name: "rest", startsAt: "2026-03-09T00:00:00Z" },
      ],
    });
    const pilot = reachOf(plan, { deviceId: "a", facts: { "tag.pilot": true } }, START_MS);
    expect(pilot).toMatchObject({ is: "reached", ring: "pilot" });
    expect(reachOf(plan, { deviceId: "a", facts: {} }, START_MS)).toEqual({
      is: "waiting",
      ring: "rest",
      atMs: Date.parse("2026-03-09T00:00:00Z"),
    });
  });
});

describe("the pauses of a rollout", () => {
  const pauses = (state: string, ...list: object[]) =>
    Rollout.safeParse({ ...rollout({}), state, pauses: list }).success;
  const first = { from: "2026-03-02T05:00:00Z", to: "2026-03-02T06:00:00Z" };
  const open = { from: "2026-03-02T07:00:00Z" };

  it("follow each other, and the open one is the last of a rollout that does not run", () => {
    expect(pauses("running", first)).toBe(true);
    expect(pauses("paused", first, open)).toBe(true);
    expect(pauses("halted", first, open)).toBe(true);
    expect(pauses("running", first, open)).toBe(false);
    expect(pauses("paused", first)).toBe(false);
    expect(pauses("paused", open, first)).toBe(false);
  });
});

const point = (afterHours: number, percent: number) => ({ afterHours, percent });
const devices = (count: number): string[] => Array.from({ length: count }, (_, at) => `dev-${at}`);

function rollout({
  curve = [point(0, 100)],
  startsAt = START,
  who,
  ...rest
}: {
  curve?: object[];
  startsAt?: string;
  who?: object;
  state?: string;
  pauses?: object[];
  expedite?: object;
}): Rollout {
  return Rollout.parse({
    id: "kiosk-1.4",
    product: "kiosk",
    version: "1.4.0",
    createdAt: START,
    rings: [{ name: "all", startsAt, curve, ...(who === undefined ? {} : { who }) }],
    ...rest,
  });
}

const at = (plan: Rollout, device: number, nowMs: number, facts = {}) =>
  reachOf(plan, { deviceId: `dev-${device}`, facts }, nowMs);
const share = (plan: Rollout, nowMs: number, facts = {}): number =>
  devices(2_000).filter((_, device) => at(plan, device, nowMs, facts).is === "reached").length /
  2_000;
/** Of many machines the one that comes last. */
const lastOf = (plan: Rollout): number =>
  devices(500)
    .map((id, device) => ({ device, place: placeOf(id, plan.id) }))
    .toSorted((a, b) => b.place - a.place)[0]?.device ?? 0;

const times = fc.integer({ min: START_MS - 1e8, max: START_MS + 1e9 });
const rollouts = fc
  .record({
    steps: fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 40 })), {
      minLength: 1,
      maxLength: 5,
    }),
    pauses: fc.array(fc.tuple(fc.integer({ min: 0, max: 48 }), fc.integer({ min: 0, max: 48 })), {
      maxLength: 3,
    }),
  })
  .map(({ steps, pauses }) => {
    let [hours, percent, pausedTo] = [0, 0, START_MS - 24 * HOUR_MS];
    const curve = steps.map(([longer, more]) => {
      [hours, percent] = [hours + longer, Math.min(100, percent + more)];
      return point(hours, percent);
    });
    const list = pauses.map(([gap, length]) => {
      const from = pausedTo + gap * HOUR_MS;
      pausedTo = from + length * HOUR_MS;
      return { from: new Date(from).toISOString(), to: new Date(pausedTo).toISOString() };
    });
    return rollout({ curve, pauses: list });
  });
