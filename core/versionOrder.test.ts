import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareVersions } from "./versionOrder.ts";

describe("the order of versions", () => {
  it.each([
    ["1.9.0", "1.10.0"],
    ["6.0.2", "6.0.3"],
    ["1.0", "1.0.1"],
    ["1.0.0-alpha", "1.0.0-alpha.1"],
    ["1.0.0-alpha.1", "1.0.0-alpha.beta"],
    ["1.0.0-alpha.beta", "1.0.0-beta"],
    ["1.0.0-beta.2", "1.0.0-beta.11"],
    ["1.0.0-rc.1", "1.0.0"],
    ["1.0.0-rc9", "1.0.0-rc10"],
    ["1.0~~", "1.0~"],
    ["1.0~beta", "1.0"],
    ["1.0~beta", "1.0-beta"],
    ["1.0", "1.0+deb12u1"],
    ["1.0+deb12u1", "1.0+deb12u2"],
    ["1.0+deb12u2", "1.1"],
    ["1.0a", "1.0b"],
    ["2026.1.9", "2026.1.10"],
    ["9007199254740992.1", "9007199254740993.0"],
  ])("puts %s before %s", (older, newer) => {
    expect(compareVersions(older, newer)).toBeLessThan(0);
    expect(compareVersions(newer, older)).toBeGreaterThan(0);
  });

  it("calls only the same text equal", () => {
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        expect(compareVersions(a, b) === 0).toBe(a === b);
      }),
    );
  });

  it("turns round when the two sides do", () => {
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
      }),
    );
  });

  it("carries over: a ≤ b and b ≤ c make a ≤ c", () => {
    fc.assert(
      fc.property(versions, versions, versions, (...three) => {
        const [a, b, c] = three.toSorted(compareVersions);
        if (a === undefined || b === undefined || c === undefined) throw new Error("three went in");
        expect(compareVersions(a, b)).toBeLessThanOrEqual(0);
        expect(compareVersions(b, c)).toBeLessThanOrEqual(0);
        expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 2_000 },
    );
  });

  it("puts a pre-release before its release, and a rebuild after it", () => {
    const plain = fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }).map((n) => n.join("."));
    fc.assert(
      fc.property(plain, fc.constantFrom("a", "1", "rc.1"), (release, tail) => {
        expect(compareVersions(`${release}-${tail}`, release)).toBeLessThan(0);
        expect(compareVersions(`${release}~${tail}`, `${release}-${tail}`)).toBeLessThan(0);
        expect(compareVersions(`${release}+${tail}`, release)).toBeGreaterThan(0);
      }),
    );
  });
});

/** Few letters and short, so that equal beginnings and near misses are common. */
const versions = fc.string({
  unit: fc.constantFrom("0", "1", "2", "10", ".", "-", "+", "~", "a", "b", "rc"),
  minLength: 1,
  maxLength: 6,
});
