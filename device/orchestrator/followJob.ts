/**
 * Asks the update service for one job and watches it to its end.
 *
 * The update service does its work whether or not anybody watches. When it is away for a moment
 * (a restart, an update of itself) this waits: it goes on by itself with what it had begun.
 * Errors: those of the job, UPB-CHANGE-NOT-DONE, UPB-LOCAL-NOT-RUNNING when it stays away.
 */
import { setTimeout as wait } from "node:timers/promises";
import { AFTER_CRASH } from "../../core/updateStates.ts";
import { errorFromReport, UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, type Product } from "../../protocol/ids.ts";
import type {
  JobRequest,
  Progress,
  ServiceStatus,
  UpdateRecord,
  UpdateState,
} from "../../protocol/updateServiceApi.ts";
import type { UpdateServiceCalls } from "./updateServiceCalls.ts";

export const POLL_MS = 200;
/** Longer than the first two waits of the service manager's recovery: 1 s and 2 min. */
const AWAY_MS = 150_000;
/** Another job may be at work when this one is asked for; jobs end, if not always soon. */
const BUSY_MS = 3_600_000;
/** The update service says that it does nothing, and yet the update is not at rest. */
export const STUCK_MS = 150_000;

/** What moves an update from state to state; the others leave a report (`followReport.ts`). */
export type MovingJob = Exclude<JobRequest, { kind: "verify" | "plan" | "provider" }>;

/** The states in which a job of that kind has done what was asked. */
const DONE: Record<MovingJob["kind"], readonly UpdateState[]> = {
  download: ["downloaded", "installed"],
  install: ["installed", "restart-pending"],
  rollback: ["rolled-back"],
  uninstall: ["uninstalled"],
};

export interface JobWatcher {
  progress(progress: Progress | undefined): void;
  /** Everything that the update service says about itself, each time it is asked. */
  status(status: ServiceStatus): void;
}

export interface FollowTools {
  readonly calls: UpdateServiceCalls;
  readonly signal: AbortSignal;
  /** Monotonic, milliseconds: waiting must not depend on the wall clock. */
  readonly elapsed: () => number;
}

/** Resolves with the record that the job left, in one of its `DONE` states. */
export async function followJob(
  job: MovingJob,
  tools: FollowTools,
  watcher: JobWatcher,
): Promise<UpdateRecord> {
  const { jobId } = await startWhenFree(job, tools);
  let workedMs = tools.elapsed();
  for (;;) {
    const status = await statusWithPatience(tools);
    watcher.status(status);
    const mine = status.busy?.jobId === jobId ? status.busy : undefined;
    watcher.progress(mine);
    if (mine !== undefined) workedMs = tools.elapsed();
    const record = recordOf(job, jobId, status);
    const atRest = record === undefined || AFTER_CRASH[record.state].recovery !== "redo";
    const stuck = tools.elapsed() - workedMs > STUCK_MS;
    if (mine === undefined && (atRest || stuck)) return judged(job, record, nameOf(job));
    await wait(POLL_MS, undefined, { signal: tools.signal });
  }
}

function judged(job: MovingJob, record: UpdateRecord | undefined, object: string): UpdateRecord {
  if (record !== undefined && DONE[job.kind].includes(record.state)) return record;
  if (record?.error !== undefined) throw errorFromReport(record.error);
  const detail = record === undefined ? "it left no record" : `it is ${record.state}`;
  throw new UpbeatError("UPB-CHANGE-NOT-DONE", { object, detail });
}

function recordOf(job: MovingJob, jobId: string, status: ServiceStatus): UpdateRecord | undefined {
  const ofJob = status.updates.filter((record) => record.jobId === jobId);
  if (job.kind !== "download" && job.kind !== "install") {
    return ofJob.find((record) => DONE[job.kind].includes(record.state)) ?? ofJob[0];
  }
  return (
    ofJob.find((record) => record.manifestSha256 === job.update.manifestSha256) ??
    // Already there: a job that has nothing to do leaves the record of the one that did it.
    status.updates.find((record) => record.manifestSha256 === job.update.manifestSha256)
  );
}

export const nameOf = (job: Exclude<JobRequest, { kind: "provider" }>): string =>
  "update" in job ? formatUpdate(job.update) : job.product;

export async function startWhenFree(
  job: JobRequest,
  tools: FollowTools,
): Promise<{ jobId: string }> {
  const untilMs = tools.elapsed() + BUSY_MS;
  for (;;) {
    try {
      return await tools.calls.start(job);
    } catch (error) {
      const busy = error instanceof UpbeatError && error.code === "UPB-INSTALL-BUSY";
      if (!busy || tools.elapsed() >= untilMs) throw error;
      const { updates } = await statusWithPatience(tools);
      const product = productOf(job);
      // That wait ends when the machine restarts, and this process with it.
      const awaitsRestart = updates.some(
        (record) => record.state === "restart-pending" && record.product === product,
      );
      if (awaitsRestart) throw error;
      await wait(POLL_MS, undefined, { signal: tools.signal });
    }
  }
}

function productOf(job: JobRequest): Product | undefined {
  if (job.kind === "provider") return undefined;
  return "update" in job ? job.update.product : job.product;
}

export async function statusWithPatience(tools: FollowTools): Promise<ServiceStatus> {
  const untilMs = tools.elapsed() + AWAY_MS;
  for (;;) {
    try {
      return await tools.calls.status();
    } catch (error) {
      const away = error instanceof UpbeatError && AWAY.has(error.code);
      if (!away || tools.elapsed() >= untilMs) throw error;
      await wait(POLL_MS, undefined, { signal: tools.signal });
    }
  }
}

const AWAY: ReadonlySet<string> = new Set(["UPB-LOCAL-NOT-RUNNING", "UPB-LOCAL-TIMEOUT"]);
