/** `upbeat approvals …`: what machines may get, and what they may not. */
import { z } from "zod";
import { Approval, PolicyEntryId } from "../../protocol/offerPolicy.ts";
import { command, group } from "../command.ts";
import {
  edited,
  editedAnswer,
  READING_OPTIONS,
  ReadingInput,
  SIGNING_OPTIONS,
  SigningInput,
  WHO_OPTION,
} from "../policy/input.ts";
import { signedPolicy } from "../policy/signedPolicy.ts";
import { filterText, freeId, momentOf, ruleText, updatesOf, whoOf } from "../policy/words.ts";
import { moment, plain } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { table } from "../screen/table.ts";

const add = command({
  name: "add",
  args: { "<updates>": { text: "kiosk@1.4, kiosk>=1.3<1.5, kiosk, class=driver or all" } },
  summary: "Approve updates, or decline them",
  details:
    "An approval narrows nothing until approvals are required: `upbeat policy require approvals`. To\ndecline always counts, and wins. What is installed already stays.",
  options: [
    { flags: "--decline", text: "do not offer them" },
    WHO_OPTION,
    { flags: "--id <id>", text: "default: A-DATE-TIME" },
    { flags: "--from <moment>", text: "from when on it counts (default: now)" },
    { flags: "--until <moment>", text: "until when it counts" },
    { flags: "--deadline <moment>", text: "when they must be installed at the latest" },
    { flags: "--text <why>", text: "for whoever asks" },
    ...SIGNING_OPTIONS,
  ],
  examples: [
    ["upbeat approvals add kiosk@1.4.0 --from 2026-12-01T06:00", "from that morning on"],
    ['upbeat approvals add class=driver --decline --who tag.lab --text "tested by hand"', ""],
  ],
  input: z.object({
    ...SigningInput,
    updates: z.string(),
    decline: z.boolean().default(false),
    who: z.string().optional(),
    id: PolicyEntryId.optional(),
    from: z.string().optional(),
    until: z.string().optional(),
    deadline: z.string().optional(),
    text: z.string().min(1).max(2_000).optional(),
  }),
  run: async (input, session) => {
    const nowMs = session.world.now();
    const at = (text: string | undefined) => text && momentOf(text, nowMs);
    const { addApproval } = await import("../../core/policyEdits.ts");
    const about = Approval.omit({ id: true }).parse({
      action: input.decline ? "decline" : "approve",
      updates: updatesOf(input.updates),
      who: input.who && whoOf(input.who),
      createdAt: momentOf("now", nowMs),
      startsAt: at(input.from),
      expiresAt: at(input.until),
      deadline: at(input.deadline),
      text: input.text,
    });
    let id = input.id;
    const done = await edited(session, input, "approval", (before) => {
      id ??= freeId("A", before.approvals, nowMs);
      return addApproval({ id, ...about });
    });
    const sentence = `${id} ${input.decline ? "declines" : "approves"} ${input.updates}`;
    return editedAnswer(done, sentence, { approval: { id, ...about } });
  },
});

const list = command({
  name: "list",
  summary: "List what is approved and declined in a channel",
  options: READING_OPTIONS,
  examples: [["upbeat approvals list", "and whether approvals are required"]],
  input: z.object(ReadingInput),
  run: async (input, session) => {
    const { approvals, approvalRequired } = await signedPolicy(input, session);
    return {
      schema: "upbeat.approvals/1",
      data: { approvals, approvalRequired },
      text: (style) => {
        const rule = approvalRequired
          ? "Only what is approved is offered."
          : "What is not declined is offered.";
        return approvals.length === 0 ? rule : `${listText(style, approvals)}\n${style.dim(rule)}`;
      },
    };
  },
});

const remove = command({
  name: "remove",
  args: { "<id>": { text: "as `upbeat approvals list` prints it" } },
  summary: "Take an approval or a refusal back",
  options: SIGNING_OPTIONS,
  examples: [["upbeat approvals remove A-20261125-093107", "it does not count any more"]],
  input: z.object({ ...SigningInput, id: PolicyEntryId }),
  run: async (input, session) => {
    const { removeApproval } = await import("../../core/policyEdits.ts");
    const what = `approval ${input.id}`;
    const done = await edited(session, input, what, () => removeApproval(input.id));
    return editedAnswer(done, `${input.id} does not count any more`, { id: input.id });
  },
});

export const approvals = group("approvals", "Approve and decline updates", [add, list, remove]);

function listText(style: Style, all: readonly Approval[]): string {
  const rows = all.map((one) => [
    one.id,
    one.action === "approve" ? style.good("approved") : style.bad("declined"),
    filterText(one.updates),
    one.who === undefined ? "every machine" : plain(ruleText(one.who)),
    moment(Date.parse(one.startsAt ?? one.createdAt)),
    one.expiresAt === undefined ? "" : moment(Date.parse(one.expiresAt)),
    one.deadline === undefined ? "" : moment(Date.parse(one.deadline)),
    plain(one.text ?? ""),
  ]);
  const head = ["APPROVAL", "ACTION", "UPDATES", "MACHINES", "FROM", "UNTIL", "DEADLINE", "WHY"];
  return table(style, head, rows);
}
