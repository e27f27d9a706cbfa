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
/**
 * Where machines are switched on in the morning every one of them is overdue, and within ten minutes
 * they would ask forty times as often as in the mean (`npm run bench -- fleet`). Nothing is lost by
 * half a working day. Three days leave room for a weekend; who is overdue by more asks soon.
 */
const UNHURRIED_SPREAD_MS = 4 * HOUR_MS;
const HURRIED_AFTER_MS = 72 * HOUR_MS;

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
 * `failures`: of the last checks in a row; a start is often what mends it.
 */
export function firstCheckMs(
  startedMs: number,
  plannedMs: number | undefined,
  random: number,
  failures = 0,
): number {
  const after = (spreadMs: number): number =>
    Math.round(startedMs + FIRST_CHECK_EARLIEST_MS + spreadMs * random);
  const soon = after(FIRST_CHECK_SPREAD_MS);
  if (plannedMs === undefined || plannedMs > startedMs + CHECK_INTERVAL_MS) return soon;
  if (plannedMs > startedMs) return Math.max(soon, plannedMs);
  const isHurried = failures > 0 || startedMs - plannedMs > HURRIED_AFTER_MS;
  return isHurried ? soon : after(UNHURRIED_SPREAD_MS);
}
