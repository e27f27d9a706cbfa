/**
 * Gets one metadata file that other metadata names: from the store when it still is that file, from
 * the source otherwise (TUF specification 5.5.1 and 5.6.1 to 5.6.6).
 *
 * Errors: UPB-TRUST-MISSING, -ROLE, -LENGTH, -HASH, -MIXED, -EXPIRED, those of `verify`, source, store.
 */
import { UpbeatError } from "../errors/error.ts";
import type { MetadataSource } from "./ports.ts";
import { metadataFileName } from "./roleNames.ts";
import type { MetaFile, Root, Snapshot, Targets } from "./schema.ts";
import type { TrustState } from "./trustedSet.ts";
import { requireMetaFile, requireUnexpired, requireVersion } from "./verify.ts";

/**
 * The most that is ever read of a file (5.3.3, 5.4.1, 5.5.1, 5.6.1 leave the numbers to the
 * client). python-tuf's and tuf-js' defaults for the first three, which a root with 100 keys and a
 * snapshot of 15,000 roles with hashes fit into. Targets: 32 MB holds 100,000 updates in one role
 * (166 bytes each, measured), twice over.
 */
export const MAX_METADATA_BYTES = {
  root: 512_000,
  timestamp: 16_384,
  snapshot: 2_000_000,
  targets: 32_000_000,
} as const;

/** The targets role or a delegated one, as the snapshot names it. */
export async function loadTargets(wanted: {
  state: TrustState;
  source: MetadataSource;
  snapshot: Snapshot;
  role: string;
  verify: (bytes: Uint8Array) => Targets;
}): Promise<Targets> {
  const { state, source, snapshot, role, verify } = wanted;
  const meta = snapshot.meta.get(role);
  if (meta === undefined) {
    throw new UpbeatError("UPB-TRUST-ROLE", { object: role, detail: "not in the snapshot" });
  }
  const kept = keptTargets(state, meta, role, verify);
  if (kept !== undefined) {
    requireUnexpired(kept.expiresMs, state.nowMs, role);
    return kept;
  }
  const bytes = await fetchNamed(state.root, source, role, meta, MAX_METADATA_BYTES.targets);
  const found = verify(bytes); // 5.6.3
  requireVersion(meta, found.version, role); // 5.6.4
  requireUnexpired(found.expiresMs, state.nowMs, role); // 5.6.5
  state.store.write(role, bytes); // 5.6.6
  return found;
}

/** What was kept was verified once, but maybe under other keys: it is verified again. */
function keptTargets(
  { store }: TrustState,
  meta: MetaFile,
  role: string,
  verify: (bytes: Uint8Array) => Targets,
): Targets | undefined {
  const bytes = store.read(role);
  if (bytes === undefined) return undefined;
  try {
    const kept = verify(bytes);
    return isNamed(meta, kept.version, bytes) ? kept : undefined;
  } catch (error) {
    if (error instanceof UpbeatError) return undefined;
    throw error;
  }
}

/** Whether this is the very file that was signed for. */
export function isNamed(meta: MetaFile, version: number, bytes: Uint8Array): boolean {
  if (version !== meta.version) return false;
  try {
    requireMetaFile(meta, bytes, "");
    return true;
  } catch (error) {
    if (error instanceof UpbeatError) return false;
    throw error;
  }
}

/** The bytes, of the signed length and hashes. A signed length never raises the bound. */
export async function fetchNamed(
  root: Root,
  source: MetadataSource,
  role: string,
  meta: MetaFile,
  maxBytes: number,
): Promise<Uint8Array> {
  const most = Math.min(meta.sizeBytes ?? maxBytes, maxBytes);
  const name = metadataFileName(role, meta.version, root.consistentSnapshot);
  const bytes = await source.fetch(name, most);
  if (bytes === undefined) throw missing(role);
  requireAtMost(most, bytes, role);
  requireMetaFile(meta, bytes, role);
  return bytes;
}

export function requireAtMost(maxBytes: number, bytes: Uint8Array, object: string): void {
  if (bytes.length <= maxBytes) return;
  throw new UpbeatError("UPB-TRUST-LENGTH", {
    object,
    detail: `expected at most ${maxBytes} bytes, found ${bytes.length}`,
  });
}

export const missing = (role: string): UpbeatError =>
  new UpbeatError("UPB-TRUST-MISSING", { object: role });
