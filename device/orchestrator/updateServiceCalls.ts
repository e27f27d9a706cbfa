/** What the orchestrator asks of the update service: ids and verbs over its socket. */
import { z } from "zod";
import {
  HistoryEntry,
  JobAccepted,
  type JobRequest,
  PlanAnswer,
  ServiceStatus,
} from "../../protocol/updateServiceApi.ts";
import { callLocal } from "../localClient.ts";
import type { DevicePaths } from "../paths.ts";

/** Errors of all: UPB-LOCAL-*, and those that the update service answers with. */
export interface UpdateServiceCalls {
  status(): Promise<ServiceStatus>;
  history(limit: number): Promise<HistoryEntry[]>;
  start(job: JobRequest): Promise<JobAccepted>;
  /** Of a `plan` job. */
  plan(jobId: string): Promise<PlanAnswer>;
  /** Stops what can be stopped without harm. False: nothing of that is going on. */
  pause(): Promise<boolean>;
  /** Errors: UPB-INSTALL-BUSY, UPB-RESTART-FAILED. */
  restartMachine(): Promise<void>;
}

const History = z.object({ entries: z.array(HistoryEntry) });
/** Its answers come from memory; more means that it hangs. */
const TIMEOUT_MS = 5_000;
/** Longer than the update service gives the command. */
const RESTART_TIMEOUT_MS = 90_000;
const Paused = z.object({ paused: z.boolean() });

export function updateServiceCalls(paths: DevicePaths): UpdateServiceCalls {
  const socket = paths.updateServiceSocket;
  return {
    status: () => callLocal(socket, "GET", "/v1/status", ServiceStatus, undefined, TIMEOUT_MS),
    history: async (limit) =>
      (await callLocal(socket, "GET", `/v1/history?limit=${limit}`, History, undefined, TIMEOUT_MS))
        .entries,
    plan: (jobId) =>
      callLocal(socket, "GET", `/v1/plans/${jobId}`, PlanAnswer, undefined, TIMEOUT_MS),
    pause: async () =>
      (await callLocal(socket, "POST", "/v1/pause", Paused, {}, TIMEOUT_MS)).paused,
    restartMachine: async () => {
      await callLocal(socket, "POST", "/v1/restart", z.unknown(), {}, RESTART_TIMEOUT_MS);
    },
    start: (job) => callLocal(socket, "POST", "/v1/jobs", JobAccepted, job, TIMEOUT_MS),
  };
}
