import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { activeHoursChangeMs, isActiveAt } from "./activeHours.ts";
import { learnedActiveHours } from "./learnedHours.ts";
import { TEN_ZONES } from "./tenZones.ts";
import { type Zone, zoneNamed } from "./zone.ts";

const MINUTE_MS = 60_000;

describe("active hours", () => {
  it("are read off the wall clock, start included and end not", () => {
    const office = { start: "08:00", end: "17:00" };
    const berlin = required("Europe/Berlin");
    const active = (time: string) => isActiveAt(office, berlin, Date.parse(time));
    expect(active("2026-07-01T06:00:00Z")).toBe(true);
    expect(active("2026-07-01T05:59:59Z")).toBe(false);
    expect(active("2026-07-01T15:00:00Z")).toBe(false);
    expect(active("2026-01-01T06:59:59Z")).toBe(false);
    expect(active("2026-01-01T15:59:59Z")).toBe(true);
  });

  it("may go over midnight", () => {
    const night = { start: "22:00", end: "06:00" };
    const active = (time: string) => isActiveAt(night, required("UTC"), Date.parse(time));
    expect(active("2026-01-01T23:00:00Z")).toBe(true);
    expect(active("2026-01-01T05:59:00Z")).toBe(true);
    expect(active("2026-01-01T12:00:00Z")).toBe(false);
  });

  it("change also where the clock shows their edge a second time", () => {
    // On the Chatham Islands 03:45 becomes 02:45 on that night.
    const chatham = required("Pacific/Chatham");
    const jump = chatham.nextJumpMs(Date.parse("2026-01-01T00:00:00Z")) ?? 0;
    const hours = { start: "02:00", end: "03:00" };
    expect(isActiveAt(hours, chatham, jump)).toBe(true);
    expect(activeHoursChangeMs(hours, chatham, jump)).toBe(jump + 15 * MINUTE_MS);
    const later = { start: "03:00", end: "03:30" };
    expect(activeHoursChangeMs(later, chatham, jump - 5 * MINUTE_MS)).toBe(jump + 15 * MINUTE_MS);
  });

  it("change at the moment that is foretold and not before, also when the clock jumps", () => {
    const hour = fc.integer({ min: 0, max: 23 });
    fc.assert(
      fc.property(
        fc.constantFrom(...TEN_ZONES),
        fc.tuple(hour, fc.integer({ min: 1, max: 18 }), fc.constantFrom("00", "30")),
        fc.integer({ min: Date.parse("2026-01-01"), max: Date.parse("2030-01-01") }),
        fc.integer({ min: -36, max: 3 }),
        (name, [start, length, minute], randomMs, hoursFromJump) => {
          const zone = required(name);
          const hours = { start: clock(start, minute), end: clock(start + length, minute) };
          const jump = zone.nextJumpMs(randomMs);
          for (const nowMs of [randomMs, (jump ?? randomMs) + hoursFromJump * 60 * MINUTE_MS]) {
            const changeMs = activeHoursChangeMs(hours, zone, nowMs);
            const before = isActiveAt(hours, zone, nowMs);
            expect(changeMs).toBeGreaterThan(nowMs);
            expect(isActiveAt(hours, zone, changeMs)).toBe(!before);
            for (let ms = nowMs; ms < changeMs; ms += 10 * MINUTE_MS) {
              expect(isActiveAt(hours, zone, ms)).toBe(before);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("learned active hours", () => {
  const use = (from: number, to: number, days = 20) => ({
    days,
    daysByHour: Array.from({ length: 24 }, (_, hour) =>
      (hour - from + 24) % 24 < (to - from + 24) % 24 ? days : 0,
    ),
  });

  it("are the hours of use, also over midnight, without the odd late evening", () => {
    expect(learnedActiveHours(use(9, 18))).toEqual({ start: "09:00", end: "18:00" });
    expect(learnedActiveHours(use(20, 4))).toEqual({ start: "20:00", end: "04:00" });
    const late = use(9, 18);
    const daysByHour = late.daysByHour.map((days, hour) => (hour === 23 ? 2 : days));
    expect(learnedActiveHours({ ...late, daysByHour })).toEqual({ start: "09:00", end: "18:00" });
  });

  it("are none after a few days", () => {
    expect(learnedActiveHours(use(9, 18, 6))).toBeUndefined();
    expect(learnedActiveHours({ days: 28, daysByHour: Array(24).fill(0) })).toBeUndefined();
  });

  it("are 18 hours at most, the busiest, on a machine that never rests", () => {
    const busy = Array.from({ length: 24 }, (_, hour) => (hour >= 2 && hour < 8 ? 5 : 28));
    expect(learnedActiveHours({ days: 28, daysByHour: busy })).toEqual({
      start: "08:00",
      end: "02:00",
    });
  });
});

const clock = (hour: number, minute: string): string =>
  `${String(hour % 24).padStart(2, "0")}:${minute}`;

function required(name: string): Zone {
  const zone = zoneNamed(name);
  if (zone === undefined) throw new Error(`no zone ${name}`);
  return zone;
}
