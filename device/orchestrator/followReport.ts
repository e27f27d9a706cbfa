/**
 * Asks the update service for a job that leaves a report and not another state of an update, and
 * waits for that. Errors: UPB-CHANGE-NOT-DONE when there is no report in the end, and those of
 * `watchJob.ts`.
 */
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { JobRequest } from "../../protocol/updateServiceApi.ts";
import { nameOf } from "./followJob.ts";
import { type FollowTools, type JobWatcher, watchJob } from "./watchJob.ts";

/** `find` looks for the report of a job; undefined: there is none yet. */
export function followReport<Report>(
  job: Exclude<JobRequest, { kind: "provider" }>,
  tools: FollowTools,
  watcher: JobWatcher,
  find: (jobId: string) => Promise<Report | undefined>,
): Promise<Report> {
  return watchJob(job, tools, watcher, async ({ jobId, isWorking, isStuck }) => {
    if (isWorking) return undefined;
    const report = await find(jobId);
    if (report === undefined && isStuck)
      throw new UpbeatError("UPB-CHANGE-NOT-DONE", { object: nameOf(job) });
    return report;
  });
}
