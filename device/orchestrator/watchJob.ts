/**
 * Asks the update service for a job and watches it until its end is recognised; how that looks is
 * for the caller to say (`followJob.ts`, `followReport.ts`, `followProvider.ts`).
 *
 * The update service does its work whether or not anybody watches. When it is away for a moment
 * (a restart, an update of itself) this waits: it goes on by itself with what it had begun.
 * Errors: those of asking, UPB-LOCAL-NOT-RUNNING when it stays away.
 */
import { setTimeout as wait } from "node:timers/promises";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Product } from "../../protocol/ids.ts";
import type { JobRequest, Progress, ServiceStatus } from "../../protocol/updateServiceApi.ts";
import type { UpdateServiceCalls } from "./updateServiceCalls.ts";

const POLL_MS = 200;
/** Longer than the first two waits of the service manager's recovery: 1 s and 2 min. */
const AWAY_MS = 150_000;
/** Another job may be at work when this one is asked for; jobs end, if not always soon. */
const BUSY_MS = 3_600_000;
/** The update service says that it does nothing, and yet the job has no end. */
const STUCK_MS = 150_000;

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

/** What one look at the update service shows of the job. */
export interface Look {
  readonly status: ServiceStatus;
  readonly jobId: string;
  readonly isWorking: boolean;
  /** It has not been worked on for so long that no end will come. */
  readonly isStuck: boolean;
}

/** `ended` gives the result once there is one; it throws when the job failed or was lost. */
export async function watchJob<Result>(
  job: JobRequest,
  tools: FollowTools,
  watcher: JobWatcher,
  ended: (look: Look) => Promise<Result | undefined> | Result | undefined,
): Promise<Result> {
  const { jobId } = await startWhenFree(job, tools);
  let workedMs = tools.elapsed();
  for (;;) {
    const status = await statusWithPatience(tools);
    watcher.status(status);
    const mine = status.busy?.jobId === jobId ? status.busy : undefined;
    watcher.progress(mine);
    const isWorking = mine !== undefined;
    if (isWorking) workedMs = tools.elapsed();
    const isStuck = tools.elapsed() - workedMs > STUCK_MS;
    const result = await ended({ status, jobId, isWorking, isStuck });
    if (result !== undefined) return result;
    await wait(POLL_MS, undefined, { signal: tools.signal });
  }
}

async function startWhenFree(job: JobRequest, tools: FollowTools): Promise<{ jobId: string }> {
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

async function statusWithPatience(tools: FollowTools): Promise<ServiceStatus> {
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
