/**
 * What an administrator can do to a channel's offer policy: each edit makes the next document from
 * the one before, which is then signed and published as a whole (`upbeat rollouts`, `upbeat holds` …).
 *
 * Pure. An edit that changes nothing, or that makes no sense, is a value with a sentence. Whether a
 * device can use the result is for its schema to say (`protocol/offerPolicy.ts`).
 */
import type {
  Approval,
  Floor,
  OfferPolicy,
  Pin,
  Rollout,
  SafeguardHold,
  SettingsEntry,
} from "../protocol/offerPolicy.ts";
import { percentAt } from "./rolloutPlan.ts";

export type Edited =
  | { readonly is: "changed"; readonly policy: OfferPolicy }
  /**
   * unchanged: it is so already · missing: there is no such thing · refused: it would make no sense ·
   * widens: more machines would be offered an update, which the edit does not say.
   */
  | { readonly is: "unchanged" | "missing" | "refused" | "widens"; readonly because: string };

export type PolicyEdit = (policy: OfferPolicy, nowIso: string) => Edited;

/** The edited document as the next one to sign; `nowIso` is RFC 3339 in UTC. */
export function nextPolicy(policy: OfferPolicy, edit: PolicyEdit, nowIso: string): Edited {
  const edited = edit(policy, nowIso);
  if (edited.is !== "changed") return edited;
  const { revision } = policy;
  return changed({ ...edited.policy, revision: revision + 1, issuedAt: nowIso });
}

// Rollouts

export const createRollout =
  (rollout: Rollout): PolicyEdit =>
  (policy) => {
    const { product, version } = rollout;
    const other = policy.rollouts.find((one) => one.product === product && one.version === version);
    if (other !== undefined)
      return no("refused", `${product}@${version} has a rollout already: ${other.id}.`);
    return added(policy, "rollouts", rollout);
  };

export type RolloutAction = "pause" | "resume" | "halt";

/** What each action makes of each state; a sentence where it makes nothing. */
const ROLLOUT_STATES: Record<
  RolloutAction,
  Record<Rollout["state"], Rollout["state"] | { readonly because: string }>
> = {
  pause: {
    running: "paused",
    paused: { because: "It is paused already." },
    halted: { because: "It is halted, so nobody is offered it; resume it first." },
  },
  resume: { running: { because: "It is running." }, paused: "running", halted: "running" },
  halt: { running: "halted", paused: "halted", halted: { because: "It is halted already." } },
};

/** While a rollout does not run its curve stands still, so that resuming is no flood. */
export const changeRollout =
  (id: string, action: RolloutAction, text: string | undefined): PolicyEdit =>
  (policy, nowIso) => {
    const rollout = policy.rollouts.find((one) => one.id === id);
    if (rollout === undefined) return missing("rollout", id);
    const state = ROLLOUT_STATES[action][rollout.state];
    if (typeof state === "object") {
      const isRefused = action === "pause" && rollout.state === "halted";
      return no(isRefused ? "refused" : "unchanged", state.because);
    }
    const { text: _, ...rest } = rollout;
    return replaced(policy, "rollouts", {
      ...rest,
      state,
      pauses: state === "running" ? closed(rollout.pauses, nowIso) : opened(rollout.pauses, nowIso),
      ...(text === undefined ? {} : { text }),
    });
  };

type Pauses = Rollout["pauses"];
const isOpen = (pauses: Pauses): boolean => pauses.length > 0 && pauses.at(-1)?.to === undefined;
const opened = (pauses: Pauses, now: string): Pauses => {
  if (isOpen(pauses)) return pauses;
  // A clock that went back must not make pauses that overlap.
  const endOfLast = pauses.at(-1)?.to ?? now;
  return [...pauses, { from: now < endOfLast ? endOfLast : now }];
};
const closed = (pauses: Pauses, now: string): Pauses =>
  pauses.map((pause) =>
    // Nor one that ends before it began.
    pause.to === undefined ? { ...pause, to: now < pause.from ? pause.from : now } : pause,
  );

export const expediteRollout =
  (id: string, deadlineDays: number): PolicyEdit =>
  (policy) => {
    const rollout = policy.rollouts.find((one) => one.id === id);
    if (rollout === undefined) return missing("rollout", id);
    if (rollout.expedite?.deadlineDays === deadlineDays)
      return no("unchanged", `It is expedited with a deadline of ${deadlineDays} days already.`);
    return replaced(policy, "rollouts", { ...rollout, expedite: { deadlineDays } });
  };

/** A removed rollout restricts nobody any more: that must be meant (`mayWiden`). */
export const removeRollout =
  (id: string, mayWiden: boolean): PolicyEdit =>
  (policy, nowIso) => {
    const rollout = policy.rollouts.find((one) => one.id === id);
    if (rollout === undefined) return missing("rollout", id);
    if (!mayWiden && !policy.rolloutRequired && !isForAll(rollout, Date.parse(nowIso))) {
      const { product, version } = rollout;
      const because = `Without it ${product}@${version} is offered to every machine that it suits, at once.`;
      return no("widens", because);
    }
    return removing("rollouts", "rollout", id)(policy, nowIso);
  };

