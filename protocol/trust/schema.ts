/**
 * Signed metadata as typed values (TUF specification section 4). Parsing proves nothing about who
 * signed: that is `verify.ts`. Unknown members are kept in the signed bytes and otherwise ignored.
 *
 * Errors: UPB-TRUST-MALFORMED.
 */
import { canonicalJson } from "../canonicalJson.ts";
import { UpbeatError } from "../errors/error.ts";
import { type Delegations, parseDelegations } from "./delegations.ts";
import {
  asObject,
  booleanAt,
  integerAt,
  type JsonObject,
  listAt,
  malformed,
  memberAt,
  objectAt,
  textAt,
  timeAt,
} from "./fields.ts";
import { type KeyRing, keysOf, type PublicKey, type RoleKeys, roleKeysOf } from "./keys.ts";
import { TOP_LEVEL_ROLES, type TopLevelRole } from "./roleNames.ts";
import { parseStrictJson } from "./strictJson.ts";

/** Known algorithms only; a target or a meta file must have at least one. */
export interface Hashes {
  readonly sha256?: string;
  readonly sha512?: string;
}

export interface MetaFile {
  readonly version: number;
  readonly sizeBytes?: number;
  readonly hashes?: Hashes;
}

export interface TargetFile {
  readonly sizeBytes: number;
  /** Empty when the role names only algorithms that this program doesn't know. */
  readonly hashes: Hashes;
}

interface Common {
  readonly version: number;
  readonly expiresMs: number;
}

export interface Root extends Common {
  readonly type: "root";
  readonly consistentSnapshot: boolean;
  readonly keys: ReadonlyMap<string, PublicKey>;
  readonly roles: ReadonlyMap<string, RoleKeys>;
}
export interface Timestamp extends Common {
  readonly type: "timestamp";
  readonly snapshot: MetaFile;
}
export interface Snapshot extends Common {
  readonly type: "snapshot";
  /** By role name, without `.json`. */
  readonly meta: ReadonlyMap<string, MetaFile>;
}
export interface Targets extends Common {
  readonly type: "targets";
  readonly targets: ReadonlyMap<string, TargetFile>;
  readonly delegations: Delegations | undefined;
}

/** What is signed, its exact bytes, and the signatures by key id. */
export interface Envelope<Signed> {
  readonly signed: Signed;
  readonly canonical: Uint8Array;
  readonly signatures: ReadonlyMap<string, string>;
}

export const parseRoot = (bytes: Uint8Array, object = "root"): Envelope<Root> =>
  parseEnvelope(bytes, "root", object, rootOf);
export const parseTimestamp = (bytes: Uint8Array, object = "timestamp"): Envelope<Timestamp> =>
  parseEnvelope(bytes, "timestamp", object, timestampOf);
export const parseSnapshot = (bytes: Uint8Array, object = "snapshot"): Envelope<Snapshot> =>
  parseEnvelope(bytes, "snapshot", object, snapshotOf);
/** `object` is the role's name: `targets` or that of a delegated role. */
export const parseTargets = (bytes: Uint8Array, object: string): Envelope<Targets> =>
  parseEnvelope(bytes, "targets", object, targetsOf);

export function keyRing(root: Root, role: TopLevelRole): KeyRing {
  const keys = root.roles.get(role);
  if (keys === undefined) throw malformed("root", `it has no role "${role}"`);
  return { keys: root.keys, role: keys };
}

function parseEnvelope<Signed>(
  bytes: Uint8Array,
  type: string,
  object: string,
  read: (signed: JsonObject, common: Common, object: string) => Signed,
): Envelope<Signed> {
  const json = asObject(parseStrictJson(bytes, object), "metadata", object);
  const signed = objectAt(json, "signed", object);
  const found = textAt(signed, "_type", object);
  if (found !== type) throw malformed(object, `expected the type "${type}", found "${found}"`);
  requireKnownMajor(textAt(signed, "spec_version", object), object);
  const common = {
    version: integerAt(signed, "version", 1, object),
    expiresMs: timeAt(signed, "expires", object),
  };
  return {
    signatures: signaturesOf(json, object),
    canonical: canonicalOf(signed, object),
    signed: read(signed, common, object),
  };
}

function canonicalOf(signed: JsonObject, object: string): Uint8Array {
  try {
    return canonicalJson(signed);
  } catch (cause) {
    const detail = cause instanceof UpbeatError ? cause.detail : undefined;
    throw malformed(object, `it has no canonical form: ${detail}`, cause);
  }
}

