import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateRule } from "../../core/applicability.ts";
import type { Facts } from "../../protocol/deviceApi.ts";
import { filterText, freeId, momentOf, ringOf, ruleText, updatesOf, whoOf } from "./words.ts";

const NOW_MS = Date.parse("2026-06-01T12:00:00Z");
const usage = { code: "UPB-CLI-USAGE" };
const includes = (who: string, facts: Facts): boolean => {
  const evaluation = evaluateRule(whoOf(who), facts);
  return evaluation.is === "evaluated" && evaluation.result;
};

describe("machines in words", () => {
  const till: Facts = { "tag.till": true, "os.id": "debian", "os.version": "12", "memory.gb": 8 };

  it.each<[string, boolean]>([
    ["tag.till", true],
    ["!tag.till", false],
    ["tag.till=true", true],
    ["tag.lab", false],
    ["!tag.lab", true],
    ["os.id=debian", true],
    ["os.id=ubuntu,debian", true],
    ["os.id!=ubuntu", true],
    ["os.id!=debian", false],
    ["os.version>=12", true],
    ["os.version<12", false],
    ["memory.gb=8", true],
    ["memory.gb>=16", false],
    ["tag.till & os.version<13", true],
    ["tag.till&tag.lab", false],
    ['{"any":[{"fact":"tag.lab","exists":true},{"fact":"tag.till","exists":true}]}', true],
  ])("%s includes a till: %s", (who, expected) => {
    expect(includes(who, till)).toBe(expected);
  });

  it.each(["", "tag till", "!os.id=debian", "os.id=", "=x", "a>b", "{", '{"some":[]}', "a&"])(
    "%j is refused",
    (who) => expect(() => whoOf(who)).toThrow(expect.objectContaining(usage)),
  );

  it("are read again as they are printed", () => {
    for (const who of ["tag.till", "!tag.lab", "os.id=debian,ubuntu", "os.version>=12&tag.till"])
      for (const facts of [till, {}, { "os.id": "ubuntu", "os.version": "11" }])
        expect(includes(ruleText(whoOf(who)), facts)).toBe(includes(who, facts));
  });
});

describe("a moment", () => {
  it.each([
    ["now", "2026-06-01T12:00:00.000Z"],
    ["+90m", "2026-06-01T13:30:00.000Z"],
    ["+36h", "2026-06-03T00:00:00.000Z"],
    ["+2d", "2026-06-03T12:00:00.000Z"],
    ["2026-12-01T08:00Z", "2026-12-01T08:00:00.000Z"],
    ["2026-12-01T08:00+02:00", "2026-12-01T06:00:00.000Z"],
  ])("%s is %s", (text, expected) => {
    expect(momentOf(text, NOW_MS)).toBe(expected);
  });

  it("without a zone is one of this machine", () => {
    expect(momentOf("2026-12-01", NOW_MS)).toBe(new Date(2026, 11, 1).toISOString());
    expect(momentOf("2026-12-01T08:30", NOW_MS)).toBe(new Date(2026, 11, 1, 8, 30).toISOString());
  });

  it.each(["", "tomorrow", "+2w", "2026-13-01", "2026-02-30T25:00", "12:00", "-1d"])(
    "is not %j",
    (text) => expect(() => momentOf(text, NOW_MS)).toThrow(expect.objectContaining(usage)),
  );
});

describe("updates in words", () => {
  it.each([
    ["all", {}],
    ["kiosk", { product: "kiosk" }],
    ["kiosk@1.4", { product: "kiosk", version: "1.4" }],
    ["kiosk>=1.3", { product: "kiosk", from: "1.3" }],
    ["kiosk<1.5", { product: "kiosk", below: "1.5" }],
    ["kiosk>=1.3<1.5", { product: "kiosk", from: "1.3", below: "1.5" }],
    ["class=driver,feature", { classifications: ["driver", "feature"] }],
  ])("%s", (text, expected) => {
    expect(updatesOf(text)).toEqual(expected);
    expect(filterText(updatesOf(text))).toBe(text);
  });

  it.each(["", "Kiosk", "kiosk@", "kiosk@1>=2", "class=nothing", "kiosk<1>=2"])(
    "%j is refused",
    (text) => expect(() => updatesOf(text)).toThrow(expect.objectContaining(usage)),
  );
});

describe("a ring in words", () => {
  it("says who, when and how fast, in any order", () => {
    const expected = {
      name: "broad",
      who: { fact: "tag.till", exists: true },
      startsAt: "2026-06-03T12:00:00.000Z",
      curve: [
        { percent: 2.5, afterHours: 0 },
        { percent: 50, afterHours: 24 },
        { percent: 100, afterHours: 168 },
      ],
    };
    const parts = ["who=tag.till", "start=+2d", "curve=2.5,50@24h,100@7d"];
    fc.assert(
      fc.property(fc.shuffledSubarray(parts, { minLength: 3 }), (some) => {
        expect(ringOf(["broad", ...some].join(" "), NOW_MS)).toEqual(expected);
      }),
    );
  });

  it("is everybody now when it says nothing more", () => {
    expect(ringOf("all", NOW_MS)).toEqual({
      name: "all",
      startsAt: "2026-06-01T12:00:00.000Z",
      curve: [{ afterHours: 0, percent: 100 }],
    });
  });

  it.each([
    "",
    "a b",
    "a who=x who=y",
    "a curve=",
    "a curve=50,40@1h",
    "a curve=50,60",
    "a curve=101",
  ])("is not %j", (text) =>
    expect(() => ringOf(text, NOW_MS)).toThrow(expect.objectContaining(usage)),
  );
});

it("a free id is one that no entry has", () => {
  const first = freeId("H", [], NOW_MS);
  expect(first).toBe("H-20260601-120000");
  expect(freeId("H", [{ id: first }], NOW_MS)).toBe("H-20260601-120001");
});
