/**
 * The inputs of a decision as plain values, and back: what is kept in the log must lead to the same
 * decision when it is decided again.
 */
import type { KnownUpdate, OfferInput } from "../../../core/installedHere.ts";
import { decideOffers } from "../../../core/offer.ts";
import type { HeldHere, OfferRules } from "../../../core/offerContext.ts";
import { maintenanceWindows } from "../../../core/timing/maintenanceWindows.ts";
import { type Plan, planNow } from "../../../core/timing/plan.ts";
import type { Situation } from "../../../core/timing/situation.ts";
import { zoneNamed } from "../../../core/timing/zone.ts";
import type { Channel, Sha256 } from "../../../protocol/ids.ts";
import type { OfferPolicy } from "../../../protocol/offerPolicy.ts";
import { SETTING_KEYS, type SettingLayer } from "../../../protocol/settings.ts";

export interface FrozenOffers {
  readonly kind: "offers";
  readonly input: Omit<OfferInput, "rules">;
  readonly rules: Omit<OfferRules, "policies" | "setBy" | "heldHere"> & {
    readonly policies: readonly (readonly [Channel, OfferPolicy | "unreadable"])[];
    readonly setBy: Readonly<Record<string, SettingLayer>>;
    readonly held: readonly (HeldHere & { readonly manifestSha256: Sha256 })[];
  };
}

export interface FrozenTiming {
  readonly kind: "timing";
  readonly situation: Omit<Situation, "zone" | "windows"> & { readonly zone: string };
}

export function freezeOffers(input: OfferInput & { readonly rules: OfferRules }): FrozenOffers {
  const { rules, ...rest } = input;
  const { policies, setBy, heldHere, ...plain } = rules;
  const held = input.updates.flatMap(({ id }: KnownUpdate) => {
    const here = heldHere(id);
    return here === undefined ? [] : [{ ...here, manifestSha256: id.manifestSha256 }];
  });
  return {
    kind: "offers",
    input: rest,
    rules: {
      ...plain,
      policies: [...policies],
      setBy: Object.fromEntries(SETTING_KEYS.map((key) => [key, setBy(key)])),
      held,
    },
  };
}

export function freezeTiming({ zone, windows: _, ...rest }: Situation): FrozenTiming {
  return { kind: "timing", situation: { ...rest, zone: zone.name } };
}

/** Decides again. Throws when what was kept cannot be read by this version any more. */
export function decideAgain(frozen: FrozenOffers | FrozenTiming): unknown {
  if (frozen.kind === "timing") return outcomeOfPlan(planNow(thawSituation(frozen)));
  const { policies, setBy, held, ...plain } = frozen.rules;
  const heldHere = new Map(held.map((it) => [it.manifestSha256, it]));
  const { offers, notOffered } = decideOffers({
    ...frozen.input,
    rules: {
      ...plain,
      policies: new Map(policies),
      setBy: (key) => setBy[key] ?? "default",
      heldHere: ({ manifestSha256 }) => heldHere.get(manifestSha256),
    },
  });
  return { offers, notOffered };
}

function thawSituation({ situation }: FrozenTiming): Situation {
  const zone = zoneNamed(situation.zone);
  if (zone === undefined) throw new RangeError(`there is no time zone ${situation.zone} any more`);
  return {
    ...situation,
    zone,
    windows: maintenanceWindows(situation.settings.maintenanceWindows, zone),
  };
}

/** A plan as the log keeps and compares it. */
export const outcomeOfPlan = ({ lookAgainMs: _, ...plan }: Plan): Omit<Plan, "lookAgainMs"> => plan;
