/**
 * The effective settings of a device out of its layers, who set each, and what contradicts. Pure.
 *
 * `SETTINGS` (protocol/settings.ts) says how each combines. A value that does not count is listed
 * with the reason; two that cannot both be meant are a contradiction, said in one sentence.
 */
import type { Facts } from "../protocol/deviceApi.ts";
import type { Version } from "../protocol/ids.ts";
import type { OfferPolicy } from "../protocol/offerPolicy.ts";
import {
  type EffectivePolicy,
  type EffectiveSetting,
  SETTING_KEYS,
  SETTINGS,
  type SettingKey,
  type SettingLayer,
  type Settings,
} from "../protocol/settings.ts";
import { evaluateRule } from "./applicability.ts";
import { contradictionsAmong } from "./contradictions.ts";
import { compareVersions } from "./versionOrder.ts";

export interface SettingsLayer {
  readonly layer: Exclude<SettingLayer, "default">;
  /** Which entry of the signed policy. */
  readonly entry?: string;
  readonly values: { readonly [Key in SettingKey]?: Settings[Key] | undefined };
}

export interface CombinedSettings extends EffectivePolicySource {
  readonly settings: Settings;
  readonly setBy: (key: SettingKey) => SettingLayer;
}
interface EffectivePolicySource {
  readonly policy: EffectivePolicy;
}

const STRENGTH: Record<SettingLayer, number> = { default: 0, user: 1, admin: 2, server: 3 };

/** The entries of the signed policies that mean this machine, strongest first. */
export function serverLayers(policies: readonly OfferPolicy[], facts: Facts): SettingsLayer[] {
  return policies.flatMap(({ settings }) =>
    settings
      .filter(({ who }) => {
        const evaluation = who && evaluateRule(who, facts);
        return evaluation === undefined || (evaluation.is === "evaluated" && evaluation.result);
      })
      .map(({ id, values }) => ({ layer: "server", entry: id, values }) as const),
  );
}

/** Within a layer the first that says something is the stronger. `nowMs`: for what has passed. */
export function combineSettings(layers: readonly SettingsLayer[], nowMs: number): CombinedSettings {
  const strongestFirst = layers.toSorted((a, b) => STRENGTH[b.layer] - STRENGTH[a.layer]);
  const userMayPause = decide("userMayPause", strongestFirst, true).value;
  const decisions = SETTING_KEYS.map((key) => decide(key, strongestFirst, userMayPause));
  // One decision for each key of the table, which is what `Settings` lists.
  const settings = Object.fromEntries(
    decisions.map(({ key, value }) => [key, value]),
  ) as unknown as Settings;
  const setBy = new Map(decisions.map((it) => [it.key, it.setBy]));
  const isSet = (key: SettingKey): boolean => setBy.get(key) !== "default";
  return {
    settings,
    setBy: (key) => setBy.get(key) ?? "default",
    policy: {
      settings: decisions.map(described),
      contradictions: [
        ...decisions.flatMap(withinLayer),
        ...contradictionsAmong(settings, isSet, nowMs),
      ],
    },
  };
}

interface Said<Key extends SettingKey> {
  readonly layer: SettingLayer;
  readonly entry?: string | undefined;
  readonly value: Settings[Key];
}
interface Decision<Key extends SettingKey> {
  readonly key: Key;
  readonly value: Settings[Key];
  readonly setBy: SettingLayer;
  readonly entry?: string | undefined;
  readonly overruled: readonly (Said<Key> & { readonly because: string })[];
}

function decide<Key extends SettingKey>(
  key: Key,
  strongestFirst: readonly SettingsLayer[],
  userMayPause: boolean,
): Decision<Key> {
  const said = strongestFirst.flatMap(({ layer, entry, values }): Said<Key>[] => {
    const value = values[key];
    return value === undefined ? [] : [{ layer, entry, value }];
  });
  const forbidden = (it: Said<Key>) => key === "pause" && it.layer === "user" && !userMayPause;
  const counting = said.filter((it) => !forbidden(it));
  const [strongest] = counting;
  if (strongest === undefined) {
    return {
      key,
      // The table's own default has the type of its row.
      value: SETTINGS[key].default as Settings[Key],
      setBy: "default",
      overruled: said.map((it) => ({ ...it, because: "the administrator does not allow it" })),
    };
  }
  const wins =
    SETTINGS[key].combine === "highest"
      ? strongest
      : counting.reduce((best, it) => (isStricter(key, it.value, best.value) ? it : best));
  const value = key === "targetVersions" ? lowestTargets(counting) : wins.value;
  return {
    key,
    // Only `targetVersions` takes the other branch, and that is its type.
    value: value as Settings[Key],
    setBy: wins.layer,
    entry: wins.entry,
    overruled: said
      .filter((it) => it !== wins && !isSame(it.value, value))
      .map((it) => ({ ...it, because: whyNot(it, wins, forbidden(it), SETTINGS[key].combine) })),
  };
}

function whyNot<Key extends SettingKey>(
  it: Said<Key>,
  wins: Said<Key>,
  forbidden: boolean,
  combine: "highest" | "strictest",
): string {
  if (forbidden) return "the administrator does not allow it";
  if (combine === "strictest") return "a stricter value counts";
  if (it.layer === wins.layer) return `the entry ${wins.entry ?? wins.layer} stands before it`;
  return `what the ${wins.layer} says counts more than what the ${it.layer} says`;
}

/** Whether `value` offers less than `than`. */
function isStricter(key: SettingKey, value: unknown, than: unknown): boolean {
  if (typeof value === "number" && typeof than === "number") return value > than;
  if (key === "pause") return pausedUntilMs(value) > pausedUntilMs(than);
  if (key === "optionalUpdates") return value === "hide" && than !== "hide";
  return false;
}

const pausedUntilMs = (pause: unknown): number =>
  typeof pause === "object" && pause !== null && "until" in pause
    ? Date.parse(String(pause.until))
    : Number.NEGATIVE_INFINITY;

/** Of every product the lowest version that anybody names. */
function lowestTargets(said: readonly { readonly value: unknown }[]): Record<string, Version> {
  const lowest = new Map<string, Version>();
  for (const { value } of said) {
    // The caller passes values of `targetVersions` only.
    for (const [product, version] of Object.entries(value as Settings["targetVersions"])) {
      const known = lowest.get(product);
      if (known === undefined || compareVersions(version, known) < 0) lowest.set(product, version);
    }
  }
  return Object.fromEntries(lowest);
}

function described(decision: Decision<SettingKey>): EffectiveSetting {
  const { key, value, setBy, entry, overruled } = decision;
  const { text, unit } = SETTINGS[key] as { text: string; unit?: string };
  return {
    key,
    value,
    setBy,
    ...(entry === undefined ? {} : { entry }),
    text,
    ...(unit === undefined ? {} : { unit }),
    overruled: overruled.map(({ entry: other, ...it }) =>
      other === undefined ? it : { ...it, entry: other },
    ),
  };
}

/** Two layers may differ, that is what they are for; one layer that says two things is a mistake. */
function withinLayer({ key, setBy, entry, overruled }: Decision<SettingKey>) {
  return overruled
    .filter((it) => it.layer === setBy && SETTINGS[key].combine === "highest")
    .map((it) => ({
      settings: [key],
      sentence: `The ${setBy} sets ${key} twice: ${entry} and ${it.entry} differ, and ${entry} counts because it stands first.`,
    }));
}

const isSame = (left: unknown, right: unknown): boolean =>
  JSON.stringify(left) === JSON.stringify(right);
