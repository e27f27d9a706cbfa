/** `upbeat rollouts …`: who gets an update first, who later, and what is stopped. */
import { z } from "zod";
import type { RolloutAction } from "../../core/policyEdits.ts";
import { type RolloutCounts, RolloutReport } from "../../protocol/adminApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, manifestPath } from "../../protocol/ids.ts";
import { PolicyEntryId, Rollout } from "../../protocol/offerPolicy.ts";
import { command, group, type Session } from "../command.ts";
import {
  edited,
  editedAnswer,
  type PolicyInput,
  READING_OPTIONS,
  ReadingInput,
  SIGNING_OPTIONS,
  SigningInput,
} from "../policy/input.ts";
import { momentOf, ringOf, ruleText, UpdateName } from "../policy/words.ts";
import { count, moment, plain } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { facts, table } from "../screen/table.ts";
import { serverClient } from "../serverClient.ts";
import { serverSettings } from "../settings.ts";

const ID_ARGUMENT = { "<id>": { text: "as `upbeat rollouts list` prints it" } };
const TEXT_OPTION = { flags: "--text <why>", text: "why, for whoever asks" };

const create = command({
  name: "create",
  args: { "<update>": { text: "PRODUCT@VERSION" } },
  summary: "Offer an update to some machines first and to others later",
  details:
    'Create it before the update is published, or say once that nothing is offered without a rollout:\n`upbeat policy require rollouts`. A machine belongs to the first ring that names it; a ring is\n"NAME who=MACHINES start=MOMENT curve=10,50@24h,100@3d". Without --ring everybody gets it now.',
  options: [
    { flags: "--id <id>", text: "default: PRODUCT-VERSION" },
    { flags: "--ring <ring...>", text: "a ring; may be given several times, in their order" },
    { flags: "--optional", text: "never installed unless somebody asks for it" },
    ...SIGNING_OPTIONS,
  ],
  examples: [
    [
      'upbeat rollouts create kiosk@1.4.0 --ring "canary who=tag.canary" --ring "all start=+2d curve=10,50@24h,100@3d"',
      "the machines with the tag canary now; from the day after tomorrow the others, all within three days",
    ],
  ],
  input: z.object({
    ...SigningInput,
    update: UpdateName,
    id: PolicyEntryId.optional(),
    ring: z.array(z.string()).default(["all"]),
    optional: z.boolean().default(false),
  }),
  run: async (input, session) => {
    const { update } = input;
    const nowMs = session.world.now();
    const id = input.id ?? PolicyEntryId.parse(idOf(formatUpdate(update)));
    const rollout = Rollout.parse({
      id,
      ...update,
      createdAt: momentOf("now", nowMs),
      rings: input.ring.map((text) => ringOf(text, nowMs)),
      optional: input.optional,
    });
    const { createRollout } = await import("../../core/policyEdits.ts");
    const path = manifestPath(input.channel, update.product, update.version);
    let isPublished = false;
    const done = await edited(session, input, `rollout ${id}`, async (before, publisher) => {
      isPublished = (await publisher.trusted.findTarget(path)) !== undefined;
      if (isPublished && !before.rolloutRequired)
        session.note(
          `${formatUpdate(update)} is published: until this rollout it was offered to every machine.`,
        );
      return createRollout(rollout);
    });
    const next = isPublished ? "" : "; publish it when you like";
    return editedAnswer(done, `${id} offers ${formatUpdate(update)}${next}`, { rollout });
  },
});

const reported = async (input: PolicyInput, { world }: Session): Promise<RolloutReport[]> => {
  const client = serverClient(serverSettings(world, input), world.interrupted);
  const schema = z.object({ rollouts: z.array(RolloutReport) });
  return (await client.get(`api/v1/channels/${input.channel}/rollouts`, schema)).rollouts;
};

