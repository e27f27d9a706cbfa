/**
 * Canonical JSON as TUF uses it (OLPC): the bytes that are signed and hashed.
 *
 * Integers only, no spaces, members sorted by code point, in strings only `"` and `\` escaped.
 * Source: http://wiki.laptop.org/go/Canonical_JSON and securesystemslib `encode_canonical`.
 * Errors: UPB-TRUST-NOT-CANONICAL for what has no such form (floats, integers above 2^53-1,
 * undefined, broken surrogate pairs, nesting deeper than 64).
 */
import { UpbeatError } from "./errors/error.ts";

/** Metadata is 6 levels deep; the bound keeps hostile nesting from exhausting the stack. */
export const MAX_JSON_DEPTH = 64;

export function canonicalJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(write(value, 0));
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_JSON_DEPTH) throw notCanonical(`nested deeper than ${MAX_JSON_DEPTH}`);
  if (typeof value === "string") return writeString(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw notCanonical(`${value} is not a safe integer`);
    return String(value);
  }
  if (value === null || value === true || value === false) return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(",")}]`;
  if (typeof value === "object") return writeObject(value, depth);
  throw notCanonical(`a value of type ${typeof value}`);
}

function writeObject(value: object, depth: number): string {
  const members = new Map(Object.entries(value));
  const names = sortByCodePoint([...members.keys()]);
  return `{${names
    .map((name) => `${writeString(name)}:${write(members.get(name), depth + 1)}`)
    .join(",")}}`;
}

function writeString(text: string): string {
  // An unpaired surrogate has no UTF-8 form: two different texts would get the same bytes.
  if (!text.isWellFormed()) throw notCanonical("a string with half a surrogate pair");
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

const SURROGATE = /[\ud800-\udfff]/;

/** JavaScript sorts by UTF-16 unit, which differs from Python's order beyond the BMP. */
function sortByCodePoint(names: string[]): string[] {
  if (!names.some((name) => SURROGATE.test(name))) return names.sort();
  return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function notCanonical(detail: string): UpbeatError {
  return new UpbeatError("UPB-TRUST-NOT-CANONICAL", { object: "JSON", detail });
}
