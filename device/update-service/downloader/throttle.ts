/** Holds transfers to the rate that the rules allow now, all transfers together. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Bucket, fullBucket, limitAt, take } from "../../../core/bandwidth.ts";
import type { BandwidthRule, TransferKind } from "../../../protocol/transfer.ts";

/** A rule that ends must not be waited out. */
const LONGEST_WAIT_MS = 5_000;

export interface Throttle {
  /** Resolves when more may come. */
  passed(bytes: number): Promise<void>;
  /** Whether transfers are being held up here, and so cannot be called slow. */
  isLimiting(): boolean;
}

export function throttle(
  rules: readonly BandwidthRule[],
  kind: TransferKind,
  clock: () => Date,
): Throttle {
  let known: { rate: number; bucket: Bucket } | undefined;
  const rateNow = (): number | undefined => {
    const date = clock();
    return limitAt(rules, kind, date.getHours() * 60 + date.getMinutes());
  };
  return {
    isLimiting: () => rateNow() !== undefined,
    async passed(bytes) {
      const rate = rateNow();
      if (rate === undefined) return;
      const nowMs = performance.now();
      const before = known?.rate === rate ? known.bucket : fullBucket(rate, nowMs);
      const { bucket, waitMs } = take(before, bytes, rate, nowMs);
      known = { rate, bucket };
      if (waitMs > 0) await sleep(Math.min(waitMs, LONGEST_WAIT_MS));
    },
  };
}