/** Specification 4.2.1: the same major version, 1, in two or three parts. */
function requireKnownMajor(version: string, object: string): void {
  if (/^1\.\d+(\.\d+)?$/.test(version)) return;
  throw malformed(object, `expected "spec_version" 1.x, found "${version}"`);
}

/** A key id must be unique in the list (specification 4.2.1). */
function signaturesOf(json: JsonObject, object: string): Map<string, string> {
  const signatures = new Map<string, string>();
  for (const item of listAt(json, "signatures", object)) {
    const signature = asObject(item, "signatures", object);
    const keyId = textAt(signature, "keyid", object);
    if (signatures.has(keyId)) throw malformed(object, `two signatures of key ${keyId}`);
    signatures.set(keyId, textAt(signature, "sig", object));
  }
  return signatures;
}

function rootOf(signed: JsonObject, common: Common, object: string): Root {
  const roles = new Map<string, RoleKeys>();
  for (const [name, value] of Object.entries(objectAt(signed, "roles", object))) {
    roles.set(name, roleKeysOf(asObject(value, name, object), object));
  }
  for (const name of TOP_LEVEL_ROLES) {
    if (!roles.has(name)) throw malformed(object, `it has no role "${name}"`);
  }
  const keys = keysOf(signed, object);
  const consistentSnapshot = booleanAt(signed, "consistent_snapshot", object);
  return { type: "root", ...common, consistentSnapshot, keys, roles };
}

function timestampOf(signed: JsonObject, common: Common, object: string): Timestamp {
  const meta = objectAt(signed, "meta", object);
  const snapshot = metaFileOf(objectAt(meta, "snapshot.json", object), object);
  return { type: "timestamp", ...common, snapshot };
}

function snapshotOf(signed: JsonObject, common: Common, object: string): Snapshot {
  const meta = new Map<string, MetaFile>();
  for (const [file, value] of Object.entries(objectAt(signed, "meta", object))) {
    if (!file.endsWith(".json")) throw malformed(object, `"${file}" does not end in .json`);
    meta.set(file.slice(0, -".json".length), metaFileOf(asObject(value, file, object), object));
  }
  if (!meta.has("targets")) throw malformed(object, `it does not list "targets.json"`);
  return { type: "snapshot", ...common, meta };
}

function metaFileOf(json: JsonObject, object: string): MetaFile {
  const hasLength = memberAt(json, "length") !== undefined;
  const hasHashes = memberAt(json, "hashes") !== undefined;
  return {
    version: integerAt(json, "version", 1, object),
    ...(hasLength ? { sizeBytes: integerAt(json, "length", 0, object) } : {}),
    ...(hasHashes ? { hashes: hashesOf(objectAt(json, "hashes", object), object) } : {}),
  };
}

function targetsOf(signed: JsonObject, common: Common, object: string): Targets {
  const targets = new Map<string, TargetFile>();
  for (const [path, value] of Object.entries(objectAt(signed, "targets", object))) {
    const target = asObject(value, path, object);
    targets.set(path, {
      sizeBytes: integerAt(target, "length", 0, object),
      hashes: hashesOf(objectAt(target, "hashes", object), object),
    });
  }
  const delegations =
    memberAt(signed, "delegations") === undefined
      ? undefined
      : parseDelegations(objectAt(signed, "delegations", object), object);
  return { type: "targets", ...common, targets, delegations };
}

const HEX_LENGTH = { sha256: 64, sha512: 128 } as const;

function hashesOf(json: JsonObject, object: string): Hashes {
  const entries = Object.entries(json);
  // Without a hash the signature would vouch for a length only.
  if (entries.length === 0) throw malformed(object, `"hashes" is empty`);
  const hashes: { sha256?: string; sha512?: string } = {};
  for (const [algorithm, value] of entries) {
    if (typeof value !== "string") throw malformed(object, `a hash is not a string`);
    if (algorithm !== "sha256" && algorithm !== "sha512") continue;
    if (value.length !== HEX_LENGTH[algorithm] || !/^[0-9a-f]+$/.test(value)) {
      throw malformed(object, `a ${algorithm} is not ${HEX_LENGTH[algorithm]} hex digits`);
    }
    hashes[algorithm] = value;
  }
  return hashes;
}
