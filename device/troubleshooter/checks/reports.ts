/** The queue of reports to the server: is it read, does it drain (row 38). */
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { check, notApplicable, type Seen } from "../check.ts";
import { readState } from "../probes/state.ts";
import { actOnService } from "../services.ts";

const Facts = z.object({ waiting: z.int(), oldestMs: z.int().optional() });

/** It may check for updates before it reports. */
const SENDING_MS = 15_000;
const POLL_MS = 250;
/** A weekend without network is no trouble. */
const OLD_MS = 7 * 24 * 60 * 60_000;

export const reports = check({
  id: "reports",
  title: "Reports to the server",
  rows: [38],
  facts: Facts,
  async look(machine) {
    if (machine.config === undefined) return notApplicable("this machine is not enrolled");
    const { reportsWaiting, oldestReportMs } = machine.state();
    return {
      waiting: reportsWaiting,
      ...(oldestReportMs === undefined ? {} : { oldestMs: oldestReportMs }),
    };
  },
  judge({ waiting, oldestMs }, nowMs): Seen[] {
    if (oldestMs === undefined || nowMs - oldestMs < OLD_MS) return [];
    const evidence = [`${waiting} wait, the oldest since ${new Date(oldestMs).toISOString()}`];
    return [{ cause: "reports-stuck", object: "reports", service: "orchestrator", evidence }];
  },
  repairs: {
    "reports-stuck": {
      what: "Restart the orchestrator, which sends them again at once",
      byItself: true,
      async apply({ paths }) {
        const before = readState(paths).oldestReportMs;
        await actOnService(paths, "orchestrator", "restart");
        for (let waited = 0; waited < SENDING_MS; waited += POLL_MS) {
          if (readState(paths).oldestReportMs !== before) break;
          await wait(POLL_MS);
        }
        return ["restarted orchestrator"];
      },
    },
  },
});
