import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHECK_INTERVAL_MS, firstCheckMs, nextCheckMs, retryMs } from "./schedule.ts";

const times = fc.integer({ min: 1_700_000_000_000, max: 2_000_000_000_000 });
const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const HOUR_MS = 3_600_000;

describe("the next check", () => {
  it("comes 22 hours after the last one, or up to 20 % sooner", () => {
    expect(nextCheckMs(0, 0)).toBe(22 * HOUR_MS);
    expect(nextCheckMs(0, 0.5)).toBe(19.8 * HOUR_MS);
    fc.assert(
      fc.property(times, randoms, (last, random) => {
        const wait = nextCheckMs(last, random) - last;
        expect(wait).toBeLessThanOrEqual(22 * HOUR_MS);
        expect(wait).toBeGreaterThanOrEqual(63_360_000);
      }),
    );
  });

  it("after a failure comes later and later, but never later than a normal check", () => {
    fc.assert(
      fc.property(
        times,
        fc.integer({ min: 1, max: 10_000 }),
        randoms,
        fc.nat(10 ** 12),
        (failed, failures, random, asked) => {
          const wait = retryMs(failed, failures, random, asked) - failed;
          expect(wait).toBeGreaterThanOrEqual(15_000);
          expect(wait).toBeLessThanOrEqual(CHECK_INTERVAL_MS);
          expect(wait).toBeGreaterThanOrEqual(Math.min(asked, CHECK_INTERVAL_MS));
        },
      ),
    );
    expect(retryMs(0, 1, 0.999)).toBeLessThan(retryMs(0, 3, 0.999));
  });
});

describe("the first check after start-up", () => {
  it("waits at least a minute and at most eleven when nothing was planned", () => {
    fc.assert(
      fc.property(times, randoms, (started, random) => {
        const wait = firstCheckMs(started, undefined, random) - started;
        expect(wait).toBeGreaterThanOrEqual(60_000);
        expect(wait).toBeLessThanOrEqual(660_000);
      }),
    );
  });

  it("keeps an earlier process's plan, but not one from a clock that was wrong", () => {
    expect(firstCheckMs(0, 5 * HOUR_MS, 0)).toBe(5 * HOUR_MS);
    expect(firstCheckMs(0, -5 * HOUR_MS, 0)).toBe(60_000);
    expect(firstCheckMs(0, 365 * 24 * HOUR_MS, 0)).toBe(60_000);
  });

  it("is spread over hours where it is overdue by less than three days, as every morning in an office", () => {
    const latest = (plannedMs: number, failures = 0) =>
      firstCheckMs(0, plannedMs, 0.999_999, failures);
    expect(latest(-5 * HOUR_MS)).toBeGreaterThan(3.9 * HOUR_MS);
    expect(latest(-54 * HOUR_MS)).toBeGreaterThan(3.9 * HOUR_MS);
    expect(latest(-73 * HOUR_MS)).toBeLessThanOrEqual(660_000);
    expect(latest(-5 * HOUR_MS, 1)).toBeLessThanOrEqual(660_000);
  });
});
