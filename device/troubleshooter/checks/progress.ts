/** Updates that are being worked on and do not get any further (rows 17 and 23). */
import { z } from "zod";
import { isStalled } from "../../../core/stageLimits.ts";
import { AFTER_CRASH } from "../../../core/updateStates.ts";
import { formatUpdate } from "../../../protocol/ids.ts";
import { Progress, ServiceStatus, UpdateRecord } from "../../../protocol/updateServiceApi.ts";
import { callLocal } from "../../localClient.ts";
import { check, type Seen } from "../check.ts";
import { actOnService } from "../services.ts";

const Facts = z.object({
  /** Undefined: the update service does not answer. */
  busy: Progress.optional(),
  idle: z.boolean(),
  records: z.array(UpdateRecord),
});

/** A service that has nothing to do takes up what was cut off when it starts; then it moves on. */
const AT_REST_MS = 10 * 60_000;

export const progress = check({
  id: "progress",
  title: "Progress",
  rows: [17, 23],
  facts: Facts,
  async look(machine) {
    const status = await callLocal(
      machine.paths.updateServiceSocket,
      "GET",
      "/v1/status",
      ServiceStatus,
      undefined,
      3_000,
    ).catch(() => undefined);
    return {
      ...(status?.busy === undefined ? {} : { busy: status.busy }),
      idle: status !== undefined && status.busy === undefined,
      records: machine.state().records,
    };
  },
  judge({ busy, idle, records }, nowMs): Seen[] {
    if (busy !== undefined && isStalled(busy, nowMs)) {
      const last = new Date(busy.movedMs ?? busy.sinceMs).toISOString();
      const evidence = [
        `it is at "${busy.phase}" since ${new Date(busy.sinceMs).toISOString()}`,
        `${busy.doneBytes} of ${busy.totalBytes} bytes; nothing moved since ${last}`,
      ];
      return [
        { cause: "update-stuck", object: `job ${busy.jobId}`, service: "update-service", evidence },
      ];
    }
    if (!idle) return [];
    return records
      .filter((it) => AFTER_CRASH[it.state].recovery === "redo" && nowMs - it.sinceMs > AT_REST_MS)
      .map((record) => ({
        cause: "update-stuck",
        object: formatUpdate(record),
        service: "update-service",
        evidence: [
          `it is "${record.state}" since ${new Date(record.sinceMs).toISOString()}`,
          "the update service does nothing",
        ],
      }));
  },
  repairs: {
    "update-stuck": {
      what: "Restart the update service, which goes on where it was",
      byItself: true,
      async apply({ paths }) {
        await actOnService(paths, "update-service", "restart");
        return ["restarted update-service"];
      },
    },
  },
});
