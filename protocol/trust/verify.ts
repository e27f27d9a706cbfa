/**
 * One rule of the client workflow each (TUF specification 5.3 to 5.6): bytes in, typed and verified
 * metadata out. Pure, no store and no clock, so that the server's publish gate checks with the same
 * code as the devices.
 *
 * Errors: UPB-TRUST-MALFORMED, -SIGNATURES, -ROLLBACK, -MIXED, -HASH, -LENGTH, -EXPIRED, -ROLE, -ROOT.
 */
import { createHash } from "node:crypto";
import { UpbeatError } from "../errors/error.ts";
import { delegatedKeyRing } from "./delegations.ts";
import { requireThreshold } from "./keys.ts";
import {
  type Hashes,
  keyRing,
  type MetaFile,
  parseRoot,
  parseSnapshot,
  parseTargets,
  parseTimestamp,
  type Root,
  type Snapshot,
  type Targets,
  type Timestamp,
} from "./schema.ts";

/** The root that everything starts from must at least be signed by its own keys. */
export function verifyTrustedRoot(bytes: Uint8Array): Root {
  try {
    const { signed, canonical, signatures } = parseRoot(bytes);
    requireThreshold(canonical, signatures, keyRing(signed, "root"), "root");
    return signed;
  } catch (cause) {
    const detail = cause instanceof UpbeatError ? cause.detail : undefined;
    throw new UpbeatError("UPB-TRUST-ROOT", {
      object: "root",
      ...(detail === undefined ? {} : { detail }),
      cause,
    });
  }
}

/** 5.3.4 and 5.3.5: signed by a threshold of the old and of the new keys, and exactly one newer. */
export function verifyNextRoot(trusted: Root, bytes: Uint8Array): Root {
  const { signed, canonical, signatures } = parseRoot(bytes);
  requireThreshold(canonical, signatures, keyRing(trusted, "root"), "root");
  requireThreshold(canonical, signatures, keyRing(signed, "root"), "root");
  const wanted = trusted.version + 1;
  if (signed.version !== wanted) {
    throw new UpbeatError(signed.version < wanted ? "UPB-TRUST-ROLLBACK" : "UPB-TRUST-MIXED", {
      object: "root",
      detail: `expected version ${wanted}, found ${signed.version}`,
    });
  }
  return signed;
}

/** 5.4.2. */
export function verifyTimestamp(root: Root, bytes: Uint8Array): Timestamp {
  const { signed, canonical, signatures } = parseTimestamp(bytes);
  requireThreshold(canonical, signatures, keyRing(root, "timestamp"), "timestamp");
  return signed;
}

/** 5.5.3. Which snapshot it must be says the timestamp: `requireMetaFile`. */
export function verifySnapshot(root: Root, bytes: Uint8Array): Snapshot {
  const { signed, canonical, signatures } = parseSnapshot(bytes);
  requireThreshold(canonical, signatures, keyRing(root, "snapshot"), "snapshot");
  return signed;
}

/** 5.6.3. Which targets it must be says the snapshot: `requireMetaFile`. */
export function verifyTargets(root: Root, bytes: Uint8Array): Targets {
  const { signed, canonical, signatures } = parseTargets(bytes, "targets");
  requireThreshold(canonical, signatures, keyRing(root, "targets"), "targets");
  return signed;
}

/** 5.6.3 for a delegated role: signed by the keys that THIS delegator names for it. */
export function verifyDelegated(delegator: Targets, role: string, bytes: Uint8Array): Targets {
  const ring = delegator.delegations && delegatedKeyRing(delegator.delegations, role);
  if (ring === undefined) {
    throw new UpbeatError("UPB-TRUST-ROLE", { object: role, detail: "nothing delegates to it" });
  }
  const { signed, canonical, signatures } = parseTargets(bytes, role);
  requireThreshold(canonical, signatures, ring, role);
  return signed;
}

/** 5.5.2 and 5.6.2: length and hashes of a metadata file are those that were signed for it. */
export function requireMetaFile(meta: MetaFile, bytes: Uint8Array, object: string): void {
  if (meta.sizeBytes !== undefined) requireLength(meta.sizeBytes, bytes, object);
  if (meta.hashes !== undefined) requireHashes(meta.hashes, bytes, object);
}

/** 5.5.4 and 5.6.4: the version that was signed for it, or the two belong to different sets. */
export function requireVersion(meta: MetaFile, found: number, object: string): void {
  if (found === meta.version) return;
  throw new UpbeatError("UPB-TRUST-MIXED", {
    object,
    detail: `expected version ${meta.version}, found ${found}`,
  });
}

/** 5.3.10, 5.4.4, 5.5.6, 5.6.5. */
export function requireUnexpired(expiresMs: number, nowMs: number, object: string): void {
  if (nowMs < expiresMs) return;
  throw new UpbeatError("UPB-TRUST-EXPIRED", {
    object,
    detail: `expired ${isoTime(expiresMs)}, the clock says ${isoTime(nowMs)}`,
  });
}

export function requireNotOlder(found: number, least: number, object: string): void {
  if (found >= least) return;
  throw new UpbeatError("UPB-TRUST-ROLLBACK", {
    object,
    detail: `version ${least} was accepted before, found ${found}`,
  });
}

export function requireLength(sizeBytes: number, bytes: Uint8Array, object: string): void {
  if (bytes.length === sizeBytes) return;
  throw new UpbeatError("UPB-TRUST-LENGTH", {
    object,
    detail: `expected ${sizeBytes} bytes, found ${bytes.length}`,
  });
}

/** Every hash of a known algorithm must match, and there must be one. */
export function requireHashes(hashes: Hashes, bytes: Uint8Array, object: string): void {
  const wanted = Object.entries(hashes);
  if (wanted.length === 0) {
    throw new UpbeatError("UPB-TRUST-HASH", { object, detail: "no hash of a known algorithm" });
  }
  for (const [algorithm, digest] of wanted) {
    const found = createHash(algorithm).update(bytes).digest("hex");
    if (found === digest) continue;
    throw new UpbeatError("UPB-TRUST-HASH", {
      object,
      detail: `expected ${algorithm} ${digest}, found ${found}`,
    });
  }
}

export const isoTime = (ms: number): string =>
  Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