/** Every machine has been reached already. */
const isForAll = (rollout: Rollout, nowMs: number): boolean =>
  rollout.state === "running" &&
  !rollout.optional &&
  rollout.rings.some(({ who }) => who === undefined) &&
  rollout.rings.every((ring) => percentAt(rollout, ring, nowMs) >= 100);

// Holds, approvals, settings

export const addHold =
  (hold: SafeguardHold): PolicyEdit =>
  (policy) =>
    added(policy, "holds", hold);
export const liftHold = (id: string): PolicyEdit => removing("holds", "hold", id);

export const addApproval =
  (approval: Approval): PolicyEdit =>
  (policy) =>
    added(policy, "approvals", approval);
export const removeApproval = (id: string): PolicyEdit => removing("approvals", "approval", id);

/** Makes the entry, or changes those of its settings that are given. */
export const setSettings =
  (entry: SettingsEntry): PolicyEdit =>
  (policy) => {
    const before = policy.settings.find((one) => one.id === entry.id);
    if (before === undefined) return added(policy, "settings", entry);
    const who = entry.who ?? before.who;
    const next = {
      id: entry.id,
      ...(who === undefined ? {} : { who }),
      values: { ...before.values, ...entry.values },
    };
    if (same(before, next)) return no("unchanged", "They are set so already.");
    return replaced(policy, "settings", next);
  };

/** Without `keys` the whole entry goes; so does one that sets nothing any more. */
export const unsetSettings =
  (id: string, keys: readonly string[]): PolicyEdit =>
  (policy) => {
    const before = policy.settings.find((one) => one.id === id);
    if (before === undefined) return missing("settings entry", id);
    const kept = Object.entries(before.values).filter(([key]) => !keys.includes(key));
    if (keys.length === 0 || kept.length === 0)
      return removing("settings", "settings entry", id)(policy, "");
    if (kept.length === Object.keys(before.values).length)
      return no("unchanged", `${id} does not set ${keys.join(", ")}.`);
    return replaced(policy, "settings", { ...before, values: Object.fromEntries(kept) });
  };

// Floors and pins are named by what they are about

export const addFloor =
  (floor: Floor): PolicyEdit =>
  (policy) => {
    if (policy.floors.some((one) => isOf(one, floor)))
      return no("unchanged", `${floor.product}@${floor.version} is a floor already.`);
    return changed({ ...policy, floors: [...policy.floors, floor] });
  };

export const removeFloor =
  (floor: Pick<Floor, "product" | "version">): PolicyEdit =>
  (policy) => {
    const floors = policy.floors.filter((one) => !isOf(one, floor));
    if (floors.length === policy.floors.length)
      return missing("floor", `${floor.product}@${floor.version}`);
    return changed({ ...policy, floors });
  };

/** Of one product for the same machines there is one pin: the newest. */
export const setPin =
  (pin: Pin): PolicyEdit =>
  (policy) => {
    const others = policy.pins.filter(
      (one) => !same([one.product, one.who], [pin.product, pin.who]),
    );
    const before = policy.pins.filter((one) => !others.includes(one));
    if (before.length === 1 && same(before[0], pin))
      return no("unchanged", `${pin.product} is pinned to ${pin.version} already.`);
    return changed({ ...policy, pins: [...others, pin] });
  };

export const removePins =
  (product: Pin["product"]): PolicyEdit =>
  (policy) => {
    const pins = policy.pins.filter((one) => one.product !== product);
    if (pins.length === policy.pins.length) return missing("pin", product);
    return changed({ ...policy, pins });
  };

export const requireThat =
  (what: "rollouts" | "approvals", isRequired: boolean): PolicyEdit =>
  (policy) => {
    const field = what === "rollouts" ? "rolloutRequired" : "approvalRequired";
    if (policy[field] === isRequired) return no("unchanged", "It is so already.");
    return changed({ ...policy, [field]: isRequired });
  };

// What the edits are made of

type ListName = "rollouts" | "holds" | "approvals" | "settings";
type EntryOf<List extends ListName> = OfferPolicy[List][number];

function added<List extends ListName>(
  policy: OfferPolicy,
  list: List,
  entry: EntryOf<List>,
): Edited {
  if (policy[list].some((one) => one.id === entry.id))
    return no("refused", `The id ${entry.id} is taken.`);
  return changed({ ...policy, [list]: [...policy[list], entry] });
}

const replaced = <List extends ListName>(
  policy: OfferPolicy,
  list: List,
  entry: EntryOf<List>,
): Edited =>
  changed({ ...policy, [list]: policy[list].map((one) => (one.id === entry.id ? entry : one)) });

const removing =
  (list: ListName, what: string, id: string): PolicyEdit =>
  (policy) => {
    // Each list has its own entries, and all of them have an id.
    const entries: readonly { id: string }[] = policy[list];
    const kept = entries.filter((one) => one.id !== id);
    if (kept.length === entries.length) return missing(what, id);
    return changed({ ...policy, [list]: kept });
  };

const isOf = (one: Pick<Floor, "product" | "version">, other: typeof one): boolean =>
  one.product === other.product && one.version === other.version;
const same = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

const changed = (policy: OfferPolicy): Edited => ({ is: "changed", policy });
const no = (is: Exclude<Edited["is"], "changed">, because: string): Edited => ({ is, because });
const missing = (what: string, id: string): Edited => no("missing", `There is no ${what} ${id}.`);
