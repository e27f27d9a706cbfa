/**
 * How fast a transfer may be now: a token bucket, and the rule that holds at a time of day. Pure.
 *
 * The bucket may go into debt: what has arrived is counted whole, and the next one waits until the
 * debt is paid. So a piece may be larger than the bucket, and the mean still is the rate.
 */
import type { BandwidthRule, TransferKind } from "../protocol/transfer.ts";

export interface Bucket {
  /** Negative: a debt. */
  readonly tokens: number;
  readonly atMs: number;
}

/** What may come at once after a pause: small, so that others on the line notice nothing. */
const BURST_MS = 250;

export const fullBucket = (bytesPerSecond: number, nowMs: number): Bucket => ({
  tokens: capacity(bytesPerSecond),
  atMs: nowMs,
});

/** Takes `bytes` out; `waitMs` is how long to wait before more may come. */
export function take(
  bucket: Bucket,
  bytes: number,
  bytesPerSecond: number,
  nowMs: number,
): { bucket: Bucket; waitMs: number } {
  // A clock that went back fills nothing and owes nothing.
  const elapsedMs = Math.max(0, nowMs - bucket.atMs);
  const filled = bucket.tokens + (elapsedMs * bytesPerSecond) / 1_000;
  const tokens = Math.min(capacity(bytesPerSecond), filled) - bytes;
  return {
    bucket: { tokens, atMs: nowMs },
    waitMs: tokens >= 0 ? 0 : Math.ceil((-tokens * 1_000) / bytesPerSecond),
  };
}

const capacity = (bytesPerSecond: number): number => (bytesPerSecond * BURST_MS) / 1_000;

/** Bytes per second; undefined: no limit. */
export function limitAt(
  rules: readonly BandwidthRule[],
  kind: TransferKind,
  minuteOfDay: number,
): number | undefined {
  return rules.find((rule) => holdsAt(rule, minuteOfDay))?.[kind];
}

function holdsAt({ from, to }: BandwidthRule, minute: number): boolean {
  const start = from === undefined ? 0 : minutes(from);
  const end = to === undefined ? 24 * 60 : minutes(to);
  return start < end ? minute >= start && minute < end : minute >= start || minute < end;
}

function minutes(time: string): number {
  const [hours = 0, rest = 0] = time.split(":").map(Number);
  return hours * 60 + rest;
}
