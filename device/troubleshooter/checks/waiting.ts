/** What waits because it was told to: a pause, a gate, a window. Nothing is broken; it may be forgotten (rows 30 and 31). */
import { formatUpdate } from "../../../protocol/ids.ts";
import { DeviceStatus } from "../../../protocol/orchestratorApi.ts";
import { callLocal } from "../../localClient.ts";
import { check, notApplicable, type Seen } from "../check.ts";

const Facts = DeviceStatus.pick({ paused: true, waiting: true });

const ANSWER_MS = 3_000;

export const waiting = check({
  id: "waiting",
  title: "What waits, and for what",
  rows: [30, 31],
  facts: Facts,
  async look({ paths }) {
    const asked = { socket: paths.orchestratorSocket, path: "/v1/status" };
    const found = await callLocal(
      asked.socket,
      "GET",
      asked.path,
      Facts,
      undefined,
      ANSWER_MS,
    ).catch(() => undefined);
    return found ?? notApplicable("the orchestrator does not answer: nothing is decided now");
  },
  judge({ paused, waiting: updates }): Seen[] {
    const seen: Seen[] = [];
    if (paused !== undefined) {
      const until = `until ${new Date(paused.untilMs).toISOString()}, set by the ${paused.setBy}`;
      seen.push({ cause: "paused", object: "updates", evidence: [until] });
    }
    for (const { update, waiting: reasons } of updates) {
      const evidence = reasons.map(({ sentence }) => sentence);
      if (evidence.length === 0) continue;
      seen.push({ cause: "waits-by-design", object: formatUpdate(update), evidence });
    }
    return seen;
  },
});
