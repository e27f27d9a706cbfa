/** Watches a job of the update service for the change that it belongs to: its phase, and the one bar. */
import type { Change } from "../../protocol/orchestratorApi.ts";
import type { JobRequest, ServiceStatus } from "../../protocol/updateServiceApi.ts";
import { type ChangeBar, jobKey } from "./bar.ts";
import type { JobWatcher } from "./watchJob.ts";

export interface WatchWorld {
  readonly bar: ChangeBar;
  /** Hears of all that the update service says of itself. */
  readonly observe: (status: ServiceStatus) => void;
}

export async function watchedFor<Result>(
  { bar, observe }: WatchWorld,
  change: Change,
  job: JobRequest,
  work: (watcher: JobWatcher) => Promise<Result>,
): Promise<Result> {
  const key = jobKey(job);
  const result = await work({
    status: observe,
    progress(progress) {
      if (progress === undefined) delete change.progress;
      else change.progress = progress;
      bar.look(change, key, progress);
    },
  });
  bar.ended(change, key);
  return result;
}
