import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TEN_ZONES } from "./tenZones.ts";
import { type Zone, zoneNamed } from "./zone.ts";

const HOUR_MS = 3_600_000;
const times = fc.integer({ min: Date.parse("2024-01-01"), max: Date.parse("2032-01-01") });
const zones = fc.constantFrom(...TEN_ZONES);

describe("a time zone", () => {
  it("shows the same wall clock as Temporal, at any moment and around every jump", () => {
    fc.assert(
      fc.property(zones, times, fc.integer({ min: -3, max: 3 }), (name, atMs, hours) => {
        const zone = required(name);
        const jump = zone.nextJumpMs(atMs) ?? atMs;
        for (const at of [atMs, jump + hours * HOUR_MS, jump - 1, jump]) {
          const wall = Temporal.Instant.fromEpochMilliseconds(at)
            .toZonedDateTimeISO(name)
            .toPlainDateTime();
          expect(zone.localMs(at)).toBe(wall.toZonedDateTime("UTC").epochMilliseconds);
        }
      }),
    );
  });

  it("reads a wall clock as RFC 5545 does, also when it is skipped or shown twice", () => {
    fc.assert(
      fc.property(zones, times, fc.integer({ min: -180, max: 180 }), (name, atMs, minutes) => {
        const zone = required(name);
        const jump = zone.nextJumpMs(atMs) ?? atMs;
        for (const at of [atMs, jump]) {
          const localMs = zone.localMs(at) + minutes * 60_000;
          const wall = Temporal.Instant.fromEpochMilliseconds(localMs)
            .toZonedDateTimeISO("UTC")
            .toPlainDateTime();
          expect(zone.atMs(localMs)).toBe(wall.toZonedDateTime(name).epochMilliseconds);
        }
      }),
    );
  });

  it("that is in no database is none", () => {
    expect(zoneNamed("Europe/Atlantis")).toBeUndefined();
    expect(required("UTC").nextJumpMs(0)).toBeUndefined();
  });
});

function required(name: string): Zone {
  const zone = zoneNamed(name);
  if (zone === undefined) throw new Error(`no zone ${name}`);
  return zone;
}