const list = command({
  name: "list",
  summary: "List the rollouts of a channel and how far they have come",
  options: READING_OPTIONS,
  examples: [["upbeat rollouts list", "one line a rollout"]],
  input: z.object(ReadingInput),
  run: async (input, session) => {
    const rollouts = await reported(input, session);
    return {
      schema: "upbeat.rollouts/1",
      data: { rollouts },
      text: (style) => listText(style, rollouts),
    };
  },
});

const show = command({
  name: "show",
  args: ID_ARGUMENT,
  summary: "Show one rollout: its rings, and what its machines report",
  options: READING_OPTIONS,
  examples: [["upbeat rollouts show kiosk-1.4.0", "offered, downloaded, installed, failed"]],
  input: z.object({ ...ReadingInput, id: PolicyEntryId }),
  run: async (input, session) => {
    const found = (await reported(input, session)).find(({ rollout }) => rollout.id === input.id);
    if (found === undefined) {
      const object = `rollout ${input.id} in ${input.channel}`;
      throw new UpbeatError("UPB-CLI-NOT-FOUND", { object });
    }
    return {
      schema: "upbeat.rollouts/1",
      data: { rollouts: [found] },
      text: (style) => showText(style, found, session.world.now()),
    };
  },
});

const changing = (
  action: RolloutAction,
  summary: string,
  details: string,
  sentence: string,
  example: string,
) =>
  command({
    name: action,
    args: ID_ARGUMENT,
    summary,
    details,
    options: [...(action === "resume" ? [] : [TEXT_OPTION]), ...SIGNING_OPTIONS],
    examples: [[`upbeat rollouts ${action} kiosk-1.4.0`, example]],
    input: z.object({ ...SigningInput, id: PolicyEntryId, text: z.string().min(1).optional() }),
    run: async (input, session) => {
      const { changeRollout } = await import("../../core/policyEdits.ts");
      const done = await edited(session, input, `rollout ${input.id}`, () =>
        changeRollout(input.id, action, input.text),
      );
      return editedAnswer(done, `${input.id} ${sentence}`, { id: input.id });
    },
  });

const pause = changing(
  "pause",
  "Reach no further machines for now",
  "Machines that have the offer keep it. The curve stands still until `upbeat rollouts resume`.",
  "reaches no further machines",
  "time to look at what the first machines report",
);
const resume = changing(
  "resume",
  "Let a paused or halted rollout go on where it stood",
  "The time in between does not count, so that resuming is no flood.",
  "goes on where it stood",
  "the curve goes on from there",
);
const halt = changing(
  "halt",
  "Stop offering the update, also to machines that were offered it",
  "It reaches every machine at its next check. Machines that have installed it keep it: see\n`upbeat updates retire` and publish a better version.",
  "is halted: nobody is offered it from the next check on",
  "the emergency brake",
);

const expedite = command({
  name: "expedite",
  args: ID_ARGUMENT,
  summary: "Offer it to all of its machines at once, with a deadline",
  details:
    "Deferrals, pauses of the machine and the curve do not count any more; holds and floors do.",
  options: [
    { flags: "--deadline-days <n>", text: "days from the offer to the deadline (default 1)" },
    ...SIGNING_OPTIONS,
  ],
  examples: [["upbeat rollouts expedite kiosk-1.4.1 --deadline-days 0", "a fix that cannot wait"]],
  input: z.object({
    ...SigningInput,
    id: PolicyEntryId,
    deadlineDays: z.coerce.number().int().min(0).max(30).default(1),
  }),
  run: async (input, session) => {
    const { expediteRollout } = await import("../../core/policyEdits.ts");
    const done = await edited(session, input, `rollout ${input.id}`, () =>
      expediteRollout(input.id, input.deadlineDays),
    );
    const days = count(input.deadlineDays, "day");
    return editedAnswer(done, `${input.id} is offered at once, due within ${days}`, {
      id: input.id,
    });
  },
});

