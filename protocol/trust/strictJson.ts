/**
 * Reads JSON that was signed, refusing everything that two parsers could read differently:
 * duplicate member names, invalid UTF-8, a byte order mark, deep nesting.
 *
 * Errors: UPB-TRUST-MALFORMED.
 */
import { MAX_JSON_DEPTH } from "../canonicalJson.ts";
import { UpbeatError } from "../errors/error.ts";

export function parseStrictJson(bytes: Uint8Array, object: string): unknown {
  let value: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    throw new UpbeatError("UPB-TRUST-MALFORMED", { object, detail: "it is not JSON", cause });
  }
  // JSON.parse keeps the last of two members with one name and says nothing, so the members that
  // were written are compared with those that arrived: a linear scan, no parser of our own.
  const arrived = countMembers(value, 0);
  if (arrived === undefined) {
    const detail = `it is nested deeper than ${MAX_JSON_DEPTH}`;
    throw new UpbeatError("UPB-TRUST-MALFORMED", { object, detail });
  }
  if (arrived !== countColons(bytes)) {
    const detail = "it has two members of one name";
    throw new UpbeatError("UPB-TRUST-MALFORMED", { object, detail });
  }
  return value;
}

function countMembers(value: unknown, depth: number): number | undefined {
  if (typeof value !== "object" || value === null) return 0;
  if (depth > MAX_JSON_DEPTH) return undefined;
  const children = Object.values(value);
  let count = Array.isArray(value) ? 0 : children.length;
  for (const child of children) {
    const below = countMembers(child, depth + 1);
    if (below === undefined) return undefined;
    count += below;
  }
  return count;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** In valid JSON a colon outside a string stands for exactly one member. */
function countColons(bytes: Uint8Array): number {
  let count = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === COLON) count++;
  }
  return count;
}
