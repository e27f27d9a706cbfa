/**
 * Moves the one bar of the change that is being carried out (`core/wholeProgress.ts`), and learns from
 * every phase that ends how long it takes on this machine. Kept over restarts: the times, and where
 * the bar of an unfinished change was.
 */
import { learned, StageTimes } from "../../core/stageTimes.ts";
import {
  type Bar,
  type Earlier,
  moved,
  PHASES_OF,
  type PlannedJob,
  shareOf,
  wholeProgress,
  workKey,
  worksOf,
} from "../../core/wholeProgress.ts";
import type { Change } from "../../protocol/orchestratorApi.ts";
import type { JobRequest, Progress } from "../../protocol/updateServiceApi.ts";
import type { OrchestratorDatabase } from "./database.ts";

type Phase = Progress["phase"];

export interface ChangeBar {
  /** What the change has to do, as far as it is known; what was named before stays. */
  expect(change: Change, jobs: readonly PlannedJob[]): void;
  /** What the update service says of the job at this moment. */
  look(change: Change, key: string, progress: Progress | undefined): void;
  /** It went well: nothing of it is left to do. */
  ended(change: Change, key: string): void;
  /** What this machine has measured so far. */
  times(): StageTimes;
}

/** Tells a job from the others of its change. */
export function jobKey(job: JobRequest): string {
  if (job.kind === "provider") return `${job.kind}:${job.provider}:${job.verb}`;
  return `${job.kind}:${"update" in job ? job.update.manifestSha256 : job.product}`;
}

/** A phase that came and went between two looks (`watchJob.ts`) took less than this. */
const UNSEEN_MS = 100;

interface Running {
  readonly changeId: string;
  readonly jobs: Map<string, PlannedJob>;
  bar: Bar;
  /** The phase that goes on, as it was last seen, and what its job had before. */
  seen: { readonly key: string; readonly progress: Progress } | undefined;
  readonly earlier: Map<string, Earlier>;
}

export function changeBar(database: OrchestratorDatabase, now: () => number): ChangeBar {
  let times = database.recall("stageTimes", StageTimes) ?? {};
  let running: Running | undefined;

  const of = (change: Change): Running => {
    if (running?.changeId === change.id) return running;
    running = {
      changeId: change.id,
      jobs: new Map(),
      bar: { fraction: change.whole?.fraction ?? 0, done: {} },
      seen: undefined,
      earlier: new Map(),
    };
    return running;
  };

  const advance = (change: Change, at: Running, done: Record<string, number>): void => {
    const works = [...at.jobs.values()].flatMap((job) => worksOf(job, times));
    if (works.length === 0) return;
    at.bar = moved(at.bar, works, done);
    change.whole = wholeProgress(at.bar, works);
  };

  const learn = (phase: Phase, tookMs: number, bytes: number): void => {
    times = learned(times, phase, { tookMs, bytes });
    database.remember("stageTimes", times);
  };

  /** The phase that was seen last is over: its time is learned, its bytes count as earlier ones. */
  const close = (at: Running, endedMs: number): void => {
    const { seen } = at;
    if (seen === undefined) return;
    const { phase, sinceMs, totalBytes } = seen.progress;
    const key = workKey(seen, phase);
    const { visits, bytes } = at.earlier.get(key) ?? NONE;
    at.earlier.set(key, { visits: visits + 1, bytes: bytes + totalBytes });
    at.seen = undefined;
    learn(phase, endedMs - sinceMs, totalBytes);
  };

  return {
    times: () => times,

    expect(change, jobs) {
      const at = of(change);
      for (const job of jobs) at.jobs.set(job.key, job);
      advance(change, at, {});
    },

    look(change, key, progress) {
      if (progress === undefined) return;
      change.movedMs = now();
      const at = of(change);
      const named = at.jobs.get(key);
      if (named === undefined) return;
      const before = at.seen?.progress;
      const isSame = before?.phase === progress.phase && before.sinceMs === progress.sinceMs;
      if (!isSame) close(at, progress.sinceMs);
      at.seen = { key, progress };
      const plan = change.updates.find(({ jobId }) => jobId === progress.jobId)?.plan;
      const job = plan === undefined ? named : { ...named, plan };
      at.jobs.set(key, job);
      const phases = PHASES_OF[job.kind];
      const position = phases.indexOf(progress.phase);
      if (position < 0) return;
      const passed = phases.slice(0, position).filter((phase) => !MAY_COME_AGAIN.has(phase));
      const earlier = at.earlier.get(workKey(job, progress.phase)) ?? NONE;
      advance(change, at, {
        ...Object.fromEntries(passed.map((phase) => [workKey(job, phase), 1])),
        [workKey(job, progress.phase)]: shareOf(job, progress, earlier, { times, nowMs: now() }),
      });
    },

    ended(change, key) {
      const at = of(change);
      const job = at.jobs.get(key);
      if (job === undefined) return;
      close(at, now());
      const phases = PHASES_OF[job.kind];
      for (const phase of phases) {
        const came = at.earlier.has(workKey(job, phase));
        if (!came && !isLeftOut(change, phase)) learn(phase, UNSEEN_MS, 0);
      }
      const all = Object.fromEntries(phases.map((phase) => [workKey(job, phase), 1]));
      advance(change, at, all);
    },
  };
}

const NONE: Earlier = { visits: 0, bytes: 0 };

/** Of a chain of patches each is fetched and applied. */
const MAY_COME_AGAIN: ReadonlySet<Phase> = new Set(["download", "apply"]);

/** Where there was nothing to do, or what is left comes after a restart: that says nothing of times. */
const isLeftOut = ({ updates }: Change, phase: Phase): boolean =>
  ONLY_SOMETIMES.has(phase) ||
  (AFTER_RESTART.has(phase) && updates.some(({ state }) => state === "restart-pending"));

const ONLY_SOMETIMES: ReadonlySet<Phase> = new Set(["download", "apply", "mend", "provider"]);
const AFTER_RESTART: ReadonlySet<Phase> = new Set(["switch", "health-check", "commit"]);
