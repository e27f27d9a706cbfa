/**
 * What a client trusts so far, and the rules that need more than one file: the chain of roots,
 * high-water marks, the clock.
 *
 * Errors: UPB-TRUST-CLOCK, -ROOT, -ROLLBACK.
 */
import { UpbeatError } from "../errors/error.ts";
import { keySetHash } from "./keys.ts";
import type { Marks, MetadataStore, TrustOptions } from "./ports.ts";
import type { TopLevelRole } from "./roleNames.ts";
import { keyRing, type Root, type Snapshot, type Timestamp } from "./schema.ts";
import {
  isoTime,
  requireNotOlder,
  verifyNextRoot,
  verifySnapshot,
  verifyTimestamp,
  verifyTrustedRoot,
} from "./verify.ts";

/**
 * How far behind the floor a clock may be: hardware clocks kept in local time are up to 14 hours
 * off until the system corrects them, and a clock that was ahead while a timestamp (life: 1 day)
 * was accepted can have raised the floor by as much.
 */
export const CLOCK_TOLERANCE_MS = 24 * 60 * 60 * 1000;
/** The floor is written again only when it rose by this much: a check without news writes nothing. */
const FLOOR_STEP_MS = 60 * 60 * 1000;

/** The fixed time of one check (specification 5.1) and what it trusts so far. */
export interface TrustState {
  readonly store: MetadataStore;
  readonly nowMs: number;
  root: Root;
  marks: Marks;
}

/** Starts at the shipped root and walks the roots that were kept (5.2, 5.3). */
export function openTrust({ trustedRoot, store, now }: TrustOptions): TrustState {
  const marks = store.readMarks() ?? { roles: {}, timeFloorMs: 0 };
  const nowMs = now();
  requireBelievableClock(nowMs, marks.timeFloorMs);
  let root = verifyTrustedRoot(trustedRoot);
  for (;;) {
    const next = keptRoot(store, root);
    if (next === undefined) break;
    root = next;
  }
  return { store, nowMs, root, marks };
}

function requireBelievableClock(nowMs: number, floorMs: number): void {
  if (nowMs >= floorMs - CLOCK_TOLERANCE_MS) return;
  throw new UpbeatError("UPB-TRUST-CLOCK", {
    object: "clock",
    detail: `it says ${isoTime(nowMs)}, but ${isoTime(floorMs)} has been`,
  });
}

/** A kept root that is damaged counts as absent: the server still has it. */
function keptRoot(store: MetadataStore, root: Root): Root | undefined {
  const bytes = store.readRoot(root.version + 1);
  return bytes && orUndefined(() => verifyNextRoot(root, bytes));
}

/**
 * A root never goes back, whatever its keys: otherwise losing the cache would bring keys back that
 * were rotated out, by withholding the newer roots. No rule of the specification covers this.
 */
export function requireNewestRoot({ marks, root }: TrustState): void {
  requireNotOlder(root.version, roleMark(marks, "root")?.version ?? 0, "root");
}

/** 5.3.11: with their keys rotated, the cached timestamp and snapshot may come from an attacker. */
export function forgetAfterRotation({ store, marks, root }: TrustState): void {
  const roles: readonly TopLevelRole[] = ["timestamp", "snapshot"];
  const isRotated = roles.some((role) => {
    const mark = roleMark(marks, role);
    return mark !== undefined && mark.keys !== keySetHash(keyRing(root, role));
  });
  if (!isRotated) return;
  for (const role of roles) store.remove(role);
}

/** The cached file if it still verifies under the root of now; anything else counts as absent. */
export function keptTimestamp({ store, root }: TrustState): Timestamp | undefined {
  const bytes = store.read("timestamp");
  return bytes && orUndefined(() => verifyTimestamp(root, bytes));
}

export function keptSnapshot({
  store,
  root,
}: TrustState): { bytes: Uint8Array; signed: Snapshot } | undefined {
  const bytes = store.read("snapshot");
  return bytes && orUndefined(() => ({ bytes, signed: verifySnapshot(root, bytes) }));
}

/** 5.4.3: neither the timestamp nor the snapshot that it names may be older than any before. */
export function requireNewTimestamp(
  state: TrustState,
  kept: Timestamp | undefined,
  found: Timestamp,
): void {
  requireNotOlder(found.version, kept?.version ?? 0, "timestamp");
  requireNotOlder(found.version, markOf(state, "timestamp", "timestamp"), "timestamp");
  requireNotOlder(found.snapshot.version, kept?.snapshot.version ?? 0, "snapshot");
  requireNotOlder(found.snapshot.version, markOf(state, "snapshot", "snapshot"), "snapshot");
}

/** 5.5.5: no role that was listed may be older or missing. */
export function requireNewSnapshot(
  state: TrustState,
  kept: Snapshot | undefined,
  found: Snapshot,
): void {
  for (const [role, { version }] of kept?.meta ?? []) {
    requireNotOlder(found.meta.get(role)?.version ?? 0, version, role);
  }
  for (const role of Object.keys(state.marks.roles)) {
    if (role === "root" || role === "timestamp" || role === "snapshot") continue;
    requireNotOlder(found.meta.get(role)?.version ?? 0, markOf(state, role, "snapshot"), role);
  }
}

/**
 * Raises the marks, durably, BEFORE the file that they speak of is kept: a crash between the two
 * leaves an old file and a high mark, which the next check repairs; the other order leaves a
 * version that could be rolled back.
 */
export function raiseMarks(
  state: TrustState,
  versions: Iterable<readonly [role: string, version: number, signedBy: TopLevelRole]>,
  timeFloorMs = state.marks.timeFloorMs,
): void {
  const roles = new Map(Object.entries(state.marks.roles));
  let changed = false;
  for (const [role, version, signedBy] of versions) {
    const keys = keysOfMark(state.root, signedBy);
    const mark = roles.get(role);
    if (mark?.keys === keys && mark.version >= version) continue;
    roles.set(role, { version, keys });
    changed = true;
  }
  if (!changed && timeFloorMs === state.marks.timeFloorMs) return;
  state.marks = { roles: Object.fromEntries(roles), timeFloorMs };
  state.store.writeMarks(state.marks);
}

/** The clock of now, when it is far enough above the floor to be worth a write. */
export function risenFloor({ marks, nowMs }: TrustState): number {
  return nowMs >= marks.timeFloorMs + FLOOR_STEP_MS ? nowMs : marks.timeFloorMs;
}

/**
 * 0 when there is no mark or when the keys that vouch for the role's version were rotated since:
 * the snapshot's for everything that it lists, so that rotating them recovers from a fast-forward.
 */
function markOf({ marks, root }: TrustState, role: string, signedBy: TopLevelRole): number {
  const mark = roleMark(marks, role);
  return mark?.keys === keysOfMark(root, signedBy) ? mark.version : 0;
}

/** Roots follow each other one by one: their marks outlive every rotation. */
const keysOfMark = (root: Root, signedBy: TopLevelRole): string =>
  signedBy === "root" ? "" : keySetHash(keyRing(root, signedBy));

const roleMark = ({ roles }: Marks, role: string) =>
  Object.hasOwn(roles, role) ? roles[role] : undefined;

function orUndefined<Value>(verify: () => Value): Value | undefined {
  try {
    return verify();
  } catch (error) {
    if (error instanceof UpbeatError) return undefined;
    throw error;
  }
}
