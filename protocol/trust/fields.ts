/**
 * Reads fields of parsed metadata, one type each. By hand and not with a schema library: names in
 * metadata come from outside (`__proto__` is a legal target path), and a role may hold 100,000
 * targets, so everything goes into Maps in one pass.
 *
 * Errors: UPB-TRUST-MALFORMED.
 */
import { UpbeatError } from "../errors/error.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export function malformed(object: string, detail: string, cause?: unknown): UpbeatError {
  return new UpbeatError("UPB-TRUST-MALFORMED", { object, detail, cause });
}

export function asObject(value: unknown, name: string, object: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed(object, `"${name}" is not an object`);
  }
  // Just checked to be an object that is not an array.
  return value as JsonObject;
}

/** The member, undefined when absent: never one inherited from Object.prototype. */
export const memberAt = (json: JsonObject, name: string): unknown =>
  Object.hasOwn(json, name) ? json[name] : undefined;

export const objectAt = (json: JsonObject, name: string, object: string): JsonObject =>
  asObject(memberAt(json, name), name, object);

export function textAt(json: JsonObject, name: string, object: string): string {
  const value = memberAt(json, name);
  if (typeof value !== "string") throw malformed(object, `"${name}" is not a string`);
  return value;
}

export function integerAt(json: JsonObject, name: string, least: number, object: string): number {
  const value = memberAt(json, name);
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least) {
    throw malformed(object, `"${name}" is not an integer of at least ${least}`);
  }
  return value;
}

export function booleanAt(json: JsonObject, name: string, object: string): boolean {
  const value = memberAt(json, name);
  if (typeof value !== "boolean") throw malformed(object, `"${name}" is not true or false`);
  return value;
}

export function listAt(json: JsonObject, name: string, object: string): readonly unknown[] {
  const value = memberAt(json, name);
  if (!Array.isArray(value)) throw malformed(object, `"${name}" is not a list`);
  return value;
}

export function textsAt(json: JsonObject, name: string, object: string): readonly string[] {
  return listAt(json, name, object).map((item) => {
    if (typeof item !== "string") throw malformed(object, `"${name}" holds more than strings`);
    return item;
  });
}

const EXPIRES = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** Exactly `YYYY-MM-DDTHH:MM:SSZ` (specification 4.2.1) and a day that exists. */
export function timeAt(json: JsonObject, name: string, object: string): number {
  const text = textAt(json, name, object);
  const ms = EXPIRES.test(text) ? Date.parse(text) : Number.NaN;
  // Date.parse rolls 30 February over to March.
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== text.replace("Z", ".000Z")) {
    throw malformed(object, `"${name}" is not a time like 2030-01-31T12:00:00Z`);
  }
  return ms;
}
