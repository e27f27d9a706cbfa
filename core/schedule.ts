/**
 * When the next check is due. Milliseconds since 1970; `random` is in [0, 1).
 *
 * Pure. Numbers: windows-update.md section 2 (a scan every 22 h minus 0-20 % at random, so that
 * machines that were switched on together do not ask together); the rest is ours and says why.
 */
const HOUR_MS = 3_600_000;

export const CHECK_INTERVAL_MS = 22 * HOUR_MS;
const CHECK_SPREAD = 0.2;

/** After start-up the machine and its network get a moment, then machines spread over ten minutes. */
const FIRST_CHECK_EARLIEST_MS = 60_000;
const FIRST_CHECK_SPREAD_MS = 600_000;

/** A failed check is repeated after up to 2, 4, 8 … minutes, at most the fourth part of a day. */
const RETRY_FIRST_MS = 120_000;
const RETRY_LONGEST_MS = 6 * HOUR_MS;
/** Even the luckiest draw leaves the server this long. */
const RETRY_SHORTEST_MS = 15_000;

export function nextCheckMs(
  lastCheckMs: number,
  random: number,
  intervalMs = CHECK_INTERVAL_MS,
): number {
  return Math.round(lastCheckMs + intervalMs * (1 - CHECK_SPREAD * random));
}

/**
 * Exponential backoff with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog).
 * `failures` counts from 1. What the server asks for with Retry-After is a lower bound.
 */
export function retryMs(failedMs: number, failures: number, random: number, askedMs = 0): number {
  const ceiling = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** Math.min(failures - 1, 20));
  const waited = Math.max(RETRY_SHORTEST_MS, ceiling * random);
  // A hostile or broken server must not silence a device for longer than a check interval.
  return Math.round(failedMs + Math.min(CHECK_INTERVAL_MS, Math.max(waited, askedMs)));
}

/**
 * The first check of a process that started at `startedMs`. `plannedMs` is what an earlier process
 * had planned; a plan further away than any rule allows comes from a wrong clock and is dropped.
 */
export function firstCheckMs(
  startedMs: number,
  plannedMs: number | undefined,
  random: number,
): number {
  const soon = Math.round(startedMs + FIRST_CHECK_EARLIEST_MS + FIRST_CHECK_SPREAD_MS * random);
  if (plannedMs === undefined || plannedMs > startedMs + CHECK_INTERVAL_MS) return soon;
  return Math.max(soon, plannedMs);
}
