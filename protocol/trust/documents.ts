/**
 * Signed metadata as the writer makes it, section 4 of the TUF specification: plain objects.
 *
 * The life of each role is the design's: long where a person must sign, short where a process does.
 */
import { createHash } from "node:crypto";
import { UpbeatError } from "../errors/error.ts";
import { BIN_BITS } from "./bins.ts";
import { keyIdOf, keyObject } from "./keyObject.ts";
import { isTopLevel } from "./roleNames.ts";

export const SPEC_VERSION = "1.0.34";
const DAY_MS = 24 * 60 * 60 * 1000;
export const LIFE_MS = {
  root: 365 * DAY_MS,
  targets: 90 * DAY_MS,
  snapshot: 7 * DAY_MS,
  timestamp: DAY_MS,
} as const;

export interface TargetMeta {
  length: number;
  hashes: { sha256: string };
}

export interface RoleRule {
  readonly keys: readonly string[];
  readonly threshold: number;
}

export interface DelegationsDocument {
  keys: Record<string, ReturnType<typeof keyObject>>;
  roles?: object[];
  succinct_roles?: object;
}

/** The specification's own format: no fractions of a second. */
export const expiry = (nowMs: number, lifeMs: number): string =>
  new Date(nowMs + lifeMs).toISOString().replace(/\.\d+Z$/, "Z");

export const metaOf = (bytes: Uint8Array): TargetMeta => ({
  length: bytes.length,
  hashes: { sha256: createHash("sha256").update(bytes).digest("hex") },
});

export function rootDocument(version: number, nowMs: number, roles: Record<string, RoleRule>) {
  return {
    _type: "root",
    spec_version: SPEC_VERSION,
    version,
    expires: expiry(nowMs, LIFE_MS.root),
    consistent_snapshot: true,
    keys: keysDocument(Object.values(roles)),
    roles: Object.fromEntries(
      Object.entries(roles).map(([name, rule]) => [name, ruleDocument(rule)]),
    ),
  };
}

export function targetsDocument(
  version: number,
  nowMs: number,
  targets: Readonly<Record<string, TargetMeta>>,
  delegations?: DelegationsDocument,
) {
  return {
    _type: "targets",
    spec_version: SPEC_VERSION,
    version,
    expires: expiry(nowMs, LIFE_MS.targets),
    targets,
    ...(delegations === undefined ? {} : { delegations }),
  };
}

/** One terminating role a channel: what `stable` says about `stable/…` is the last word. */
export function channelDelegations(
  channels: Readonly<Record<string, RoleRule>>,
): DelegationsDocument {
  return {
    keys: keysDocument(Object.values(channels)),
    roles: Object.entries(channels).map(([name, rule]) => {
      if (isTopLevel(name) || name in Object.prototype)
        throw unwritable(name, "this name is taken");
      return { name, ...ruleDocument(rule), paths: [`${name}/*/*`], terminating: true };
    }),
  };
}

export const binDelegations = (channel: string, rule: RoleRule): DelegationsDocument => ({
  keys: keysDocument([rule]),
  succinct_roles: { ...ruleDocument(rule), bit_length: BIN_BITS, name_prefix: channel },
});

const keysDocument = (rules: readonly RoleRule[]) =>
  Object.fromEntries(
    rules.flatMap(({ keys }) =>
      keys.map((publicHex) => [keyIdOf(publicHex), keyObject(publicHex)]),
    ),
  );

function ruleDocument({ keys, threshold }: RoleRule) {
  const distinct = [...new Set(keys)];
  if (distinct.length !== keys.length || threshold < 1 || threshold > keys.length) {
    throw unwritable("threshold", `${threshold} of ${distinct.length} distinct keys`);
  }
  return { keyids: distinct.map(keyIdOf), threshold };
}

/** A role that its own delegator would refuse is not written. `signers`: raw public keys in hex. */
export function requireKeys(rule: RoleRule, signers: readonly string[], role: string): void {
  const found = new Set(signers.filter((key) => rule.keys.includes(key))).size;
  if (found >= rule.threshold) return;
  throw unwritable(role, `expected keys of ${rule.threshold} signers, found ${found}`);
}

/** Paths that another reader might take for something else are not written at all. */
export function requireWritablePath(path: string): void {
  if (
    /^[a-z][a-z0-9-]*\/[\x21-\x7e]+\/[\x21-\x7e]+$/.test(path) &&
    !path.includes("..") &&
    path.split("/").length === 3
  )
    return;
  throw unwritable(path, "a path is CHANNEL/PRODUCT/NAME in plain ASCII");
}

const unwritable = (object: string, detail: string): UpbeatError =>
  new UpbeatError("UPB-PUBLISH-UNWRITABLE", { object, detail });
