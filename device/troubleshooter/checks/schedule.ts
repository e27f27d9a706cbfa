/** Checks for updates: does the next one come, did the last one work, is the last success old (rows 34 and 37). */
import { z } from "zod";
import { LONG_WITHOUT_SUCCESS_MS } from "../../../core/diagnosisDue.ts";
import { CHECK_INTERVAL_MS } from "../../../core/schedule.ts";
import { CHECK_LATE_MS } from "../../../core/stageLimits.ts";
import { DeviceStatus } from "../../../protocol/orchestratorApi.ts";
import { callLocal } from "../../localClient.ts";
import { check, notApplicable, type Seen } from "../check.ts";
import { checkNow } from "../finalCheck.ts";
import { StateFacts } from "../probes/state.ts";
import { actOnService } from "../services.ts";

const Facts = z.object({
  plan: StateFacts.shape.plan,
  lastCheckMs: z.int().optional(),
  /** Undefined: the orchestrator does not answer, so nothing is due. */
  orchestratorStartedMs: z.number().optional(),
});

export const schedule = check({
  id: "schedule",
  title: "Checks for updates",
  rows: [34, 37],
  facts: Facts,
  async look(machine) {
    if (machine.config === undefined) return notApplicable("this machine is not enrolled");
    const { plan, lastCheckMs } = machine.state();
    const status = await callLocal(
      machine.paths.orchestratorSocket,
      "GET",
      "/v1/status",
      DeviceStatus.pick({ startedMs: true }),
      undefined,
      3_000,
    ).catch(() => undefined);
    return {
      plan,
      ...(lastCheckMs === undefined ? {} : { lastCheckMs }),
      ...(status === undefined ? {} : { orchestratorStartedMs: status.startedMs }),
    };
  },
  judge({ plan, lastCheckMs, orchestratorStartedMs }, nowMs): Seen[] {
    const seen: Seen[] = [];
    const about = { object: "checks for updates", service: "orchestrator" };
    if (plan !== undefined && plan.nextCheckMs > nowMs + CHECK_INTERVAL_MS + CHECK_LATE_MS) {
      const evidence = [
        `the next check is planned for ${iso(plan.nextCheckMs)}; here it is ${iso(nowMs)}`,
      ];
      seen.push({ ...about, cause: "timer-broken", evidence });
    }
    const runsLong =
      orchestratorStartedMs !== undefined && nowMs - orchestratorStartedMs > CHECK_LATE_MS;
    if (runsLong && plan !== undefined && plan.nextCheckMs < nowMs - CHECK_LATE_MS) {
      const evidence = [`a check was due ${iso(plan.nextCheckMs)} and was not made`];
      seen.push({ ...about, cause: "timer-broken", evidence });
    }
    if (plan?.lastError !== undefined) {
      const { code, text, object, detail } = plan.lastError;
      const said = `${text}: ${object}${detail === undefined ? "" : ` (${detail})`} (${code})`;
      seen.push({
        ...about,
        cause: "checks-fail",
        evidence: [said, `${plan.failures} times in a row`],
      });
    }
    if (lastCheckMs !== undefined && nowMs - lastCheckMs > LONG_WITHOUT_SUCCESS_MS) {
      const evidence = [`the last check that worked was ${iso(lastCheckMs)}`];
      seen.push({ ...about, cause: "no-success-for-long", evidence });
    }
    return seen;
  },
  repairs: {
    "timer-broken": {
      what: "Restart the orchestrator, which plans the next check anew",
      byItself: true,
      async apply({ paths }) {
        await actOnService(paths, "orchestrator", "restart");
        return ["restarted orchestrator"];
      },
    },
    "checks-fail": {
      what: "Check for updates again",
      byItself: true,
      apply: ({ paths }) => again(paths),
    },
    "no-success-for-long": {
      what: "Check for updates now",
      byItself: true,
      apply: ({ paths }) => again(paths),
    },
  },
});

async function again(paths: Parameters<typeof checkNow>[0]): Promise<string[]> {
  const { says } = await checkNow(paths);
  return [`checked for updates: ${says}`];
}

const iso = (ms: number): string => new Date(ms).toISOString();
