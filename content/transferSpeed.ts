/** Whether a transfer is too slow to be honest: pure, the clock is passed in. */

export interface Clocked {
  readonly startedMs: number;
  bytes: number;
}

/**
 * On the average since it began, once the grace is over. A transfer that has not received anything
 * is judged by the idle time-out instead: it waits, it isn't slow.
 */
export function isTooSlow(
  { startedMs, bytes }: Clocked,
  nowMs: number,
  minBytesPerSecond: number,
  graceMs: number,
): boolean {
  const tookMs = nowMs - startedMs;
  return bytes > 0 && tookMs > graceMs && (bytes * 1_000) / tookMs < minBytesPerSecond;
}
