/**
 * The set of metadata that the server shows: read once, then kept beside it. The server checked it
 * when it was published; here only damage is found.
 *
 * Errors: UPB-SERVER-DAMAGED.
 */
import { createHash } from "node:crypto";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Sha256 } from "../../protocol/ids.ts";
import { allBins } from "../../protocol/trust/bins.ts";
import { metadataFileName } from "../../protocol/trust/roleNames.ts";
import {
  parseRoot,
  parseSnapshot,
  parseTargets,
  parseTimestamp,
  type Root,
  type Snapshot,
  type Targets,
  type Timestamp,
} from "../../protocol/trust/schema.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";
import type { RoleMeta, SnapshotMeta } from "../signer/rules.ts";

export interface CurrentSet {
  readonly root: Root;
  readonly timestamp: Timestamp;
  readonly snapshot: Snapshot;
  /** What the snapshot names, by role. */
  readonly meta: ReadonlyMap<string, RoleMeta>;
}

/** `metadata/3.stable.json`. */
export const rolePath = (role: string, version: number): string =>
  `metadata/${metadataFileName(role, version, true)}`;
export const TIMESTAMP_PATH = "metadata/timestamp.json";

/** Undefined: nothing was ever published here. */
export function readCurrentSet(files: RepositoryFiles): CurrentSet | undefined {
  const timestampBytes = files.read(TIMESTAMP_PATH);
  if (timestampBytes === undefined) return undefined;
  const timestamp = parseTimestamp(timestampBytes).signed;
  const snapshotBytes = presentFile(files, rolePath("snapshot", timestamp.snapshot.version));
  const snapshot = parseSnapshot(snapshotBytes).signed;
  const root = parseRoot(presentFile(files, rolePath("root", files.rootVersion()))).signed;
  const meta = new Map<string, RoleMeta>();
  for (const [role, { version, sizeBytes, hashes }] of snapshot.meta) {
    // Our own signer always writes both.
    if (sizeBytes === undefined || hashes?.sha256 === undefined)
      throw damaged(`${role} in snapshot`);
    meta.set(role, { version, length: sizeBytes, sha256: Sha256.parse(hashes.sha256) });
  }
  return { root, timestamp, snapshot, meta };
}

/** The bytes of a role as the set names them. */
export function roleBytes(files: RepositoryFiles, { meta }: CurrentSet, role: string): Uint8Array {
  const about = meta.get(role);
  if (about === undefined) throw damaged(role);
  const path = rolePath(role, about.version);
  const bytes = presentFile(files, path);
  if (sha256Of(bytes) === about.sha256) return bytes;
  throw damaged(path);
}

export const readTargets = (files: RepositoryFiles, set: CurrentSet, role: string): Targets =>
  parseTargets(roleBytes(files, set, role), role).signed;

/** SHA-256 by path of every target that any channel names. */
export function shownTargets(files: RepositoryFiles, set: CurrentSet): Map<string, Sha256> {
  const shown = new Map<string, Sha256>();
  const roles = readTargets(files, set, "targets").delegations?.roles ?? [];
  for (const { name } of roles) {
    const channel = readTargets(files, set, name);
    const parts =
      channel.delegations === undefined
        ? [channel]
        : allBins(name).map((bin) => readTargets(files, set, bin));
    for (const [path, { hashes }] of parts.flatMap((part) => [...part.targets]))
      if (hashes.sha256 !== undefined) shown.set(path, Sha256.parse(hashes.sha256));
  }
  return shown;
}

export const roleMetaOf = (version: number, bytes: Uint8Array): RoleMeta => ({
  version,
  length: bytes.length,
  sha256: sha256Of(bytes),
});

export const snapshotMetaOf = (meta: ReadonlyMap<string, RoleMeta>): SnapshotMeta =>
  Object.fromEntries(meta);

export const sha256Of = (bytes: Uint8Array): Sha256 =>
  Sha256.parse(createHash("sha256").update(bytes).digest("hex"));

/** Errors: UPB-SERVER-DAMAGED. */
export function presentFile(files: RepositoryFiles, path: string): Uint8Array {
  const bytes = files.read(path);
  if (bytes === undefined) throw damaged(path);
  return bytes;
}

const damaged = (object: string): UpbeatError => new UpbeatError("UPB-SERVER-DAMAGED", { object });
