/**
 * What the signer signs, whoever asks: versions only go up, no role is dropped or goes back, the life
 * of what it signs is fixed, and its clock never runs backwards. Pure.
 *
 * A stolen web process can therefore make it confirm genuine roles, and nothing else.
 */
import { z } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Sha256 } from "../../protocol/ids.ts";
import { LIFE_MS } from "../../protocol/trust/documents.ts";

export const RoleMeta = z.strictObject({
  version: z.int().positive(),
  length: z.int().positive(),
  sha256: Sha256,
});
export type RoleMeta = z.infer<typeof RoleMeta>;
/** By role name. */
export const SnapshotMeta = z.record(z.string().max(200), RoleMeta);
export type SnapshotMeta = z.infer<typeof SnapshotMeta>;

export const SignerState = z.strictObject({
  snapshotVersion: z.int().nonnegative(),
  timestampVersion: z.int().nonnegative(),
  meta: SnapshotMeta,
  lastSignedMs: z.int().nonnegative(),
  snapshotSignedMs: z.int().nonnegative(),
  /** When timestamps were renewed in the last hour. */
  renewalsMs: z.array(z.int()),
});
export type SignerState = z.infer<typeof SignerState>;

export const FIRST_STATE: SignerState = {
  snapshotVersion: 0,
  timestampVersion: 0,
  meta: {},
  lastSignedMs: 0,
  snapshotSignedMs: 0,
  renewalsMs: [],
};

const HOUR_MS = 60 * 60 * 1000;
const RENEWALS_AN_HOUR = 60;

/** The next state, to be made durable before anything is signed. Errors: UPB-SIGNER-REFUSED. */
export function acceptSnapshot(state: SignerState, meta: SnapshotMeta, nowMs: number): SignerState {
  requireClock(state, nowMs);
  if (!Object.hasOwn(meta, "targets")) throw refused("targets", "it is missing");
  for (const [role, before] of Object.entries(state.meta)) {
    const next = Object.hasOwn(meta, role) ? meta[role] : undefined;
    if (next === undefined) throw refused(role, "it is missing");
    if (next.version < before.version)
      throw refused(role, `version ${before.version} was signed before, found ${next.version}`);
    if (next.version === before.version && next.sha256 !== before.sha256)
      throw refused(role, `another version ${before.version} was signed before`);
  }
  return {
    ...state,
    snapshotVersion: state.snapshotVersion + 1,
    timestampVersion: state.timestampVersion + 1,
    meta,
    lastSignedMs: nowMs,
    snapshotSignedMs: nowMs,
  };
}

/** A new timestamp, and a new snapshot when less than half of its life is left. */
export function acceptRenewal(
  state: SignerState,
  nowMs: number,
): { state: SignerState; snapshotToo: boolean } {
  requireClock(state, nowMs);
  if (state.snapshotVersion === 0) throw refused("timestamp", "there is nothing to renew yet");
  const renewalsMs = state.renewalsMs.filter((atMs) => atMs > nowMs - HOUR_MS);
  if (renewalsMs.length >= RENEWALS_AN_HOUR)
    throw refused("timestamp", `${RENEWALS_AN_HOUR} renewals in an hour`);
  const snapshotToo = nowMs - state.snapshotSignedMs > LIFE_MS.snapshot / 2;
  return {
    snapshotToo,
    state: {
      ...state,
      ...(snapshotToo
        ? { snapshotVersion: state.snapshotVersion + 1, snapshotSignedMs: nowMs }
        : {}),
      timestampVersion: state.timestampVersion + 1,
      lastSignedMs: nowMs,
      renewalsMs: [...renewalsMs, nowMs],
    },
  };
}

function requireClock({ lastSignedMs }: SignerState, nowMs: number): void {
  if (nowMs >= lastSignedMs) return;
  throw refused(
    "clock",
    `it says ${new Date(nowMs).toISOString()}, but ${new Date(lastSignedMs).toISOString()} has been signed`,
  );
}

const refused = (object: string, detail: string): UpbeatError =>
  new UpbeatError("UPB-SIGNER-REFUSED", { object, detail });
