import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  delegatedKeyRing,
  delegatedRolesFor,
  matchesPattern,
  parseDelegations,
} from "./delegations.ts";

describe("a path pattern", () => {
  // The cases of the specification 4.5 and those in which other clients differ.
  it.each([
    ["targets/foo.tgz", "targets/*.tgz", true],
    ["targets/foo.txt", "targets/*.tgz", false],
    ["targets/a/foo.tgz", "targets/*.tgz", false],
    ["foo-version-a.tgz", "foo-version-?.tgz", true],
    ["foo-version-alpha.tgz", "foo-version-?.tgz", false],
    ["foo.tgz", "*.tgz", true],
    ["x/foo.tgz", "*.tgz", false],
    ["", "", true],
    ["", "*", true],
    ["/", "*", false],
    [".hidden", "*", true],
    ["{a,b}", "{a,b}", true],
    ["a", "{a,b}", false],
    ["b", "[abc]", false],
    ["[abc]", "[abc]", true],
    ["!a", "!a", true],
    ["b", "!a", false],
    ["#c", "#c", true],
    ["a\\", "a\\*", true],
    ["\u{1f600}", "?", true],
    ["README.MD", "README.md", false],
    ["aXbXc", "a*b*c", true],
    ["aXbXcd", "a*b*c", false],
  ])("%j against %j: %j", (path, pattern, wanted) => {
    expect(matchesPattern(path, pattern)).toBe(wanted);
  });

  it("means the same as the regular expression that it stands for", () => {
    const piece = fc.constantFrom("a", "b", "/", "*", "?", ".");
    const short = fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join(""));
    const literal = fc.array(fc.constantFrom("a", "b", "/", "."), { maxLength: 7 });
    fc.assert(
      fc.property(literal, short, (pieces, pattern) => {
        const source = pattern.replaceAll(".", "\\.").replaceAll("*", "[^/]*");
        const expression = new RegExp(`^${source.replaceAll("?", "[^/]")}$`);
        const path = pieces.join("");
        expect(matchesPattern(path, pattern)).toBe(expression.test(path));
      }),
      { numRuns: 2_000 },
    );
  });

  it("with many stars takes no exponential time", () => {
    expect(matchesPattern(`${"a".repeat(5_000)}b`, "*a".repeat(50))).toBe(false);
  });
});

describe("delegations", () => {
  const role = (name: string, paths: string[], terminating = false) => ({
    name,
    paths,
    terminating,
    keyids: [],
    threshold: 1,
  });
  const names = (delegations: object, path: string) =>
    delegatedRolesFor(parseDelegations({ keys: {}, ...delegations }, "it"), path).map(
      ({ name }) => name,
    );

  it("ask the matching roles in the order in which they are written", () => {
    const roles = [role("b", ["x/*"]), role("a", ["y/*"]), role("c", ["*/?"])];
    expect(names({ roles }, "x/1")).toEqual(["b", "c"]);
  });

  it("by hash prefix look at the SHA-256 of the path", () => {
    const digest = createHash("sha256").update("x/1").digest("hex");
    const { paths: _, ...rest } = role("a", []);
    const roles = [{ ...rest, path_hash_prefixes: ["00", digest.slice(0, 3)] }];
    expect(names({ roles }, "x/1")).toEqual(["a"]);
    expect(names({ roles: [{ ...rest, path_hash_prefixes: [] }] }, "x/1")).toEqual([]);
  });

  it("in succinct bins give every path exactly one bin, and know it as theirs", () => {
    const bins = (bit_length: number) => ({
      succinct_roles: { keyids: [], threshold: 1, bit_length, name_prefix: "stable" },
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 32 }), fc.string(), (bits, path) => {
        const digest = createHash("sha256").update(path.toWellFormed()).digest();
        const bin = digest.readUInt32BE(0) >>> (32 - bits);
        const digits = (2 ** bits - 1).toString(16).length;
        const [name = ""] = names(bins(bits), path.toWellFormed());
        expect(name).toBe(`stable-${bin.toString(16).padStart(digits, "0")}`);
        const delegations = parseDelegations({ keys: {}, ...bins(bits) }, "it");
        expect(delegatedKeyRing(delegations, name)).toBeDefined();
        expect(delegatedKeyRing(delegations, `${name}0`)).toBeUndefined();
      }),
    );
    expect(names(bins(8), "stable/kiosk/index")[0]).toMatch(/^stable-[0-9a-f]{2}$/);
  });

  it.each([
    [{}],
    [{ roles: [], succinct_roles: { keyids: [], threshold: 1, bit_length: 8, name_prefix: "x" } }],
    [{ roles: [role("a", []), role("a", [])] }],
    [{ roles: [role("targets", [])] }],
    [{ roles: [{ ...role("a", []), path_hash_prefixes: [] }] }],
    [{ roles: [{ ...role("a", []), threshold: 0 }] }],
    [{ roles: [{ ...role("a", []), keyids: ["k", "k"] }] }],
    [{ succinct_roles: { keyids: [], threshold: 1, bit_length: 33, name_prefix: "x" } }],
    [{ succinct_roles: { keyids: [], threshold: 1, bit_length: 0, name_prefix: "x" } }],
  ])("like %j are refused", (delegations) => {
    expect(() => parseDelegations({ keys: {}, ...delegations }, "it")).toThrow(
      expect.objectContaining({ code: "UPB-TRUST-MALFORMED" }),
    );
  });
});
