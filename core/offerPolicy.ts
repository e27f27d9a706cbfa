/**
 * What the signed policy of a channel says about one update on one machine. Pure.
 *
 * Everything here narrows: a hold or a refusal that cannot be evaluated counts, an approval that
 * cannot be evaluated does not. What the parts mean: `protocol/offerPolicy.ts`.
 */
import type { Facts } from "../protocol/deviceApi.ts";
import type { Product, Version } from "../protocol/ids.ts";
import type { Rule, UpdateManifest } from "../protocol/manifest.ts";
import type {
  Approval,
  Floor,
  OfferPolicy,
  Pin,
  Rollout,
  SafeguardHold,
  UpdateFilter,
} from "../protocol/offerPolicy.ts";
import { type Evaluated, evaluateRule } from "./applicability.ts";
import { type Reach, reachOf } from "./rollout.ts";
import { compareVersions } from "./versionOrder.ts";

/** Which update is asked about: what a filter can look at. */
export type Candidate = Pick<UpdateManifest, "product" | "version" | "classification">;

export interface PolicyDevice {
  readonly deviceId: string;
  readonly facts: Facts;
}

export type Approved =
  | { is: "not-asked" }
  | { is: "approved"; by: Approval; deadlineMs?: number }
  | { is: "declined"; by: Approval }
  | { is: "not-approved"; startsMs?: number };

export type RolledOut =
  /** No rollout names the update, and none is required. */
  | { is: "not-asked" }
  | { is: "reached"; rollout: Rollout; reach: Extract<Reach, { is: "reached" }> }
  | { is: "not-reached"; rollout: Rollout; reach: Exclude<Reach, { is: "reached" }> }
  | { is: "no-rollout" };

export interface PolicyView {
  hold(update: Candidate): { hold: SafeguardHold; rule: Evaluated | undefined } | undefined;
  approval(update: Candidate): Approved;
  rollout(update: Candidate): RolledOut;
  /** The lowest release that must not be skipped and that this machine, on `installed`, has not got. */
  floor(product: Product, installed: Version | undefined): Floor | undefined;
  /** The lowest version at which the product is pinned on this machine. */
  pin(product: Product): Pin | undefined;
}

/** `nowMs`: what has expired or not started by then does not count. */
export function policyView(policy: OfferPolicy, device: PolicyDevice, nowMs: number): PolicyView {
  const holds = openEntries(policy.holds, nowMs);
  const approvals = openEntries(policy.approvals, nowMs);
  const rollouts = Map.groupBy(policy.rollouts, nameOf);
  const rolledOut = new Map<string, RolledOut>();
  const answers = new Map<Rule, ReturnType<typeof evaluateRule>>();

  /** One policy has many entries with the same updates in mind; each rule is evaluated once. */
  const includes = (who: Rule | undefined, inDoubt: boolean): boolean => {
    if (who === undefined) return true;
    const evaluation = answers.get(who) ?? evaluateRule(who, device.facts);
    answers.set(who, evaluation);
    return evaluation.is === "evaluated" ? evaluation.result : inDoubt;
  };

  const bestOf = (named: readonly Rollout[]): RolledOut => {
    if (named.length === 0) return { is: policy.rolloutRequired ? "no-rollout" : "not-asked" };
    let best: Extract<RolledOut, { is: "not-reached" }> | undefined;
    // One in a hurry first: it says by when.
    for (const rollout of [...named.filter(inHurry), ...named.filter((it) => !inHurry(it))]) {
      const reach = reachOf(rollout, device, nowMs);
      if (reach.is === "reached") return { is: "reached", rollout, reach };
      if (best === undefined || rank(reach) < rank(best.reach)) {
        best = { is: "not-reached", rollout, reach };
      }
    }
    return best ?? { is: "no-rollout" };
  };

  return {
    hold(update) {
      const hold = holds.find((it) => matches(it.updates, update) && includes(it.who, true));
      if (hold === undefined) return undefined;
      const evaluation = hold.who && answers.get(hold.who);
      return { hold, rule: evaluation?.is === "evaluated" ? evaluation : undefined };
    },

    approval(update) {
      const named = approvals.filter((it) => matches(it.updates, update));
      const started = named.filter((it) => (millis(it.startsAt) ?? 0) <= nowMs);
      const declined = started.find((it) => it.action === "decline" && includes(it.who, true));
      if (declined !== undefined) return { is: "declined", by: declined };
      const approves = (it: Approval) => it.action === "approve" && includes(it.who, false);
      const approving = started.filter(approves);
      const [first] = approving;
      if (first !== undefined) {
        const deadlineMs = earliest(approving.map((it) => millis(it.deadline)));
        return { is: "approved", by: first, ...(deadlineMs === undefined ? {} : { deadlineMs }) };
      }
      if (!policy.approvalRequired) return { is: "not-asked" };
      const startsMs = earliest(named.filter(approves).map((it) => millis(it.startsAt)));
      return { is: "not-approved", ...(startsMs === undefined ? {} : { startsMs }) };
    },

    rollout(update) {
      const name = nameOf(update);
      const known = rolledOut.get(name);
      if (known !== undefined) return known;
      const found = bestOf(rollouts.get(name) ?? []);
      rolledOut.set(name, found);
      return found;
    },

    floor(product, installed) {
      // A first install skips nothing.
      if (installed === undefined) return undefined;
      return lowest(
        policy.floors.filter(
          (it) => it.product === product && compareVersions(it.version, installed) > 0,
        ),
      );
    },

    pin(product) {
      const open = policy.pins.filter(
        (it) =>
          it.product === product &&
          (millis(it.expiresAt) ?? Number.POSITIVE_INFINITY) > nowMs &&
          includes(it.who, true),
      );
      return lowest(open);
    },
  };
}

