/** `upbeat policy …`: the settings that machines get from the server, signed by the channel's key. */
import { z } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { type OfferPolicy, PolicyEntryId } from "../../protocol/offerPolicy.ts";
import {
  SETTING_KEYS,
  SETTINGS,
  ServerSettings,
  type SettingKey,
} from "../../protocol/settings.ts";
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
import { ruleText, whoOf } from "../policy/words.ts";
import { count, moment, plain } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { facts, table } from "../screen/table.ts";
import { show } from "./devicePolicy.ts";
import { simulate } from "./simulate.ts";

const SERVER_KEYS = SETTING_KEYS.filter((key) =>
  SETTINGS[key].layers.some((layer) => layer === "server"),
);
const ENTRY_OPTION = {
  flags: "--entry <id>",
  text: "which entry of the policy; its machines may be only some (default all)",
};
const EntryInput = { entry: PolicyEntryId.prefault("all") };

const set = command({
  name: "set",
  args: { "<settings...>": { text: "KEY=VALUE", suggests: SERVER_KEYS.map((key) => `${key}=`) } },
  summary: "Set settings on machines, signed: nobody on the machine can loosen them",
  details:
    "A value is JSON or plain text. `upbeat policy show` on a machine says what counts there and who\nset it. Where two entries differ on one machine, the first in `upbeat policy list` wins.",
  options: [ENTRY_OPTION, WHO_OPTION, ...SIGNING_OPTIONS],
  examples: [
    ["upbeat policy set qualityDeferralDays=3 graceDays=1", "on every machine of the channel"],
    [
      `upbeat policy set --entry tills --who tag.till 'activeHours={"start":"06:00","end":"22:00"}'`,
      "on the tills alone",
    ],
  ],
  input: z.object({
    ...SigningInput,
    ...EntryInput,
    settings: z.array(z.string()).min(1),
    who: z.string().optional(),
  }),
  run: async (input, session) => {
    const values = valuesOf(input.settings);
    const who = input.who === undefined ? {} : { who: whoOf(input.who) };
    const { setSettings } = await import("../../core/policyEdits.ts");
    const edit = setSettings({ id: input.entry, ...who, values });
    const done = await edited(session, input, `settings ${input.entry}`, () => edit);
    const names = Object.keys(values).join(", ");
    return editedAnswer(done, `${names} set from the next check on`, {
      entry: input.entry,
      values,
    });
  },
});

const unset = command({
  name: "unset",
  args: { "[settings...]": { text: "without: the whole entry", suggests: SERVER_KEYS } },
  summary: "Leave settings to the machines again",
  options: [ENTRY_OPTION, ...SIGNING_OPTIONS],
  examples: [
    ["upbeat policy unset graceDays", "what the machine or its administrator says counts"],
  ],
  input: z.object({ ...SigningInput, ...EntryInput, settings: z.array(z.string()).default([]) }),
  run: async (input, session) => {
    const { unsetSettings } = await import("../../core/policyEdits.ts");
    const edit = unsetSettings(input.entry, input.settings);
    const done = await edited(session, input, `settings ${input.entry}`, () => edit);
    const names = input.settings.length === 0 ? `entry ${input.entry}` : input.settings.join(", ");
    return editedAnswer(done, `${names} unset from the next check on`, {
      entry: input.entry,
      settings: input.settings,
    });
  },
});

const list = command({
  name: "list",
  summary: "Show the signed policy of a channel: settings and what is required",
  options: READING_OPTIONS,
  examples: [["upbeat policy list", "as every machine of the channel reads it"]],
  input: z.object(ReadingInput),
  run: async (input, session) => {
    const policy = await signedPolicy(input, session);
    return {
      schema: "upbeat.signedPolicy/1",
      data: { policy },
      text: (style) => listText(style, policy),
    };
  },
});

const require = command({
  name: "require",
  args: {
    "<what>": {
      text: "what an update needs before it is offered",
      choices: ["rollouts", "approvals"],
    },
  },
  summary: "Offer nothing without a rollout, or nothing that is not approved",
  options: [{ flags: "--off", text: "require it no longer" }, ...SIGNING_OPTIONS],
  examples: [["upbeat policy require rollouts", "publishing alone offers nothing to anybody"]],
  input: z.object({
    ...SigningInput,
    what: z.enum(["rollouts", "approvals"]),
    off: z.boolean().default(false),
  }),
  run: async (input, session) => {
    const { requireThat } = await import("../../core/policyEdits.ts");
    const edit = requireThat(input.what, !input.off);
    const done = await edited(session, input, input.what, () => edit);
    const sentence = `${input.what} are ${input.off ? "not required any more" : "required from the next check on"}`;
    return editedAnswer(done, sentence, { what: input.what, required: !input.off });
  },
});

export const policy = group("policy", "Settings of machines, and who has set them", [
  show,
  simulate,
  set,
  unset,
  list,
  require,
]);

/** Errors: UPB-CLI-USAGE for what the server may not set, or what the setting may not be. */
function valuesOf(settings: readonly string[]): ServerSettings {
  const values: Record<string, unknown> = {};
  for (const text of settings) {
    const at = text.indexOf("=");
    const key = text.slice(0, at);
    if (at < 1 || !isServerKey(key)) {
      const detail = `a setting is KEY=VALUE, and KEY one of ${SERVER_KEYS.join(", ")}`;
      throw new UpbeatError("UPB-CLI-USAGE", { object: text, detail });
    }
    const { type, text: meaning } = SETTINGS[key];
    const words = text.slice(at + 1);
    const parsed = type.safeParse(jsonOrText(words));
    if (!parsed.success) {
      const detail = `${z.prettifyError(parsed.error)}\n${meaning}`;
      throw new UpbeatError("UPB-CLI-USAGE", { object: text, detail });
    }
    values[key] = parsed.data;
  }
  return ServerSettings.parse(values);
}

const isServerKey = (key: string): key is SettingKey => SERVER_KEYS.some((one) => one === key);

function jsonOrText(words: string): unknown {
  try {
    return JSON.parse(words);
  } catch {
    return words;
  }
}

function listText(style: Style, signed: OfferPolicy): string {
  const about = facts(style, [
    ["Channel", style.bold(signed.channel)],
    ["Revision", `${signed.revision}, ${moment(Date.parse(signed.issuedAt))}`],
    ["Offered", offeredText(signed)],
    ["Contains", contentsText(signed)],
  ]);
  const rows = signed.settings.flatMap(({ id, who, values }) =>
    Object.entries(values).map(([key, value]) => [
      id,
      who === undefined ? "every machine" : plain(ruleText(who)),
      key,
      plain(JSON.stringify(value)),
    ]),
  );
  if (rows.length === 0) return about;
  return `${about}\n\n${table(style, ["ENTRY", "MACHINES", "SETTING", "VALUE"], rows)}`;
}

function offeredText({ rolloutRequired, approvalRequired }: OfferPolicy): string {
  const needs = [
    ...(rolloutRequired ? ["a rollout"] : []),
    ...(approvalRequired ? ["an approval"] : []),
  ];
  return needs.length === 0
    ? "what has no rollout is offered to every machine"
    : `nothing without ${needs.join(" and ")}`;
}

const contentsText = ({ rollouts, holds, approvals, floors, pins }: OfferPolicy): string =>
  [
    count(rollouts.length, "rollout"),
    count(holds.length, "hold"),
    count(approvals.length, "approval"),
    count(floors.length, "floor"),
    count(pins.length, "pin"),
  ].join(", ");
