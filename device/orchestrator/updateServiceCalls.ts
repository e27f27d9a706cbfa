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
}

const History = z.object({ entries: z.array(HistoryEntry) });
/** Its answers come from memory; more means that it hangs. */
const TIMEOUT_MS = 5_000;

export function updateServiceCalls(paths: DevicePaths): UpdateServiceCalls {
  const socket = paths.updateServiceSocket;
  return {
    status: () => callLocal(socket, "GET", "/v1/status", ServiceStatus, undefined, TIMEOUT_MS),
    history: async (limit) =>
      (await callLocal(socket, "GET", `/v1/history?limit=${limit}`, History, undefined, TIMEOUT_MS))
        .entries,
    plan: (jobId) =>
      callLocal(socket, "GET", `/v1/plans/${jobId}`, PlanAnswer, undefined, TIMEOUT_MS),
    start: (job) => callLocal(socket, "POST", "/v1/jobs", JobAccepted, job, TIMEOUT_MS),
  };
}
