/**
 * Asks the update service for a job that moves an update, and watches it to its end.
 * Errors: those of the job, UPB-CHANGE-NOT-DONE, and those of `watchJob.ts`.
 */
import { AFTER_CRASH } from "../../core/updateStates.ts";
import { errorFromReport, UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate } from "../../protocol/ids.ts";
import type {
  JobRequest,
  ServiceStatus,
  UpdateRecord,
  UpdateState,
} from "../../protocol/updateServiceApi.ts";
import { type FollowTools, type JobWatcher, watchJob } from "./watchJob.ts";

/** What moves an update from state to state; the others leave a report (`followReport.ts`). */
export type MovingJob = Exclude<JobRequest, { kind: "verify" | "plan" | "provider" }>;

/** The states in which a job of that kind has done what was asked. */
const DONE: Record<MovingJob["kind"], readonly UpdateState[]> = {
  download: ["downloaded", "installed"],
  install: ["installed", "restart-pending"],
  rollback: ["rolled-back"],
  uninstall: ["uninstalled"],
};

/** Resolves with the record that the job left, in one of its `DONE` states. */
export function followJob(
  job: MovingJob,
  tools: FollowTools,
  watcher: JobWatcher,
): Promise<UpdateRecord> {
  return watchJob(job, tools, watcher, ({ status, jobId, isWorking, isStuck }) => {
    const record = recordOf(job, jobId, status);
    const atRest = record === undefined || AFTER_CRASH[record.state].recovery !== "redo";
    if (isWorking || !(atRest || isStuck)) return undefined;
    return judged(job, record, nameOf(job));
  });
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
