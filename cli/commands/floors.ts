/** `upbeat floors …` and `upbeat pins …`: versions that are not skipped, and versions not gone beyond. */
import { z } from "zod";
import { formatUpdate, Product } from "../../protocol/ids.ts";
import { Pin } from "../../protocol/offerPolicy.ts";
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
import { momentOf, ruleText, UpdateName, whoOf } from "../policy/words.ts";
import { moment, plain } from "../screen/format.ts";
import { table } from "../screen/table.ts";

const UPDATE_ARGUMENT = { "<update>": { text: "PRODUCT@VERSION" } };
const TEXT_OPTION = { flags: "--text <why>", text: "for whoever asks" };
const Text = z.string().min(1).max(2_000).optional();

const addFloor = command({
  name: "add",
  args: UPDATE_ARGUMENT,
  summary: "Make a version one that older machines must not skip",
  options: [TEXT_OPTION, ...SIGNING_OPTIONS],
  examples: [
    ['upbeat floors add kiosk@2.0.0 --text "converts the database"', "before anything newer"],
  ],
  input: z.object({ ...SigningInput, update: UpdateName, text: Text }),
  run: async (input, session) => {
    const { text } = input;
    const floor = { ...input.update, ...(text === undefined ? {} : { text }) };
    const edits = await import("../../core/policyEdits.ts");
    const name = formatUpdate(floor);
    const done = await edited(session, input, `floor ${name}`, () => edits.addFloor(floor));
    return editedAnswer(done, `${name} is not skipped any more`, { floor });
  },
});

const listFloors = command({
  name: "list",
  summary: "List the versions that are not skipped",
  options: READING_OPTIONS,
  examples: [["upbeat floors list", "by product and version"]],
  input: z.object(ReadingInput),
  run: async (input, session) => {
    const { floors: found } = await signedPolicy(input, session);
    const rows = found.map((one) => [formatUpdate(one), plain(one.text ?? "")]);
    return {
      schema: "upbeat.floors/1",
      data: { floors: found },
      text: (style) =>
        found.length === 0 ? "Every version may be skipped." : table(style, ["FLOOR", "WHY"], rows),
    };
  },
});

const removeFloor = command({
  name: "remove",
  args: UPDATE_ARGUMENT,
  summary: "Let machines skip a version again",
  options: SIGNING_OPTIONS,
  examples: [["upbeat floors remove kiosk@2.0.0", "older machines go past it"]],
  input: z.object({ ...SigningInput, update: UpdateName }),
  run: async (input, session) => {
    const edits = await import("../../core/policyEdits.ts");
    const name = formatUpdate(input.update);
    const edit = edits.removeFloor(input.update);
    const done = await edited(session, input, `floor ${name}`, () => edit);
    return editedAnswer(done, `${name} may be skipped`, { update: input.update });
  },
});

export const floors = group("floors", "Name versions that must not be skipped", [
  addFloor,
  listFloors,
  removeFloor,
]);

const setPin = command({
  name: "set",
  args: UPDATE_ARGUMENT,
  summary: "Let machines go to this version at most, and to it without deferral",
  options: [
    WHO_OPTION,
    { flags: "--until <moment>", text: "until when it counts" },
    TEXT_OPTION,
    ...SIGNING_OPTIONS,
  ],
  examples: [["upbeat pins set kiosk@1.4.0 --who tag.museum --until 2027-06-30", ""]],
  input: z.object({
    ...SigningInput,
    update: UpdateName,
    who: z.string().optional(),
    until: z.string().optional(),
    text: Text,
  }),
  run: async (input, session) => {
    const pin = Pin.parse({
      ...input.update,
      who: input.who && whoOf(input.who),
      expiresAt: input.until && momentOf(input.until, session.world.now()),
      text: input.text,
    });
    const edits = await import("../../core/policyEdits.ts");
    const name = formatUpdate(pin);
    const done = await edited(session, input, `pin ${name}`, () => edits.setPin(pin));
    return editedAnswer(done, `${pin.product} goes to ${pin.version} at most`, { pin });
  },
});

const listPins = command({
  name: "list",
  summary: "List the versions that machines do not go beyond",
  options: READING_OPTIONS,
  examples: [["upbeat pins list", "and for which machines"]],
  input: z.object(ReadingInput),
  run: async (input, session) => {
    const { pins: found } = await signedPolicy(input, session);
    const rows = found.map((one) => [
      formatUpdate(one),
      one.who === undefined ? "every machine" : plain(ruleText(one.who)),
      one.expiresAt === undefined ? "" : moment(Date.parse(one.expiresAt)),
      plain(one.text ?? ""),
    ]);
    return {
      schema: "upbeat.pins/1",
      data: { pins: found },
      text: (style) =>
        found.length === 0
          ? "No product is pinned."
          : table(style, ["PIN", "MACHINES", "UNTIL", "WHY"], rows),
    };
  },
});

const removePins = command({
  name: "remove",
  args: { "<product>": { text: "all pins of this product go" } },
  summary: "Let machines go to newer versions of a product again",
  options: SIGNING_OPTIONS,
  examples: [["upbeat pins remove kiosk", "from the next check on"]],
  input: z.object({ ...SigningInput, product: Product }),
  run: async (input, session) => {
    const edits = await import("../../core/policyEdits.ts");
    const { product } = input;
    const edit = edits.removePins(product);
    const done = await edited(session, input, `pin of ${product}`, () => edit);
    return editedAnswer(done, `${product} is not pinned any more`, { product });
  },
});

export const pins = group("pins", "Keep machines from going beyond a version", [
  setPin,
  listPins,
  removePins,
]);
