import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "./canonicalJson.ts";

const text = (value: unknown) => new TextDecoder().decode(canonicalJson(value));

describe("canonical JSON", () => {
  it("sorts members, writes no spaces and escapes only quotes and backslashes", () => {
    const value = { b: [1, true, null], a: { '"': "\\\n\u00e9" } };
    expect(text(value)).toBe('{"a":{"\\"":"\\\\\n\u00e9"},"b":[1,true,null]}');
  });

  it("sorts by code point, not by UTF-16 unit", () => {
    // U+1F600 is above U+FF5E, but its first unit is below.
    expect(text({ "\u{1f600}": 1, "\uff5e": 2 })).toBe('{"\uff5e":2,"\u{1f600}":1}');
  });

  it("keeps members that have the names of inherited ones", () => {
    expect(text(JSON.parse('{"__proto__":1,"constructor":2}'))).toBe(
      '{"__proto__":1,"constructor":2}',
    );
  });

  it("refuses what has no such form", () => {
    const deep = JSON.parse(`${"[".repeat(100)}${"]".repeat(100)}`);
    for (const value of [1.5, 2 ** 53, Number.NaN, undefined, () => 1, "\ud800", { a: 1n }, deep]) {
      expect(() => canonicalJson(value)).toThrow(
        expect.objectContaining({ code: "UPB-TRUST-NOT-CANONICAL" }),
      );
    }
  });

  it("reads back as what was written, unless control characters are in it", () => {
    const json = fc.jsonValue().filter(isCanonical);
    fc.assert(
      fc.property(json, (value) => {
        const written = text(value);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they stay unescaped here.
        fc.pre(!/[\x00-\x1f]/.test(written));
        expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

function isCanonical(value: unknown): boolean {
  try {
    canonicalJson(value);
    return true;
  } catch {
    return false;
  }
}
