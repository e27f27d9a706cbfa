import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseStrictJson } from "./strictJson.ts";

const parse = (text: string) => parseStrictJson(new TextEncoder().encode(text), "it");
const malformed = expect.objectContaining({ code: "UPB-TRUST-MALFORMED" });

describe("strict JSON", () => {
  it("reads every JSON document like JSON.parse", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("is not confused by colons, quotes and backslashes in strings", () => {
    const value = { 'a":': ':\\":', "\\": ["\\\\", ":"] };
    expect(parse(JSON.stringify(value))).toEqual(value);
  });

  it("refuses a member name that comes twice, also inside and also escaped", () => {
    for (const text of ['{"a":1,"a":1}', '[{"b":{"a":1,"c":2,"a":3}}]', '{"a":1,"\\u0061":2}']) {
      expect(() => parse(text)).toThrow(malformed);
    }
    expect(() => parse('{"__proto__":1,"__proto__":2}')).toThrow(malformed);
  });

  it("refuses what is not JSON, with a byte order mark, in bad UTF-8 or nested for ever", () => {
    for (const text of ["", "{", "<html>", '{"a":1}x', "\ufeff{}"]) {
      expect(() => parse(text)).toThrow(malformed);
    }
    expect(() => parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22), "it")).toThrow(malformed);
    expect(() => parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)).toThrow(malformed);
  });
});
