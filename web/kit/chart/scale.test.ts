import { describe, expect, it } from "vitest";
import { scale, stack, timeTicks, valueTicks } from "./scale.ts";

const HOUR_MS = 3_600_000;
const at = (text: string) => new Date(text).getTime();

describe("the scales of a chart", () => {
  it.each([
    [0, [0, 1]],
    [1, [0, 1]],
    [7, [0, 2, 4, 6, 8]],
    [100, [0, 50, 100]],
    [1_234, [0, 500, 1_000, 1_500]],
  ])("count up to %d in round steps that are whole machines", (max, ticks) => {
    expect(valueTicks(max)).toEqual(ticks);
  });

  it("mark full hours of a day and midnights of a month, never more than fit", () => {
    const hours = timeTicks(at("2026-11-25T08:20:00"), at("2026-11-25T20:20:00"), 5);
    expect(hours).toEqual(
      ["T09:00", "T12:00", "T15:00", "T18:00"].map((h) => at(`2026-11-25${h}`)),
    );
    const days = timeTicks(at("2026-11-01T08:00"), at("2026-11-30T08:00"), 6);
    expect(days.length).toBeLessThanOrEqual(6);
    for (const day of days) expect(new Date(day).getHours()).toBe(0);
  });

  it("put a span that is nothing at its start", () => {
    expect(scale(5, 5, 10, 90)(5)).toBe(10);
    expect(scale(0, 10, 0, 100)(5)).toBe(50);
  });

  it("stand on each other", () => {
    const line = (...values: number[]) =>
      values.map((value, hour) => ({ atMs: hour * HOUR_MS, value }));
    expect(stack([line(1, 2), line(3, 0)])).toEqual([
      [
        { low: 0, high: 1 },
        { low: 0, high: 2 },
      ],
      [
        { low: 1, high: 4 },
        { low: 2, high: 2 },
      ],
    ]);
  });
});
