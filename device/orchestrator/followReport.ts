/**
 * Asks the update service for a job that leaves a report and not another state of an update, and
 * waits for that. Errors: those of asking, UPB-CHANGE-NOT-DONE when there is no report in the end.
 */
import { setTimeout as wait } from "node:timers/promises";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { JobRequest } from "../../protocol/updateServiceApi.ts";
import {
  type FollowTools,
  type JobWatcher,
  nameOf,
  POLL_MS,
  STUCK_MS,
  startWhenFree,
  statusWithPatience,
} from "./followJob.ts";

/** `find` looks for the report of a job; undefined: there is none yet. */
export async function followReport<Report>(
  job: Exclude<JobRequest, { kind: "provider" }>,
  tools: FollowTools,
  watcher: JobWatcher,
  find: (jobId: string) => Promise<Report | undefined>,
): Promise<Report> {
  const { jobId } = await startWhenFree(job, tools);
  let workedMs = tools.elapsed();
  for (;;) {
    const status = await statusWithPatience(tools);
    watcher.status(status);
    const mine = status.busy?.jobId === jobId ? status.busy : undefined;
    watcher.progress(mine);
    if (mine !== undefined) workedMs = tools.elapsed();
    else {
      const report = await find(jobId);
      if (report !== undefined) return report;
      if (tools.elapsed() - workedMs > STUCK_MS)
        throw new UpbeatError("UPB-CHANGE-NOT-DONE", { object: nameOf(job) });
    }
    await wait(POLL_MS, undefined, { signal: tools.signal });
  }
}
