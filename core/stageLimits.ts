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
  return nowMs > stuckMs(progress);
}

/** What keeps a phase busy, and so what it waits for; goes on the words "it waits for". */
export const WAITS_FOR: Record<Progress["phase"], string> = {
  "refresh-metadata": "the server, for what was signed",
  plan: "the server, for the list of files, and the cheapest way to bring them",
  download: "bytes from the server",
  apply: "this machine, which makes new files from the ones that are here",
  verify: "this machine's disk, from which every byte is read",
  stage: "this machine's disk, to which the new version is written",
  switch: "the program, which is restarted with the new version",
  "health-check": "the new version, to say that it is well",
  commit: "this machine's disk",
  rollback: "the version before, to run again",
  inspect: "this machine's disk, from which every byte is read",
  mend: "this machine, which puts damaged files right",
  provider: "the provider's own program",
};

/** After that the orchestrator gives a job up that the update service does not begin (150 s). */
export const BEGIN_LIMIT_MS = 3 * MINUTE_MS;

/** The orchestrator looks about once a minute; a check that runs, or a loaded machine, takes longer. */
export const CHECK_LATE_MS = 30 * MINUTE_MS;

/** When it counts as stuck, unless something moves before. */
export const stuckMs = (progress: Progress): number =>
  (progress.movedMs ?? progress.sinceMs) + STAGE_LIMIT_MS[progress.phase];
