/** `upbeat holds …`: known problems that keep an update from the machines that would have them. */
import { z } from "zod";
import { PolicyEntryId, SafeguardHold } from "../../protocol/offerPolicy.ts";
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
  summary: "Keep updates from machines that would have a known problem with them",
  details:
    "It reaches every machine at its next check, expedited updates included. Whoever asks why is\nshown the text.",
  options: [
    { flags: "--text <problem>", text: "what is wrong, for the person who is not offered it" },
    WHO_OPTION,
    { flags: "--id <id>", text: "default: H-DATE-TIME" },
    { flags: "--url <url>", text: "where to read more" },
    { flags: "--expected <moment>", text: "when a fix is expected; shown, not acted on" },
    { flags: "--until <moment>", text: "when the hold ends by itself" },
    ...SIGNING_OPTIONS,
  ],
  examples: [
    [
      'upbeat holds add kiosk@1.4.0 --who "gpu.driver<535" --text "The screen stays dark" --until +14d',
      "only machines with an older graphics driver, for two weeks",
    ],
  ],
  input: z.object({
    ...SigningInput,
    updates: z.string(),
    text: SafeguardHold.shape.text,
    who: z.string().optional(),
    id: PolicyEntryId.optional(),
    url: z.url().optional(),
    expected: z.string().optional(),
    until: z.string().optional(),
  }),
  run: async (input, session) => {
    const nowMs = session.world.now();
    const at = (text: string | undefined) => text && momentOf(text, nowMs);
    const { addHold } = await import("../../core/policyEdits.ts");
    const about = SafeguardHold.omit({ id: true }).parse({
      text: input.text,
      url: input.url,
      updates: updatesOf(input.updates),
      who: input.who && whoOf(input.who),
      createdAt: momentOf("now", nowMs),
      expectedAt: at(input.expected),
      expiresAt: at(input.until),
    });
    let id = input.id;
    const done = await edited(session, input, "hold", (before) => {
      id ??= freeId("H", before.holds, nowMs);
      return addHold({ id, ...about });
    });
    const sentence = `${id} holds ${input.updates} back from the next check on`;
    return editedAnswer(done, sentence, { hold: { id, ...about } });
  },
});

const list = command({
  name: "list",
  summary: "List the safeguard holds of a channel",
  options: READING_OPTIONS,
  examples: [["upbeat holds list", "what is held, for whom, and why"]],
  input: z.object(ReadingInput),
  run: async (input, session) => {
    const { holds } = await signedPolicy(input, session);
    return {
      schema: "upbeat.holds/1",
      data: { holds },
      text: (style) => listText(style, holds),
    };
  },
});

const lift = command({
  name: "lift",
  args: { "<id>": { text: "as `upbeat holds list` prints it" } },
  summary: "End a safeguard hold",
  options: SIGNING_OPTIONS,
  examples: [["upbeat holds lift H-20261125-093107", "the machines are offered the update again"]],
  input: z.object({ ...SigningInput, id: PolicyEntryId }),
  run: async (input, session) => {
    const { liftHold } = await import("../../core/policyEdits.ts");
    const done = await edited(session, input, `hold ${input.id}`, () => liftHold(input.id));
    return editedAnswer(done, `${input.id} is lifted from the next check on`, { id: input.id });
  },
});

export const holds = group("holds", "Keep updates from machines with a known problem", [
  add,
  list,
  lift,
]);

function listText(style: Style, all: readonly SafeguardHold[]): string {
  if (all.length === 0) return "Nothing is held.";
  const rows = all.map((hold) => [
    hold.id,
    filterText(hold.updates),
    hold.who === undefined ? "every machine" : plain(ruleText(hold.who)),
    moment(Date.parse(hold.createdAt)),
    hold.expiresAt === undefined ? "lifted" : moment(Date.parse(hold.expiresAt)),
    plain(hold.text),
  ]);
  return table(style, ["HOLD", "UPDATES", "MACHINES", "SINCE", "UNTIL", "PROBLEM"], rows);
}
