/**
 * A TUF repository in memory that can lie: every signed document is open to change, may be signed
 * by any key, and is served over real HTTP. Written apart from the product's own writer, so that a
 * mistake there is not repeated here.
 *
 * The layout is that of the product: root 2 of 3, targets, the channels `stable` and `beta`.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { canonicalJson } from "../../protocol/canonicalJson.ts";
import { type Faults, serveFiles } from "./fileServer.ts";

// Metadata that is allowed to be wrong in every way has no useful narrower type.
export type Json = { [name: string]: JsonValue };
export type JsonValue = string | number | boolean | null | Json | JsonValue[];

export interface TestKey {
  readonly id: string;
  readonly publicKey: Json;
  readonly sign: (bytes: Uint8Array) => string;
}

/** The time at which simulated repositories live, milliseconds since 1970. */
export const NOW_MS = Date.parse("2026-06-01T12:00:00Z");
export const DAY_MS = 24 * 60 * 60 * 1000;

export const isoSeconds = (ms: number): string =>
  new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

export function newTestKey(): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  const json = { keytype: "ed25519", scheme: "ed25519", keyval: { public: raw.toString("hex") } };
  return testKey(json, privateKey);
}

export function testKey(publicKey: Json, privateKey: KeyObject): TestKey {
  return {
    id: sha256(canonicalJson(publicKey)),
    publicKey,
    sign: (bytes) => sign(null, bytes, privateKey).toString("hex"),
  };
}

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("hex");

export function envelope(signed: Json, keys: readonly TestKey[]): Uint8Array {
  const canonical = canonicalJson(signed);
  const signatures = keys.map((key) => ({ keyid: key.id, sig: key.sign(canonical) }));
  return encode({ signatures, signed });
}

export const encode = (value: JsonValue): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(value));

export interface TrustSimulator {
  /** The documents as they will be signed next, by role. Change them at will. */
  readonly signed: Map<string, Json>;
  /** Who signs them. */
  readonly keys: Map<string, TestKey[]>;
  /** What is served, by path below the server: `metadata/1.root.json`. */
  readonly files: Map<string, Uint8Array>;
  document(role: string): Json;
  /** Raises the version of these roles (and of what names them), signs and serves them. */
  publish(...roles: string[]): void;
  /** Signs and serves one role as it is: nothing is raised, nothing that names it is touched. */
  put(role: string, keys?: readonly TestKey[]): Uint8Array;
  /** Names these bytes in the snapshot and the timestamp, both under their present versions. */
  rename(role: string, bytes: Uint8Array): void;
  addTarget(role: string, path: string, bytes: Uint8Array): void;
  /** New keys for a role, named by the root or by `targets`. Publish the naming role to show it. */
  rotateKeys(role: string, count?: number): void;
  /** The very first root: what a device is shipped with. */
  readonly firstRoot: Uint8Array;
  serve(): Promise<SimulatorServer>;
}

export interface SimulatorServer {
  readonly url: URL;
  /** By path, what to do instead of serving it. */
  readonly faults: Faults;
  readonly requests: string[];
  close(): Promise<void>;
}

