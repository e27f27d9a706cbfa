/**
 * The watchdog of stuck updates: when a phase has passed its limit (`core/stageLimits.ts`), that is
 * logged and told to the server, once for each phase that hangs. It mends nothing: it has no rights.
 */
import { stuckReport } from "../../core/activity.ts";
import { isStalled } from "../../core/stageLimits.ts";
import type { ServiceStatus } from "../../protocol/updateServiceApi.ts";
import type { EventQueue } from "./eventQueue.ts";

export interface StuckWatch {
  look(status: ServiceStatus, deviceId: string): void;
}

export function stuckWatch(
  queue: EventQueue,
  now: () => number,
  log: (message: string, facts: object) => void,
): StuckWatch {
  let noted = "";
  return {
    look({ busy, updates }, deviceId) {
      if (busy === undefined || !isStalled(busy, now())) return;
      const hung = `${busy.jobId} ${busy.phase} ${busy.sinceMs}`;
      if (noted === hung) return;
      noted = hung;
      const error = stuckReport(busy);
      log("an update is stuck", { jobId: busy.jobId, error });
      const record = updates.find(({ jobId }) => jobId === busy.jobId);
      if (record !== undefined) queue.addStuck({ ...record, error }, hung, deviceId, now());
    },
  };
}
