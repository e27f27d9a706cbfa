/** `upbeat log`: what this machine decided, and the same decision made again. */
import { z } from "zod";
import { listDecisions, replayDecision } from "../../device/deviceCalls.ts";
import { command } from "../command.ts";
import { EXIT } from "../exitCodes.ts";
import { moment, plain } from "../screen/format.ts";
import { facts, table } from "../screen/table.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";

export const log = command({
  name: "log",
  summary: "Show what this machine decided by itself, and decide it again",
  details:
    "With --decision it prints the inputs of one decision and what they lead to now. --json has all of it.",
  options: [
    ROOT_OPTION,
    { flags: "--limit <n>", text: "how many, newest first (default 30)" },
    { flags: "--decision <id>", text: "replay this one" },
  ],
  examples: [
    ["upbeat log", "the last decisions"],
    [
      "upbeat log --decision 0b2f… --json | jq .replay.same",
      "true: the same inputs, the same answer",
    ],
  ],
  input: z.object({
    ...RootInput,
    limit: z.coerce.number().int().min(1).max(600).default(30),
    decision: z.uuid().optional(),
  }),
  run: async (input, session) => {
    const root = deviceRoot(session.world, input);
    if (input.decision === undefined) {
      const decisions = await listDecisions(root, input.limit);
      const rows = decisions.map((one) => [moment(one.atMs), one.kind, one.id, plain(one.summary)]);
      return {
        schema: "upbeat.decisions/1",
        data: { decisions },
        text: (style) =>
          rows.length === 0
            ? "Nothing was decided yet."
            : table(style, ["WHEN", "KIND", "DECISION", "WHAT"], rows),
      };
    }
    const replay = await replayDecision(root, input.decision);
    return {
      schema: "upbeat.decision/1",
      data: { replay },
      exitCode: replay.same ? EXIT.ok : EXIT.failed,
      text: (style) =>
        facts(style, [
          ["Decision", `${replay.decision.kind}, ${moment(replay.decision.atMs)}`],
          ["Outcome", plain(replay.decision.summary)],
          [
            "Replayed",
            replay.same
              ? `${style.good(style.marks.done)} the same inputs lead to the same answer`
              : style.bad("this version of Upbeat decides otherwise; see --json"),
          ],
        ]),
    };
  },
});
