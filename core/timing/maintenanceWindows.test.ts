import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MaintenanceWindow } from "../../protocol/settings.ts";
import { maintenanceWindows, windowProblem } from "./maintenanceWindows.ts";
import { TEN_ZONES } from "./tenZones.ts";
import { type Zone, zoneNamed } from "./zone.ts";

const HOUR_MS = 3_600_000;

describe("a maintenance window", () => {
  it("opens on the second Tuesday of a month at its time of day, summer and winter", () => {
    const windows = open("Europe/Berlin", { rule: "FREQ=MONTHLY;BYDAY=2TU" });
    expect(starts(windows, "2026-06-01T00:00Z", 2)).toEqual([
      "2026-06-09T00:30:00.000Z",
      "2026-07-14T00:30:00.000Z",
    ]);
    expect(starts(windows, "2026-12-01T00:00Z", 1)).toEqual(["2026-12-08T01:30:00.000Z"]);
  });

  it("that the clock skips opens an hour later on the wall, and one that comes twice opens once", () => {
    const windows = open("Europe/Berlin", { rule: "FREQ=DAILY" });
    expect(starts(windows, "2026-03-28T12:00Z", 2)).toEqual([
      "2026-03-29T01:30:00.000Z",
      "2026-03-30T00:30:00.000Z",
    ]);
    expect(starts(windows, "2026-10-24T12:00Z", 2)).toEqual([
      "2026-10-25T00:30:00.000Z",
      "2026-10-26T01:30:00.000Z",
    ]);
  });

  it("is in the device's zone or in its own", () => {
    const inTokyo = open("Europe/Berlin", { timeZone: "Asia/Tokyo" });
    expect(starts(inTokyo, "2026-01-01T00:00Z", 1)).toEqual(["2026-01-04T17:30:00.000Z"]);
  });

  it("without a rule comes once; with an end it ends", () => {
    expect(starts(open("UTC", {}), "2025-01-01T00:00Z", 3)).toEqual(["2026-01-05T02:30:00.000Z"]);
    const until = open("Europe/Berlin", { rule: "FREQ=DAILY;UNTIL=20260107T013000Z" });
    expect(starts(until, "2026-01-05T12:00Z", 9)).toHaveLength(2);
    expect(starts(open("UTC", { rule: "FREQ=WEEKLY;COUNT=2" }), "2026-01-01T00:00Z", 9)).toEqual([
      "2026-01-05T02:30:00.000Z",
      "2026-01-12T02:30:00.000Z",
    ]);
  });

  it("that touches another is one with it", () => {
    const windows = maintenanceWindows(
      [window({ rule: "FREQ=DAILY" }), window({ start: "2026-01-05T04:30", rule: "FREQ=DAILY" })],
      required("UTC"),
    );
    expect(windows.openAt(Date.parse("2026-02-01T03:00Z"))).toEqual({
      startMs: Date.parse("2026-02-01T02:30Z"),
      endMs: Date.parse("2026-02-01T06:30Z"),
    });
  });

  it.each([
    [{ rule: "FREQ=WEEKLY;BYDAY=XX" }, "BYDAY"],
    [{ rule: "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30" }, "never"],
    [{ start: "2026-02-30T02:30" }, "2026-02-30"],
    [{ timeZone: "Europe/Atlantis" }, "time zone"],
  ])("%j says what is wrong with it and opens never", (differs, problem) => {
    expect(windowProblem(window(differs))).toContain(problem);
    expect(open("UTC", differs).nextAfter(0)).toBeUndefined();
  });

  it("lasts as long as it says in every zone, and never opens in the past", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...TEN_ZONES),
        fc.constantFrom("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SU,WE", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        fc.integer({ min: Date.parse("2026-01-06"), max: Date.parse("2030-01-01") }),
        (zone, rule, nowMs) => {
          const windows = open(zone, { rule });
          const next = windows.nextAfter(nowMs);
          if (next === undefined) throw new Error("it recurs for ever");
          expect(next.startMs).toBeGreaterThan(nowMs);
          expect(next.endMs - next.startMs).toBe(2 * HOUR_MS);
          expect(windows.openAt(next.startMs)).toEqual(next);
          expect(windows.openAt(next.startMs - 1)).toBeUndefined();
          expect(windows.openAt(next.endMs)).toBeUndefined();
        },
      ),
      { numRuns: 60 },
    );
  });
});

const window = (differs: Partial<MaintenanceWindow>): MaintenanceWindow => ({
  start: "2026-01-05T02:30",
  durationMinutes: 120,
  ...differs,
});
const open = (zone: string, differs: Partial<MaintenanceWindow>) =>
  maintenanceWindows([window(differs)], required(zone));

function starts(windows: ReturnType<typeof open>, from: string, count: number): string[] {
  const found: string[] = [];
  let next = windows.nextAfter(Date.parse(from));
  while (next !== undefined && found.length < count) {
    found.push(new Date(next.startMs).toISOString());
    next = windows.nextAfter(next.startMs);
  }
  return found;
}

function required(name: string): Zone {
  const zone = zoneNamed(name);
  if (zone === undefined) throw new Error(`no zone ${name}`);
  return zone;
}