const remove = command({
  name: "remove",
  args: ID_ARGUMENT,
  summary: "Forget a rollout that is done: its update is then offered to everybody",
  details:
    "Where rollouts are required (`upbeat policy require rollouts`) it is offered to nobody. One that\nhas not reached every machine is removed with --yes only.",
  options: [
    { flags: "--yes", text: "also when more machines are offered the update then" },
    ...SIGNING_OPTIONS,
  ],
  examples: [["upbeat rollouts remove kiosk-1.4.0", "it has reached everybody anyway"]],
  input: z.object({ ...SigningInput, id: PolicyEntryId, yes: z.boolean().default(false) }),
  run: async (input, session) => {
    const { removeRollout } = await import("../../core/policyEdits.ts");
    const done = await edited(session, input, `rollout ${input.id}`, () =>
      removeRollout(input.id, input.yes),
    );
    return editedAnswer(done, `${input.id} is removed`, { id: input.id });
  },
});

export const rollouts = group("rollouts", "Offer updates to some machines first, and stop them", [
  create,
  list,
  show,
  pause,
  resume,
  halt,
  expedite,
  remove,
]);

/** `kiosk@1.4.0+b~1` as an id: `kiosk-1.4.0_b_1`. */
const idOf = (update: string): string =>
  update
    .replace("@", "-")
    .replace(/[^A-Za-z0-9._-]/g, "_")
    .slice(0, 63);

const stateText = (style: Style, { state, expedite: hurry }: Rollout): string => {
  if (state === "halted") return style.bad("halted");
  if (state === "paused") return style.warn("paused");
  return style.good(hurry === undefined ? "running" : "expedited");
};

function listText(style: Style, reports: readonly RolloutReport[]): string {
  if (reports.length === 0)
    return "There is no rollout: what is published is offered to everybody. Next: upbeat rollouts create PRODUCT@VERSION";
  const rows = reports.map(({ rollout, counts }) => [
    rollout.id,
    formatUpdate(rollout),
    stateText(style, rollout),
    rollout.rings.map((ring) => ring.name).join(", "),
    String(counts.offered),
    String(counts.installed),
    String(counts.failed),
    String(counts.rolledBack),
  ]);
  const head = ["ROLLOUT", "UPDATE", "STATE", "RINGS", "OFFERED", "INSTALLED", "FAILED", "UNDONE"];
  return table(style, head, rows);
}

function showText(style: Style, { rollout, counts }: RolloutReport, nowMs: number): string {
  const about = facts(style, [
    ["Rollout", style.bold(rollout.id)],
    ["Update", formatUpdate(rollout)],
    ["State", `${stateText(style, rollout)}${rollout.text ? `: ${plain(rollout.text)}` : ""}`],
    ["Optional", rollout.optional ? "yes: only when somebody asks for it" : undefined],
    [
      "Deadline",
      rollout.expedite && `${count(rollout.expedite.deadlineDays, "day")} after the offer`,
    ],
    ["Created", moment(Date.parse(rollout.createdAt))],
    ["Machines", countsText(counts)],
  ]);
  const rings = rollout.rings.map((ring) => [
    ring.name,
    ring.who === undefined ? "every machine" : plain(ruleText(ring.who)),
    `${moment(Date.parse(ring.startsAt))}${Date.parse(ring.startsAt) > nowMs ? "" : " (started)"}`,
    ring.curve
      .map(({ percent, afterHours }) => `${percent} %${afterHours === 0 ? "" : ` @${afterHours}h`}`)
      .join(", "),
  ]);
  const errors = counts.errors.map(({ code, devices }) => [plain(code), String(devices)]);
  return [
    about,
    table(style, ["RING", "MACHINES", "STARTS", "CURVE"], rings),
    ...(errors.length === 0 ? [] : [table(style, ["ERROR NOW", "MACHINES"], errors)]),
  ].join("\n\n");
}

const countsText = ({
  offered,
  downloaded,
  installed,
  failed,
  rolledBack,
}: RolloutCounts): string =>
  `${offered} offered, ${downloaded} downloaded, ${installed} installed, ${failed} failed, ${rolledBack} rolled back`;