/** `nowMs`: when its metadata is fresh. */
export function trustSimulator(nowMs = NOW_MS): TrustSimulator {
  const keys = new Map<string, TestKey[]>();
  const signed = new Map<string, Json>();
  const files = new Map<string, Uint8Array>();
  const document = (role: string): Json => {
    const found = signed.get(role);
    if (found === undefined) throw new Error(`no such role ${role}`);
    return found;
  };

  const put = (role: string, signers = keys.get(role) ?? []): Uint8Array => {
    const bytes = envelope(document(role), signers);
    const file =
      role === "timestamp" ? role : `${document(role).version}.${encodeURIComponent(role)}`;
    files.set(`metadata/${file}.json`, bytes);
    return bytes;
  };
  const publish = (...roles: string[]): void => {
    for (const role of roles) bump(role);
    if (roles.some((role) => role !== "root" && role !== "timestamp")) bump("snapshot");
    if (roles.some((role) => role !== "root")) bump("timestamp");
  };
  const bump = (role: string): void => {
    if (bumpedIn(role)) return;
    const doc = document(role);
    doc.version = Number(doc.version) + 1;
    nameIn(role, put(role));
  };
  // `publish("snapshot")` must not raise the snapshot twice.
  let bumped = new Set<string>();
  const bumpedIn = (role: string): boolean => {
    if (bumped.has(role)) return true;
    bumped.add(role);
    return false;
  };
  const nameIn = (role: string, bytes: Uint8Array): void => {
    if (role === "root" || role === "timestamp") return;
    const meta = { version: document(role).version ?? 0, ...described(bytes) };
    const namer = document(role === "snapshot" ? "timestamp" : "snapshot");
    (namer.meta as Json)[`${role}.json`] = meta;
  };

  const rename = (role: string, bytes: Uint8Array): void => {
    nameIn(role, bytes);
    if (role !== "snapshot") nameIn("snapshot", put("snapshot"));
    put("timestamp");
  };

  const namer = (role: string): Json =>
    ROOT_ROLES.includes(role) ? document("root") : (document("targets").delegations as Json);
  const rotateKeys = (role: string, count = 1): void => {
    const fresh = Array.from({ length: count }, newTestKey);
    keys.set(role, fresh);
    const names = namer(role);
    for (const key of fresh) (names.keys as Json)[key.id] = key.publicKey;
    const list = names.roles as Json | Json[];
    const entry = Array.isArray(list)
      ? list.find((item) => item.name === role)
      : (list[role] as Json);
    if (entry !== undefined) entry.keyids = fresh.map((key) => key.id);
  };

  const addTarget = (role: string, path: string, bytes: Uint8Array): void => {
    (document(role).targets as Json)[path] = described(bytes);
    const parts = path.split("/");
    const last = parts.pop();
    files.set(["targets", ...parts, `${sha256(bytes)}.${last}`].join("/"), bytes);
  };

  fillInitial(signed, nowMs);
  rotateKeys("root", 3);
  (rolesOf(document("root")).root as Json).threshold = 2;
  for (const role of ["targets", "snapshot", "timestamp", "stable", "beta"]) rotateKeys(role);
  const start = (...roles: string[]) => {
    bumped = new Set();
    publish(...roles);
  };
  start("root", "targets", "stable", "beta");
  const firstRoot = files.get("metadata/1.root.json") ?? new Uint8Array();
  const serve = () => serveFiles(files);
  return {
    signed,
    keys,
    files,
    document,
    publish: start,
    put,
    rename,
    addTarget,
    rotateKeys,
    firstRoot,
    serve,
  };
}

const ROOT_ROLES = ["root", "targets", "snapshot", "timestamp"];

const rolesOf = (root: Json): Json => root.roles as Json;

export const described = (bytes: Uint8Array): Json => ({
  length: bytes.length,
  hashes: { sha256: sha256(bytes) },
});

function fillInitial(signed: Map<string, Json>, nowMs: number): void {
  const common = (type: string, days: number): Json => ({
    _type: type,
    spec_version: "1.0.31",
    version: 0,
    expires: isoSeconds(nowMs + days * DAY_MS),
  });
  const nobody = (): Json => ({ keyids: [], threshold: 1 });
  const channel = (name: string): Json => ({
    name,
    paths: [`${name}/*/*`],
    terminating: true,
    ...nobody(),
  });
  signed.set("root", {
    ...common("root", 365),
    consistent_snapshot: true,
    keys: {},
    roles: Object.fromEntries(ROOT_ROLES.map((role) => [role, nobody()])),
  });
  signed.set("timestamp", { ...common("timestamp", 1), meta: {} });
  signed.set("snapshot", { ...common("snapshot", 7), meta: {} });
  signed.set("targets", {
    ...common("targets", 90),
    targets: {},
    delegations: { keys: {}, roles: [channel("stable"), channel("beta")] },
  });
  for (const name of ["stable", "beta"]) {
    signed.set(name, { ...common("targets", 90), targets: {} });
  }
}
