/**
 * Asks the update service to run a provider's program and waits for its end.
 * Errors: that of the program, UPB-CHANGE-NOT-DONE, and those of `watchJob.ts`.
 */
import { errorFromReport, UpbeatError } from "../../protocol/errors/error.ts";
import type { JobRequest } from "../../protocol/updateServiceApi.ts";
import { type FollowTools, type JobWatcher, watchJob } from "./watchJob.ts";

type ProviderJob = Extract<JobRequest, { kind: "provider" }>;

export async function followProvider(
  job: ProviderJob,
  tools: FollowTools,
  watcher: JobWatcher,
): Promise<void> {
  await watchJob(job, tools, watcher, ({ status, jobId, isWorking }) => {
    const last = status.providers.find(({ provider }) => provider === job.provider)?.last;
    if (last?.jobId === jobId) {
      if (last.error !== undefined) throw errorFromReport(last.error);
      return last;
    }
    if (!isWorking && status.busy !== undefined) {
      // Another job runs, and this one left no result: the service lost it.
      throw new UpbeatError("UPB-CHANGE-NOT-DONE", { object: `${job.provider} ${job.verb}` });
    }
    return undefined;
  });
}
