/** The settings that count: readable, and not against each other (row 27). */
import { z } from "zod";
import { DeviceStatus } from "../../../protocol/orchestratorApi.ts";
import { EffectivePolicy } from "../../../protocol/settings.ts";
import { callLocal } from "../../localClient.ts";
import { check, notApplicable, type Seen } from "../check.ts";

const Facts = z.object({
  file: z.string(),
  contradictions: EffectivePolicy.shape.contradictions,
  problem: DeviceStatus.shape.settingsProblem,
});

const ANSWER_MS = 3_000;

export const settings = check({
  id: "settings",
  title: "Settings",
  rows: [27],
  facts: Facts,
  async look({ paths }) {
    const ask = <Answer>(path: string, schema: z.ZodType<Answer>) =>
      callLocal(paths.orchestratorSocket, "GET", path, schema, undefined, ANSWER_MS).catch(
        () => undefined,
      );
    const policy = await ask("/v1/policy", EffectivePolicy.pick({ contradictions: true }));
    const status = await ask("/v1/status", DeviceStatus.pick({ settingsProblem: true }));
    if (policy === undefined || status === undefined)
      return notApplicable("the orchestrator does not answer, which puts them together");
    const { contradictions } = policy;
    return { file: paths.settings, contradictions, problem: status.settingsProblem };
  },
  judge({ file, contradictions, problem }): Seen[] {
    const seen: Seen[] = [];
    if (problem !== undefined) {
      const said = `${problem.text}: ${problem.detail ?? problem.object} (${problem.code})`;
      seen.push({ cause: "settings-unreadable", object: file, evidence: [said] });
    }
    for (const { settings: names, sentence } of contradictions)
      seen.push({ cause: "settings-contradict", object: names.join(", "), evidence: [sentence] });
    return seen;
  },
});