/** What an update has to get yet before any machine is offered it. */
export function stillNeeds(
  policy: OfferPolicy | undefined,
  update: Candidate,
): ("rollout" | "approval")[] {
  const { rolloutRequired, approvalRequired, rollouts, approvals } = policy ?? {};
  const isRolledOut = rollouts?.some((it) => nameOf(it) === nameOf(update));
  const isApproved = approvals?.some(
    (it) => it.action === "approve" && matches(it.updates, update),
  );
  return [
    ...(rolloutRequired === true && isRolledOut !== true ? (["rollout"] as const) : []),
    ...(approvalRequired === true && isApproved !== true ? (["approval"] as const) : []),
  ];
}

/** Whether a filter means this update: all that it names must match. */
export function matches(filter: UpdateFilter, update: Candidate): boolean {
  const { product, version, from, below, classifications } = filter;
  return (
    (product === undefined || product === update.product) &&
    (version === undefined || version === update.version) &&
    (from === undefined || compareVersions(update.version, from) >= 0) &&
    (below === undefined || compareVersions(update.version, below) < 0) &&
    (classifications === undefined || classifications.includes(update.classification))
  );
}

const inHurry = (rollout: Rollout): boolean => rollout.expedite !== undefined;

const nameOf = (update: { product: string; version: string }): string =>
  `${update.product}@${update.version}`;

const millis = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text);

const earliest = (times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};

const openEntries = <Entry extends { expiresAt?: string | undefined }>(
  entries: readonly Entry[],
  nowMs: number,
): Entry[] => entries.filter((it) => (millis(it.expiresAt) ?? Number.POSITIVE_INFINITY) > nowMs);

const lowest = <Entry extends { version: Version }>(entries: readonly Entry[]): Entry | undefined =>
  entries.toSorted((a, b) => compareVersions(a.version, b.version))[0];

/** Of several rollouts of one update the most hopeful answers: the one with the earliest date. */
function rank(reach: Exclude<Reach, { is: "reached" }>): number {
  if (reach.is === "waiting") return reach.atMs;
  const order = { paused: 1, "beyond-curve": 2, halted: 3, "no-ring": 4 };
  return 1e300 * order[reach.is];
}
