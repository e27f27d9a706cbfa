/**
 * What a group of a bundle is compressed against: files of an older set that the reader of the bundle
 * has, if it followed them then. Writer and reader come to the same, each from its own copies.
 *
 *   ""                the snapshot
 *   CHANNEL           the channel's role (bins are small, and few machines have a given one)
 *   CHANNEL/PRODUCT   index, or policy
 */
import { createHash } from "node:crypto";
import type { Channel } from "../../protocol/ids.ts";
import { binOf } from "../../protocol/trust/bins.ts";
import { isNamed } from "../../protocol/trust/load.ts";
import { parseTargets, type Snapshot, type Targets } from "../../protocol/trust/schema.ts";

/** A set of metadata as it was, as far as its files are still here. */
export interface OldSet {
  readonly snapshot: { readonly bytes: Uint8Array; readonly signed: Snapshot } | undefined;
  /** The newest that there is of that role; whether it is the one of this set is asked here. */
  role(name: string, version: number): Uint8Array | undefined;
  target(path: string, sha256: string): Uint8Array | undefined;
}

/** For a machine that has nothing yet. */
export const NOTHING: OldSet = {
  snapshot: undefined,
  role: () => undefined,
  target: () => undefined,
};

/**
 * What manifests, index entries and deliveries have in common, as `stableJson` writes them. Whoever
 * changes it raises the number of the format (`container.ts`).
 */
const USUAL = new TextEncoder().encode(
  [
    '[["",550],["",832],["",629]]',
    '{"applicability":{},"channel":"stable","children":[],"classification":"update","description":"",',
    '"diskNeededBytes":0,"exclusive":false,"handler":"tree","healthCheck":{"command":["',
    '"],"kind":"command","retries":2,"retryDelayMs":1000,"timeoutMs":30000},"kind":"software",',
    '"payload":{"files":1,"sha256":"","sizeBytes":1,"totalBytes":1},"prerequisites":[],"product":"',
    '","publishedAt":"2026-11-25T12:00:00.000Z","releaseNotes":"","restart":"never",',
    '"schema":"upbeat.manifest/1.0","serviceRestart":["systemctl","restart","',
    '"],"severity":"unspecified","supersedes":[],"title":" 1.0.0","userInput":false,"version":"1.0.0"}',
    '{"channel":"stable","product":"","schema":"upbeat.index/1","updates":[{"delivery":',
    '{"codec":"none","rawBytes":629,"sha256":"","sizeBytes":629},"manifestSha256":"',
    '","manifestSizeBytes":550,"publishedAt":"2026-11-25T12:00:00.000Z","version":"1.0.0"}]}',
    '{"contents":{"codec":"zstd","rawBytes":1804,"sha256":"","sizeBytes":443},"list":{"codec":"zstd",',
    '"rawBytes":6931,"sha256":"","sizeBytes":1946},"patches":[{"from":"","readBytes":1,"sha256":"',
    '","sizeBytes":1,"writeBytes":1},{"from":"","readBytes":1,"sha256":"","sizeBytes":1,"writeBytes":1}',
    '],"payload":"","schema":"upbeat.delivery/1","whole":{"frames":3,"sizeBytes":1}}',
  ].join(""),
);

/** What changes under one name; manifests do not. */
const CHANGING = ["index", "policy"];

/** Undefined: it is not here, so the group cannot be read. Empty: there was nothing to begin with. */
export function basesOf(group: string, set: OldSet): Uint8Array[] | undefined {
  if (group === "") return set.snapshot === undefined ? [] : [set.snapshot.bytes];
  const [channel = "", product] = group.split("/");
  if (product === undefined) {
    if (!isListed(set, channel)) return [];
    const role = oldRole(set, channel);
    return role && [role];
  }
  const bases: Uint8Array[] = [];
  for (const name of CHANGING) {
    const found = oldTarget(set, channel, `${group}/${name}`);
    if (found === "unknown") return undefined;
    if (found !== undefined) bases.push(found);
  }
  return bases;
}

/** What stands before the bases in a group's dictionary. Undefined: it could not be read. */
export function aboveOf(
  group: string,
  root: Uint8Array,
  raws: ReadonlyMap<string, Uint8Array>,
): Uint8Array | undefined {
  if (group === "") return root;
  const [channel = "", product] = group.split("/");
  if (product === undefined) return new Uint8Array();
  const role = raws.get(channel);
  return role && Buffer.concat([USUAL, role]);
}

/** The role as that set names it. Undefined: the set has none, or it is not here. */
export function oldRole(set: OldSet, name: string): Uint8Array | undefined {
  const meta = set.snapshot?.signed.meta.get(name);
  const bytes = meta && set.role(name, meta.version);
  return meta && bytes && isNamed(meta, meta.version, bytes) ? bytes : undefined;
}

export const isListed = ({ snapshot }: OldSet, role: string): boolean =>
  snapshot?.signed.meta.has(role) ?? false;

export const parsedRole = (bytes: Uint8Array, name: string): Targets =>
  parseTargets(bytes, name).signed;

function oldTarget(set: OldSet, channel: string, path: string): Uint8Array | undefined | "unknown" {
  if (!isListed(set, channel)) return undefined;
  const bytes = oldRole(set, channel);
  if (bytes === undefined) return "unknown";
  const role = parsedRole(bytes, channel);
  const listed = role.targets.get(path) ?? inBin(set, role, channel, path);
  if (listed === undefined || listed === "unknown") return listed;
  const { sha256 } = listed.hashes;
  const found = sha256 === undefined ? undefined : set.target(path, sha256);
  return found !== undefined && sha256Of(found) === sha256 ? found : "unknown";
}

function inBin(set: OldSet, { delegations }: Targets, channel: string, path: string) {
  if (delegations?.succinct === undefined) return undefined;
  const bin = binOf(channel as Channel, path);
  const bytes = oldRole(set, bin);
  return bytes === undefined ? "unknown" : parsedRole(bytes, bin).targets.get(path);
}

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
