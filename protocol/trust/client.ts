/**
 * The client of The Update Framework: the workflow of the specification 1.0.x, section 5, steps
 * 5.3 to 5.6, over the ports of `ports.ts`. The numbers in comments are its steps.
 *
 * Every file is kept (store) only after every check on it passed, in the order of the workflow, so a
 * refusal leaves what was trusted before. Errors: UPB-TRUST-*, and those of the source and the store.
 */
import { UpbeatError } from "../errors/error.ts";
import {
  fetchNamed,
  isNamed,
  loadTargets,
  MAX_METADATA_BYTES,
  missing,
  requireAtMost,
} from "./load.ts";
import type { MetadataSource, TrustOptions } from "./ports.ts";
import { metadataFileName } from "./roleNames.ts";
import type { Snapshot, Targets, Timestamp } from "./schema.ts";
import { type TufSet, tufSet } from "./search.ts";
import {
  forgetAfterRotation,
  keptSnapshot,
  keptTimestamp,
  openTrust,
  raiseMarks,
  requireNewestRoot,
  requireNewSnapshot,
  requireNewTimestamp,
  risenFloor,
  type TrustState,
} from "./trustedSet.ts";
import {
  requireUnexpired,
  requireVersion,
  verifyNextRoot,
  verifySnapshot,
  verifyTargets,
  verifyTimestamp,
} from "./verify.ts";

/** python-tuf's bound. Verified roots are kept, so the next check goes on where this one stopped. */
const MAX_NEW_ROOTS = 256;

/** New roots, timestamp, snapshot and targets (5.3 to 5.6), from the source as far as needed. */
export async function refresh(options: TrustOptions & { source: MetadataSource }): Promise<TufSet> {
  const { source } = options;
  const state = openTrust(options);
  await followRoots(state, source);
  requireNewestRoot(state);
  requireUnexpired(state.root.expiresMs, state.nowMs, "root"); // 5.3.10
  forgetAfterRotation(state); // 5.3.11
  const timestamp = await newestTimestamp(state, source);
  const snapshot = await namedSnapshot(state, source, timestamp);
  const targets = await namedTargets(state, source, snapshot);
  return tufSet({ state, source, timestamp, snapshot, targets });
}

/**
 * The same checks on what is kept alone, without the network. Undefined when it is incomplete or
 * older than what was accepted once: `refresh` repairs that. Throws when it has expired.
 * With a `source`, delegated roles that are not kept are fetched on demand.
 */
export async function openCached(
  options: TrustOptions & { source?: MetadataSource },
): Promise<TufSet | undefined> {
  try {
    return await refreshFromCache(options);
  } catch (error) {
    if (error instanceof UpbeatError && INCOMPLETE.has(error.code)) return undefined;
    throw error;
  }
}

const INCOMPLETE: ReadonlySet<string> = new Set(["UPB-TRUST-MISSING", "UPB-TRUST-ROLLBACK"]);

const EMPTY: MetadataSource = { fetch: async () => undefined };

async function refreshFromCache(
  options: TrustOptions & { source?: MetadataSource },
): Promise<TufSet> {
  const state = openTrust(options);
  requireNewestRoot(state);
  requireUnexpired(state.root.expiresMs, state.nowMs, "root");
  const timestamp = keptTimestamp(state);
  if (timestamp === undefined) throw missing("timestamp");
  requireNewTimestamp(state, undefined, timestamp);
  requireUnexpired(timestamp.expiresMs, state.nowMs, "timestamp");
  const snapshot = await namedSnapshot(state, EMPTY, timestamp);
  const targets = await namedTargets(state, EMPTY, snapshot);
  return tufSet({ state, source: options.source ?? EMPTY, timestamp, snapshot, targets });
}

/** 5.3.2 to 5.3.9: one version after the other, until the server has no next one. */
async function followRoots(state: TrustState, source: MetadataSource): Promise<void> {
  for (let count = 0; count < MAX_NEW_ROOTS; count++) {
    const version = state.root.version + 1;
    const name = metadataFileName("root", version, true);
    const bytes = await source.fetch(name, MAX_METADATA_BYTES.root);
    if (bytes === undefined) return;
    requireAtMost(MAX_METADATA_BYTES.root, bytes, "root");
    state.root = verifyNextRoot(state.root, bytes);
    // The other way round than below: a mark above a root that was not kept could not be met while
    // the server is away.
    state.store.writeRoot(version, bytes); // 5.3.8
    state.store.write("root", bytes);
    raiseMarks(state, [["root", version, "root"]]);
  }
  const detail = `${MAX_NEW_ROOTS} in one go`;
  throw new UpbeatError("UPB-TRUST-TOO-MANY-ROOTS", { object: "root", detail });
}

/** 5.4. */
async function newestTimestamp(state: TrustState, source: MetadataSource): Promise<Timestamp> {
  const kept = keptTimestamp(state);
  const bytes = await source.fetch("timestamp.json", MAX_METADATA_BYTES.timestamp);
  if (bytes === undefined) throw missing("timestamp");
  requireAtMost(MAX_METADATA_BYTES.timestamp, bytes, "timestamp");
  const found = verifyTimestamp(state.root, bytes); // 5.4.2
  requireNewTimestamp(state, kept, found); // 5.4.3
  // An equal version is the one that is kept already, whatever this one says (5.4.3).
  const current = kept?.version === found.version ? kept : found;
  requireUnexpired(current.expiresMs, state.nowMs, "timestamp"); // 5.4.4
  // Only now: an unexpired timestamp bounds how far ahead the clock can be.
  raiseMarks(state, [["timestamp", current.version, "timestamp"]], risenFloor(state));
  if (current === found) state.store.write("timestamp", bytes); // 5.4.5
  return current;
}

/** 5.5. */
async function namedSnapshot(
  state: TrustState,
  source: MetadataSource,
  timestamp: Timestamp,
): Promise<Snapshot> {
  const meta = timestamp.snapshot;
  const kept = keptSnapshot(state);
  if (kept !== undefined && isNamed(meta, kept.signed.version, kept.bytes)) {
    requireNewSnapshot(state, undefined, kept.signed);
    requireUnexpired(kept.signed.expiresMs, state.nowMs, "snapshot");
    raiseMarks(state, marksOfSnapshot(kept.signed));
    return kept.signed;
  }
  const bytes = await fetchNamed(state.root, source, "snapshot", meta, MAX_METADATA_BYTES.snapshot);
  const found = verifySnapshot(state.root, bytes); // 5.5.3
  requireVersion(meta, found.version, "snapshot"); // 5.5.4
  requireNewSnapshot(state, kept?.signed, found); // 5.5.5
  requireUnexpired(found.expiresMs, state.nowMs, "snapshot"); // 5.5.6
  raiseMarks(state, marksOfSnapshot(found));
  state.store.write("snapshot", bytes); // 5.5.7
  return found;
}

function* marksOfSnapshot(snapshot: Snapshot): Generator<readonly [string, number, "snapshot"]> {
  yield ["snapshot", snapshot.version, "snapshot"];
  for (const [role, { version }] of snapshot.meta) {
    // Some repositories list root.json in the snapshot; its mark is kept by the chain of roots.
    if (role === "root" || role === "timestamp" || role === "snapshot") continue;
    yield [role, version, "snapshot"];
  }
}

/** 5.6.1 to 5.6.6 for the top-level targets. */
async function namedTargets(
  state: TrustState,
  source: MetadataSource,
  snapshot: Snapshot,
): Promise<Targets> {
  const verify = (bytes: Uint8Array) => verifyTargets(state.root, bytes);
  return loadTargets({ state, source, snapshot, role: "targets", verify });
}
