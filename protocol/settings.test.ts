import { describe, expect, it } from "vitest";
import {
  ActiveHours,
  AdminSettings,
  MaintenanceWindow,
  minutesBetween,
  Pause,
  SETTING_KEYS,
  SETTINGS,
  ServerSettings,
  type Settings,
  UserSettings,
} from "./settings.ts";

describe("the table of settings", () => {
  it.each(SETTING_KEYS)("%s has a default that it allows and a sentence", (key) => {
    const { type, text } = SETTINGS[key];
    expect(type.safeParse(SETTINGS[key].default).success).toBe(true);
    expect(text).toMatch(/^[A-Z].+\.$/);
  });

  it("keeps the design's numbers", () => {
    const defaults = Object.fromEntries(SETTING_KEYS.map((key) => [key, SETTINGS[key].default]));
    expect(defaults).toMatchObject({
      checkIntervalHours: 22,
      activeHours: { start: "08:00", end: "17:00" },
      qualityDeadlineDays: 7,
      graceDays: 2,
      engagedRestartDays: 7,
      rollbackDays: 10,
    } satisfies Partial<Settings>);
  });
});

describe("a layer", () => {
  it("takes only what it may say", () => {
    expect(UserSettings.safeParse({ activeHours: { start: "09:00", end: "18:00" } }).success).toBe(
      true,
    );
    expect(UserSettings.safeParse({ qualityDeadlineDays: null }).success).toBe(false);
    expect(AdminSettings.safeParse({ qualityDeadlineDays: null }).success).toBe(true);
  });

  it("written by hand says a wrong name; a signed one may know more than this version", () => {
    expect(AdminSettings.safeParse({ activHours: {} }).success).toBe(false);
    expect(ServerSettings.parse({ fromTheFuture: 1, graceDays: 3 })).toEqual({ graceDays: 3 });
  });
});

describe("a value", () => {
  it("of active hours spans 18 hours at most, also over midnight", () => {
    const allowed = (start: string, end: string) => ActiveHours.safeParse({ start, end }).success;
    expect(allowed("22:00", "06:00")).toBe(true);
    expect(allowed("06:00", "00:00")).toBe(true);
    expect(allowed("06:00", "00:01")).toBe(false);
    expect(allowed("08:00", "08:00")).toBe(false);
    expect(minutesBetween("22:00", "06:00")).toBe(480);
  });

  it("of a pause is 35 days at most from when it was set", () => {
    const setAt = "2026-03-01T00:00:00Z";
    expect(Pause.safeParse({ setAt, until: "2026-04-05T00:00:00Z" }).success).toBe(true);
    expect(Pause.safeParse({ setAt, until: "2026-04-05T00:00:01Z" }).success).toBe(false);
  });

  it("of a maintenance window is an RRULE with a local start", () => {
    const window = { start: "2026-01-05T02:00", durationMinutes: 120 };
    const allowed = (differs: object) => MaintenanceWindow.safeParse({ ...window, ...differs });
    expect(allowed({ rule: "FREQ=MONTHLY;BYDAY=2TU", timeZone: "Europe/Berlin" }).success).toBe(
      true,
    );
    expect(allowed({}).success).toBe(true);
    expect(allowed({ rule: "every tuesday" }).success).toBe(false);
    expect(allowed({ rule: "FREQ=SECONDLY" }).success).toBe(false);
    expect(allowed({ start: "2026-01-05T02:00Z" }).success).toBe(false);
  });
});
