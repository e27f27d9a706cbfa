/**
 * What decides about an offer besides the update and the machine: the signed policies, the settings
 * and what failed here before. Pure; times are milliseconds since 1970.
 */
import type { Facts } from "../protocol/deviceApi.ts";
import type { Channel, Product, UpdateId } from "../protocol/ids.ts";
import type { OfferPolicy } from "../protocol/offerPolicy.ts";
import type { SettingLayer, Settings } from "../protocol/settings.ts";
import { type PolicyView, policyView } from "./offerPolicy.ts";

export interface OfferRules {
  readonly deviceId: string;
  readonly nowMs: number;
  /** By channel; one that has none is absent. `unreadable`: nothing of the channel is offered. */
  readonly policies: ReadonlyMap<Channel, OfferPolicy | "unreadable">;
  readonly settings: Settings;
  /** Who set a setting, for the sentence. */
  readonly setBy: (key: keyof Settings) => SettingLayer;
  /** Why and until when an update is not tried again on this machine (`core/retry.ts`). */
  readonly heldHere: (update: UpdateId) => HeldHere | undefined;
}

export interface HeldHere {
  readonly failures: number;
  /** Absent: until a person or another build of the update changes it. */
  readonly untilMs?: number;
  readonly because: string;
}

export interface OfferContext extends OfferRules {
  /** Undefined: the channel has no policy. */
  policy(channel: Channel): PolicyView | "unreadable" | undefined;
  /** The version at which the administrator of this machine holds the product. */
  targetVersion(product: Product): string | undefined;
}

export function offerContext(rules: OfferRules, facts: Facts): OfferContext {
  const views = new Map(
    [...rules.policies].map(([channel, policy]) => [
      channel,
      policy === "unreadable" ? policy : policyView(policy, { ...rules, facts }, rules.nowMs),
    ]),
  );
  return {
    ...rules,
    policy: (channel) => views.get(channel),
    targetVersion: (product) =>
      Object.hasOwn(rules.settings.targetVersions, product)
        ? rules.settings.targetVersions[product]
        : undefined,
  };
}

/** `2026-03-05 10:00 UTC`: the one form in sentences; who shows them also has the milliseconds. */
export const inWords = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
