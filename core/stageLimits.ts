/**
 * How long each phase of an update may go on without moving before it counts as stuck. Pure.
 *
 * A phase moves when bytes are counted or the next phase begins. Hooks and health checks move
 * nothing while they run, so their limits are their own longest time-outs and a little more.
 */
import type { Progress } from "../protocol/updateServiceApi.ts";

const MINUTE_MS = 60_000;

export const STAGE_LIMIT_MS: Record<Progress["phase"], number> = {
  // The downloader gives a silent transfer up after 15 s, five times, with waits of up to a minute.
  "refresh-metadata": 8 * MINUTE_MS,
  download: 8 * MINUTE_MS,
  plan: 5 * MINUTE_MS,
  // Every file moves it; a very large one on a slow disk takes a while.
  verify: 10 * MINUTE_MS,
  inspect: 10 * MINUTE_MS,
  mend: 10 * MINUTE_MS,
  // One file of a patch may take a while to be made.
  apply: 10 * MINUTE_MS,
  stage: 10 * MINUTE_MS,
  // A restart command may take five minutes.
  switch: 6 * MINUTE_MS,
  rollback: 6 * MINUTE_MS,
  commit: 5 * MINUTE_MS,
  // Others' programs have their own limits, up to an hour (`protocol/providers.ts`).
  provider: 65 * MINUTE_MS,
  // The manifest sets its time-out and retries; nobody means hours.
  "health-check": 60 * MINUTE_MS,
};

/** `movedMs` is absent from services that do not say it: then the phase's beginning counts. */
export function isStalled(progress: Progress, nowMs: number): boolean {
  return nowMs - (progress.movedMs ?? progress.sinceMs) > STAGE_LIMIT_MS[progress.phase];
}
