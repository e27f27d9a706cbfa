import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Channel, Product, Version } from "../protocol/ids.ts";
import { emptyOfferPolicy, OfferPolicy } from "../protocol/offerPolicy.ts";
import { SETTING_KEYS, SETTINGS } from "../protocol/settings.ts";
import { combineSettings, type SettingsLayer, serverLayers } from "./settings.ts";

const NOW_MS = Date.parse("2026-03-01T00:00:00Z");

describe("the effective settings", () => {
  it("are the defaults where nobody says anything, and say so", () => {
    const { settings, policy } = combineSettings([], NOW_MS);
    for (const key of SETTING_KEYS) expect(settings[key]).toEqual(SETTINGS[key].default);
    expect(policy.contradictions).toEqual([]);
    expect(policy.settings.every((it) => it.setBy === "default")).toBe(true);
  });

  it("come from the strongest layer, and name what it overrules", () => {
    const { policy, setBy } = combine(
      { layer: "user", values: { activeHours: { start: "10:00", end: "12:00" } } },
      {
        layer: "server",
        entry: "office",
        values: { activeHours: { start: "07:00", end: "19:00" } },
      },
      { layer: "admin", values: { activeHours: { start: "06:00", end: "18:00" } } },
    );
    expect(setBy("activeHours")).toBe("server");
    expect(policy.settings.find((it) => it.key === "activeHours")).toMatchObject({
      value: { start: "07:00", end: "19:00" },
      setBy: "server",
      entry: "office",
      overruled: [{ layer: "admin" }, { layer: "user" }],
    });
  });

  it("of an offer are the strictest: a person may be more careful than the server, never less", () => {
    const days = (server: number, user: number) =>
      combine(
        { layer: "server", values: { qualityDeferralDays: server } },
        { layer: "user", values: { qualityDeferralDays: user } },
      ).settings.qualityDeferralDays;
    expect(days(5, 0)).toBe(5);
    expect(days(5, 12)).toBe(12);
  });

  it("hold each product at the lowest version that anybody names", () => {
    const target = (product: string, version: string) => ({
      [Product.parse(product)]: Version.parse(version),
    });
    const { settings } = combine(
      { layer: "server", values: { targetVersions: { ...target("a", "2"), ...target("b", "1") } } },
      { layer: "admin", values: { targetVersions: target("a", "1.9") } },
    );
    expect(settings.targetVersions).toEqual({ a: "1.9", b: "1" });
  });

  it("take a user's pause only where it is allowed", () => {
    const pause = { setAt: "2026-03-01T00:00:00Z", until: "2026-03-08T00:00:00Z" };
    const user: SettingsLayer = { layer: "user", values: { pause } };
    expect(combine(user).settings.pause).toEqual(pause);
    const forbidden = combine(user, { layer: "server", values: { userMayPause: false } });
    expect(forbidden.settings.pause).toBeNull();
    expect(forbidden.policy.settings.find((it) => it.key === "pause")?.overruled).toMatchObject([
      { layer: "user", because: "the administrator does not allow it" },
    ]);
  });

  it("never offer more because a local layer says something", () => {
    const deferral = fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined });
    fc.assert(
      fc.property(deferral, deferral, deferral, (server, admin, user) => {
        const layers: SettingsLayer[] = [
          { layer: "server", values: { qualityDeferralDays: server } },
          { layer: "admin", values: { qualityDeferralDays: admin } },
          { layer: "user", values: { qualityDeferralDays: user } },
        ];
        const alone = combineSettings(layers.slice(0, 1), NOW_MS).settings.qualityDeferralDays;
        const all = combineSettings(layers, NOW_MS).settings.qualityDeferralDays;
        expect(all).toBeGreaterThanOrEqual(alone);
      }),
    );
  });
});

describe("entries of the signed policy", () => {
  it("mean the machines that their rule names", () => {
    const policy = OfferPolicy.parse({
      ...emptyOfferPolicy(Channel.parse("stable"), "2026-01-01T00:00:00Z"),
      settings: [
        { id: "kiosks", who: { fact: "tag.kiosk", exists: true }, values: { notices: "none" } },
        { id: "all", values: { graceDays: 3 } },
      ],
    });
    const entries = (facts: Record<string, boolean>) =>
      serverLayers([policy], facts).map((it) => it.entry);
    expect(entries({ "tag.kiosk": true })).toEqual(["kiosks", "all"]);
    expect(entries({})).toEqual(["all"]);
  });

  it("that say two things are reported; the first counts", () => {
    const { settings, policy } = combine(
      { layer: "server", entry: "first", values: { graceDays: 3 } },
      { layer: "server", entry: "second", values: { graceDays: 4 } },
    );
    expect(settings.graceDays).toBe(3);
    expect(policy.contradictions).toMatchObject([{ settings: ["graceDays"] }]);
  });
});

describe("contradictions", () => {
  it.each<[SettingsLayer["values"], string]>([
    [{ learnActiveHours: true, activeHours: { start: "08:00", end: "17:00" } }, "learnActiveHours"],
    [{ graceDays: 5, qualityDeadlineDays: 2 }, "graceDays"],
    [{ engagedRestartDays: 20 }, "engagedRestartDays"],
    [{ downloadLimit: 5_000, activeHoursDownloadLimit: 9_000 }, "downloadLimit"],
    [{ notices: "none", restart: "ask" }, "notices"],
    [{ timeZone: "Europe/Atlantis" }, "timeZone"],
    [
      { maintenanceWindows: [{ start: "2020-01-01T02:00", durationMinutes: 60 }] },
      "maintenanceWindows",
    ],
    [
      {
        maintenanceWindows: [
          { start: "2026-01-01T02:00", durationMinutes: 60, rule: "FREQ=WEEKLY;BYDAY=XX" },
        ],
      },
      "maintenanceWindows",
    ],
  ])("%j is said", (values, key) => {
    const { contradictions } = combine({ layer: "admin", values }).policy;
    expect(contradictions.flatMap((it) => it.settings)).toContain(key);
    expect(contradictions.every((it) => /^[A-Z].+\.$/.test(it.sentence))).toBe(true);
  });
});

const combine = (...layers: SettingsLayer[]) => combineSettings(layers, NOW_MS);
