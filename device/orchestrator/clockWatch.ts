/**
 * Notices that the wall clock did not go as the monotonic one: the machine slept, or somebody set the
 * clock. What was planned by the old time is then planned anew, so that a fleet that wakes together
 * does not ask together, and a plan from a wrong future does not keep a machine silent for years.
 */

/** What timers are late by on a loaded machine is less. */
const JUMP_MS = 10 * 60_000;

/** Call it at each tick; true after a jump of more than ten minutes in either direction. */
export function clockWatch(now: () => number, elapsed: () => number): () => boolean {
  let last = { nowMs: now(), elapsedMs: elapsed() };
  return () => {
    const here = { nowMs: now(), elapsedMs: elapsed() };
    const jumpMs = here.nowMs - last.nowMs - (here.elapsedMs - last.elapsedMs);
    last = here;
    return Math.abs(jumpMs) >= JUMP_MS;
  };
}
