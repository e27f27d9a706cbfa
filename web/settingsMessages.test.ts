/** Keys that the pages put together from values of the protocol: each value has words. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { NOT_OFFERED_REASONS, RestartPlan } from "../protocol/decisions.ts";
import { STAGES } from "../protocol/errors/catalogue.ts";
import { CLASSIFICATIONS, SEVERITIES } from "../protocol/manifest.ts";
import { ChangeRequest, Offer } from "../protocol/orchestratorApi.ts";
import { SERVICE_NAMES, SERVICE_STATES, StartUpType } from "../protocol/servicesApi.ts";
import { SETTING_KEYS, SETTING_LAYERS, SETTINGS } from "../protocol/settings.ts";
import { CheckOutcome, Repair } from "../protocol/troubleshooting/diagnosis.ts";
import { OPERATIONS, PHASES, RESULTS, UPDATE_STATES } from "../protocol/updateServiceApi.ts";

const read = (path: string): object =>
  JSON.parse(readFileSync(join(import.meta.dirname, path), "utf8"));
const messages = { ...read("kit/messages/en.json"), ...read("settings/messages/en.json") };

/** A check has a state of its own in the header. */
const kinds = ChangeRequest.options.map(({ shape }) => shape.kind.value);

it.each([
  ["state", kinds.filter((kind) => kind !== "check")],
  ["phase", PHASES],
  ["operation", OPERATIONS],
  ["result", RESULTS],
  ["updateState", UPDATE_STATES],
  ["reason", NOT_OFFERED_REASONS],
  ["classification", CLASSIFICATIONS],
  ["severity", SEVERITIES.filter((severity) => severity !== "unspecified")],
  ["restart", Offer.shape.restart.options],
  ["restartCard.at", RestartPlan.shape.mode.options],
  ["serviceName", SERVICE_NAMES],
  ["serviceDoes", SERVICE_NAMES],
  ["serviceState", SERVICE_STATES],
  ["startUp", StartUpType.options],
  ["setting", SETTING_KEYS],
  ["setBy", SETTING_LAYERS],
  ["unit", Object.values(SETTINGS).flatMap((row) => ("unit" in row ? [row.unit] : []))],
  ["stage", STAGES],
  ["trouble.outcome", CheckOutcome.shape.outcome.options],
  ["trouble.state", Repair.shape.state.options],
] as const)("has words for every %s", (prefix, values) => {
  const place = prefix
    .split(".")
    .reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], messages);
  expect(Object.keys(place as object)).toEqual(expect.arrayContaining([...values]));
});

it("says of every setting what the setting's own row says", () => {
  const rows = Object.entries(SETTINGS).map(([key, { text }]) => [key, text]);
  expect(messages).toMatchObject({ settingText: Object.fromEntries(rows) });
});
