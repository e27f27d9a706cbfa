/**
 * One bar over all that a change has to do, and how long the rest takes (windows-update.md 5, row 7).
 * Pure; times are milliseconds.
 *
 * Each part of the work has an expected time, from what this machine needed before or from its bytes.
 * The bar goes forward by the share that was done of what was left. So a better estimate, or a part
 * that nobody knew of, changes how fast it moves from there on; where it is it stays.
 */
import type { DownloadPlan } from "../protocol/downloadPlan.ts";
import type { WholeProgress } from "../protocol/orchestratorApi.ts";
import type { JobRequest, Progress } from "../protocol/updateServiceApi.ts";
import { type Expected, expectedTime, type StageTimes } from "./stageTimes.ts";

type Phase = Progress["phase"];

/** A job of the update service that belongs to a change. */
export interface PlannedJob {
  /** Tells it from the others of the change. */
  readonly key: string;
  readonly kind: JobRequest["kind"];
  /** Of all files of the update. */
  readonly sizeBytes?: number | undefined;
  /** Once it is known how the update comes. */
  readonly plan?: DownloadPlan | undefined;
}

export interface Work extends Expected {
  readonly key: string;
}

/** How much of each work is done, by its key, 0 to 1; and where the bar is because of it. */
export interface Bar {
  readonly fraction: number;
  readonly done: Readonly<Record<string, number>>;
}

/** The phases of each kind of job in their order; an undoing comes on top and has no bar. */
export const PHASES_OF: Readonly<Record<JobRequest["kind"], readonly Phase[]>> = {
  download: ["refresh-metadata", "plan", "verify", "download", "apply"],
  install: ["verify", "stage", "switch", "health-check", "commit"],
  rollback: ["verify", "rollback"],
  uninstall: ["verify"],
  plan: ["refresh-metadata", "plan", "verify"],
  verify: ["verify", "inspect", "mend"],
  provider: ["provider"],
};

export function worksOf(job: PlannedJob, times: StageTimes): Work[] {
  return PHASES_OF[job.kind].map((phase) => ({
    key: workKey(job, phase),
    ...expectedTime(times, phase, bytesOf(job, phase)),
  }));
}

export const workKey = (job: Pick<PlannedJob, "key">, phase: Phase): string =>
  `${job.key}/${phase}`;

/** Undefined: nobody can say before the phase begins. */
function bytesOf({ kind, sizeBytes, plan }: PlannedJob, phase: Phase): number | undefined {
  if (phase === "download") return plan?.bytes ?? sizeBytes;
  // Only patches make something of what was fetched.
  if (phase === "apply") return plan?.way === "patches" ? undefined : 0;
  if (phase === "stage" || phase === "inspect") return sizeBytes;
  return kind === "verify" && phase === "mend" ? 0 : undefined;
}

/** What was seen of a phase when it came earlier in the same job: patches follow one another. */
export interface Earlier {
  readonly visits: number;
  readonly bytes: number;
}

/** A phase that counts nothing moves with the time that it usually takes, and never to its end. */
const MOST_WITHOUT_COUNT = 0.9;

/** How much of its phase a job has done, 0 to 1. */
export function shareOf(
  job: PlannedJob,
  progress: Progress,
  earlier: Earlier,
  { times, nowMs }: { readonly times: StageTimes; readonly nowMs: number },
): number {
  const { phase, doneBytes, totalBytes, sinceMs } = progress;
  if (totalBytes === 0) {
    const { ms } = expectedTime(times, phase, undefined);
    return Math.min(MOST_WITHOUT_COUNT, Math.max(0, nowMs - sinceMs) / Math.max(1, ms));
  }
  const inVisit = Math.min(1, doneBytes / totalBytes);
  if (phase === "download") {
    const all = Math.max(job.plan?.bytes ?? 0, earlier.bytes + totalBytes);
    return Math.min(1, (earlier.bytes + inVisit * totalBytes) / all);
  }
  const visits = phase === "apply" ? Math.max(patchesOf(job), earlier.visits + 1) : 1;
  return (Math.min(visits - 1, earlier.visits) + inVisit) / visits;
}

const patchesOf = ({ plan }: PlannedJob): number =>
  plan?.parts.find(({ source }) => source === "patches")?.count ?? 1;

/** `done` names what has gone on; no work is ever less done than it was. */
export function moved(
  bar: Bar,
  works: readonly Work[],
  done: Readonly<Record<string, number>>,
): Bar {
  const next = { ...bar.done };
  for (const [key, share] of Object.entries(done)) {
    next[key] = Math.min(1, Math.max(next[key] ?? 0, share));
  }
  const before = leftOf(works, bar.done);
  const part = before === 0 ? 0 : (before - leftOf(works, next)) / before;
  const fraction = bar.fraction + (1 - bar.fraction) * part;
  return { fraction: Math.min(1, Math.max(bar.fraction, fraction)), done: next };
}

function leftOf(works: readonly Work[], done: Bar["done"]): number {
  return works.reduce((sum, work) => sum + work.ms * (1 - (done[work.key] ?? 0)), 0);
}

/** Past that share of guesses, a time would be one too. */
const MOST_GUESSED = 0.5;

/** What people see: the time only where it rests on what was measured here. */
export function wholeProgress(bar: Bar, works: readonly Work[]): WholeProgress {
  const left = leftOf(works, bar.done);
  const guessed = leftOf(
    works.filter((work) => work.isGuess),
    bar.done,
  );
  const isKnown = left > 0 && guessed <= left * MOST_GUESSED;
  return { fraction: bar.fraction, ...(isKnown ? { leftMs: Math.round(left) } : {}) };
}
