/**
 * Holds the snapshot and timestamp keys and signs by the rules. Its state is durable before a
 * signature leaves, so that no version is ever signed twice with different content.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeDurably } from "../../content/durableFile.ts";
import type { SignerKeys } from "../../protocol/adminApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { expiry, LIFE_MS, metaOf, SPEC_VERSION } from "../../protocol/trust/documents.ts";
import {
  newSigningKey,
  type SigningKey,
  signingKeyFromPem,
  signMetadata,
} from "../../protocol/trust/sign.ts";
import {
  acceptRenewal,
  acceptSnapshot,
  FIRST_STATE,
  SignerState,
  type SnapshotMeta,
} from "./rules.ts";

export interface SignedSet {
  readonly snapshotVersion: number;
  readonly snapshot: Uint8Array;
  readonly timestamp: Uint8Array;
}

export interface Signer {
  readonly keys: SignerKeys;
  /** What the newest snapshot names; empty before the first. */
  signed(): SnapshotMeta;
  signSnapshot(meta: SnapshotMeta): SignedSet;
  /** Errors: UPB-SIGNER-REFUSED, as for the other. */
  renew(): SignedSet;
}

/** Errors: UPB-SIGNER-STATE for a damaged state, because going on could sign a version twice. */
export function openSigner(folder: string, now: () => number): Signer {
  const snapshotKey = loadKey(join(folder, "snapshot.pem"));
  const timestampKey = loadKey(join(folder, "timestamp.pem"));
  const stateFile = join(folder, "state.json");
  let state = loadState(stateFile);

  const keep = (next: SignerState): void => {
    writeDurably(stateFile, JSON.stringify(next), 0o600);
    state = next;
  };
  const snapshotBytes = (): Uint8Array => {
    const meta = Object.fromEntries(
      Object.entries(state.meta).map(([role, { version, length, sha256 }]) => [
        `${role}.json`,
        { version, length, hashes: { sha256 } },
      ]),
    );
    return signMetadata(
      document(
        "snapshot",
        state.snapshotVersion,
        expiry(state.snapshotSignedMs, LIFE_MS.snapshot),
        meta,
      ),
      [snapshotKey],
    );
  };
  const signedSet = (): SignedSet => {
    // Ed25519 is deterministic: the same state gives the same bytes again.
    const snapshot = snapshotBytes();
    const meta = { "snapshot.json": { version: state.snapshotVersion, ...metaOf(snapshot) } };
    const timestamp = signMetadata(
      document(
        "timestamp",
        state.timestampVersion,
        expiry(state.lastSignedMs, LIFE_MS.timestamp),
        meta,
      ),
      [timestampKey],
    );
    return { snapshotVersion: state.snapshotVersion, snapshot, timestamp };
  };
  return {
    keys: { snapshot: snapshotKey.publicHex, timestamp: timestampKey.publicHex },
    signed: () => state.meta,
    signSnapshot(meta) {
      keep(acceptSnapshot(state, meta, now()));
      return signedSet();
    },
    renew() {
      keep(acceptRenewal(state, now()).state);
      return signedSet();
    },
  };
}

const document = (type: string, version: number, expires: string, meta: object) => ({
  _type: type,
  spec_version: SPEC_VERSION,
  version,
  expires,
  meta,
});

function loadKey(file: string): SigningKey {
  if (existsSync(file)) return signingKeyFromPem(readFileSync(file, "utf8"));
  const { key, privatePkcs8Pem } = newSigningKey();
  writeDurably(file, privatePkcs8Pem, 0o400);
  return key;
}

function loadState(file: string): SignerState {
  if (!existsSync(file)) return FIRST_STATE;
  try {
    return SignerState.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (cause) {
    throw new UpbeatError("UPB-SIGNER-STATE", { object: file, cause });
  }
}
