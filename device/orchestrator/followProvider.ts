/**
 * Asks the update service to run a provider's program and waits for its end.
 * Errors: that of the program; UPB-CHANGE-NOT-DONE; UPB-LOCAL-NOT-RUNNING when the service stays away.
 */
import { setTimeout as wait } from "node:timers/promises";
import { errorFromReport, UpbeatError } from "../../protocol/errors/error.ts";
import type { JobRequest } from "../../protocol/updateServiceApi.ts";
import {
  type FollowTools,
  type JobWatcher,
  POLL_MS,
  startWhenFree,
  statusWithPatience,
} from "./followJob.ts";

type ProviderJob = Extract<JobRequest, { kind: "provider" }>;

export async function followProvider(
  job: ProviderJob,
  tools: FollowTools,
  watcher: JobWatcher,
): Promise<void> {
  const { jobId } = await startWhenFree(job, tools);
  for (;;) {
    const status = await statusWithPatience(tools);
    watcher.status(status);
    const mine = status.busy?.jobId === jobId ? status.busy : undefined;
    watcher.progress(mine);
    const last = status.providers.find(({ provider }) => provider === job.provider)?.last;
    if (last?.jobId === jobId) {
      if (last.error !== undefined) throw errorFromReport(last.error);
      return;
    }
    if (mine === undefined && status.busy !== undefined) {
      // Another job runs, and this one left no result: the service lost it.
      throw new UpbeatError("UPB-CHANGE-NOT-DONE", { object: `${job.provider} ${job.verb}` });
    }
    await wait(POLL_MS, undefined, { signal: tools.signal });
  }
}
