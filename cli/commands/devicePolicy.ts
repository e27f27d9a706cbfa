/** `upbeat policy show`: every setting of this machine, its value and who set it. */
import { z } from "zod";
import { effectivePolicy } from "../../device/deviceCalls.ts";
import type { EffectivePolicy, EffectiveSetting } from "../../protocol/settings.ts";
import { command } from "../command.ts";
import { plain } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { table } from "../screen/table.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";

export const show = command({
  name: "show",
  summary: "Show every setting of this machine, its value, who set it, and what contradicts",
  details:
    "Layers, weakest first: default, user, admin (etc/upbeat/settings.json), server (signed).\nDates of pauses and windows are in the device's time zone.",
  options: [ROOT_OPTION, { flags: "--set", text: "only what somebody has set" }],
  examples: [
    ["upbeat policy show", "all of it"],
    ["upbeat policy show --json | jq .policy.contradictions", "for a script"],
  ],
  input: z.object({ ...RootInput, set: z.boolean().default(false) }),
  run: async ({ root, set }, session) => {
    const policy = await effectivePolicy(deviceRoot(session.world, { root }));
    const settings = policy.settings.filter(({ setBy }) => !set || setBy !== "default");
    return {
      schema: "upbeat.policy/1",
      data: { policy: { ...policy, settings } },
      text: (style) => policyText(style, { ...policy, settings }),
    };
  },
});

function policyText(style: Style, { settings, contradictions }: EffectivePolicy): string {
  const rows = settings.map((setting) => [
    setting.key,
    plain(valueText(setting)),
    setBy(style, setting),
    style.dim(plain(setting.text)),
  ]);
  const overruled = settings.flatMap(({ key, overruled: others }) =>
    others.map(({ layer, value, because }) =>
      style.dim(`${key}: the ${layer} says ${plain(JSON.stringify(value))}; ${plain(because)}`),
    ),
  );
  return [
    table(style, ["SETTING", "VALUE", "SET BY", "MEANS"], rows),
    ...overruled,
    ...contradictions.map(({ sentence }) => style.warn(`${style.marks.warn} ${plain(sentence)}`)),
  ].join("\n");
}

function valueText({ value, unit }: EffectiveSetting): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return unit === undefined || value === null ? text : `${text} ${unit}`;
}

function setBy(style: Style, { setBy: layer, entry }: EffectiveSetting): string {
  if (layer === "default") return style.dim(layer);
  return entry === undefined ? layer : `${layer} (${plain(entry)})`;
}
