import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Rollout } from "../protocol/offerPolicy.ts";
import { placeOf, reachOf } from "./rollout.ts";
import { percentAt, planTimes, ringTimes } from "./rolloutPlan.ts";

const START = Date.parse("2026-06-01T00:00:00Z");
const HOUR_MS = 3_600_000;
const iso = (hours: number) => new Date(START + hours * HOUR_MS).toISOString();

const someRollout = fc
  .record({
    startsAfter: fc.integer({ min: 0, max: 10 }),
    steps: fc.array(
      fc.record({ hours: fc.integer({ min: 1, max: 20 }), more: fc.integer({ min: 0, max: 60 }) }),
      { minLength: 1, maxLength: 5 },
    ),
    pauses: fc.array(
      fc.record({ after: fc.integer({ min: 0, max: 20 }), for: fc.integer({ min: 0, max: 20 }) }),
      { maxLength: 4 },
    ),
    isOpen: fc.boolean(),
    expedite: fc.constantFrom(undefined, { deadlineDays: 1 }),
  })
  .map(({ startsAfter, steps, pauses, isOpen, expedite }) => {
    let hours = 0;
    let percent = 0;
    const curve = steps.map((step, at) => {
      hours += at === 0 ? step.hours - 1 : step.hours;
      percent = Math.min(100, percent + step.more);
      return { afterHours: hours, percent };
    });
    let at = 0;
    const closed = pauses.map((pause) => {
      const from = at + pause.after;
      at = from + pause.for;
      return { from: iso(from), to: iso(at) };
    });
    const last = isOpen ? [{ from: iso(at + 3) }] : [];
    return Rollout.parse({
      id: "kiosk-2",
      product: "kiosk",
      version: "2.0",
      createdAt: iso(0),
      state: isOpen ? "paused" : "running",
      rings: [{ name: "all", startsAt: iso(startsAfter), curve }],
      pauses: [...closed, ...last],
      ...(expedite === undefined ? {} : { expedite }),
    });
  });

describe("the plan of a rollout", () => {
  it("has reached a share of the ring when it has reached the machines of that share", () => {
    fc.assert(
      fc.property(someRollout, fc.integer({ min: 0, max: 3_000_000 }), (rollout, seconds) => {
        const [ring] = rollout.rings;
        if (ring === undefined) throw new Error("it has a ring");
        const atMs = START + seconds * 100;
        const percent = percentAt(rollout, ring, atMs);
        for (let number = 0; number < 20; number++) {
          const deviceId = `dev-${number}`;
          const place = placeOf(deviceId, rollout.id) * 100;
          // At the very edge rounding to milliseconds decides.
          if (Math.abs(place - percent) < 0.001) continue;
          const { is } = reachOf(rollout, { deviceId, facts: {} }, atMs);
          expect([number, is === "reached"]).toEqual([number, place < percent]);
        }
      }),
    );
  });

  it("is a straight line between the moments at which it bends", () => {
    fc.assert(
      fc.property(someRollout, fc.double({ min: 0, max: 1, noNaN: true }), (rollout, share) => {
        const [ring] = rollout.rings;
        if (ring === undefined) throw new Error("it has a ring");
        const times = planTimes(rollout);
        for (const [at, from] of times.slice(0, -1).entries()) {
          const to = times[at + 1] ?? from;
          // Within the millisecond of a step.
          if (to - from <= 1) continue;
          const between = Math.round(from + share * (to - 1 - from));
          const line =
            percentAt(rollout, ring, from) +
            ((between - from) / (to - from)) *
              (percentAt(rollout, ring, to - 1) - percentAt(rollout, ring, from));
          expect(Math.abs(percentAt(rollout, ring, between) - line)).toBeLessThan(0.01);
        }
      }),
    );
  });

  it("says when a ring begins and ends, as far as no pause is open before", () => {
    fc.assert(
      fc.property(someRollout, (rollout) => {
        const [ring] = rollout.rings;
        if (ring === undefined) throw new Error("it has a ring");
        const { startsMs, endsMs } = ringTimes(rollout, ring);
        if (startsMs !== undefined) expect(percentAt(rollout, ring, startsMs - 1)).toBe(0);
        if (endsMs !== undefined && rollout.expedite === undefined)
          expect(percentAt(rollout, ring, endsMs)).toBe(ring.curve.at(-1)?.percent);
        if (endsMs === undefined) expect(rollout.state).toBe("paused");
      }),
    );
  });
});
