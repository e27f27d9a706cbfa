/**
 * The questions about one update that the signed policy, the settings and this machine's own past
 * answer. The first that stops it is why it is not offered. Pure.
 *
 * Where nobody brought a policy (`view.context` is undefined) all of them pass.
 */
import { formatUpdate } from "../protocol/ids.ts";
import type { UpdateManifest } from "../protocol/manifest.ts";
import { decisiveReason, traceOf } from "./applicability.ts";
import type { DeviceView, KnownUpdate } from "./installedHere.ts";
import { inWords, type OfferContext } from "./offerContext.ts";
import type { PolicyView, RolledOut } from "./offerPolicy.ts";
import { type Answer, passed, type Question, stopped } from "./question.ts";
import { compareVersions } from "./versionOrder.ts";

const DAY_MS = 86_400_000;
const LAYER_WORDS = {
  default: "the default",
  user: "the user",
  admin: "this machine's administrator",
  server: "the server's administrator",
};

export const POLICY_QUESTIONS: readonly Question[] = [
  {
    question: "Has it stopped failing here?",
    ofChildren: true,
    ask: inContext((update, context) => {
      const held = context.heldHere(update.id);
      if (held === undefined) return passed("It is not held back for failing.");
      const until = held.untilMs === undefined ? "" : ` until ${inWords(held.untilMs)}`;
      const detail = `It failed ${times(held.failures)} here and is held back${until}: ${held.because}`;
      return stopped({ reason: "failed-here", detail, ...untilMs(held.untilMs) });
    }),
  },
  {
    question: "Can the policy of its channel be read?",
    ofChildren: true,
    ask: inContext((update, context) =>
      context.policy(update.manifest.channel) === "unreadable"
        ? stopped({
            reason: "policy-unreadable",
            detail: `The signed policy of the channel ${update.manifest.channel} cannot be used on this machine, so nothing of it is offered.`,
          })
        : passed("It can, or there is none."),
    ),
  },
  {
    question: "Is it free of safeguard holds?",
    ofChildren: true,
    ask: underPolicy((update, policy) => {
      const found = policy.hold(update.manifest);
      if (found === undefined) return passed("No hold concerns it.");
      const { hold, rule } = found;
      const expected =
        hold.expectedAt === undefined
          ? ""
          : ` A fix is expected on ${inWords(Date.parse(hold.expectedAt))}.`;
      const because = rule === undefined ? "" : ` (${decisiveReason(traceOf(rule))})`;
      return stopped(
        {
          reason: "safeguard-hold",
          detail: `The safeguard hold ${hold.id} keeps it from this machine${because}: ${hold.text}${expected}`,
          by: hold.id,
          ...untilMs(hold.expiresAt === undefined ? undefined : Date.parse(hold.expiresAt)),
        },
        rule,
      );
    }),
  },
  {
    question: "Is it approved?",
    ofChildren: false,
    ask: underPolicy((update, policy) => {
      const approved = policy.approval(update.manifest);
      if (approved.is === "declined") {
        const text = approved.by.text === undefined ? "." : `: ${approved.by.text}`;
        const detail = `The administrator declined it (${approved.by.id})${text}`;
        return stopped({ reason: "declined", detail, by: approved.by.id });
      }
      if (approved.is === "not-approved") {
        const start =
          approved.startsMs === undefined
            ? ""
            : ` Its approval starts ${inWords(approved.startsMs)}.`;
        const detail = `The administrator has not approved it for this machine.${start}`;
        return stopped({ reason: "not-approved", detail, ...untilMs(approved.startsMs) });
      }
      return passed(
        approved.is === "approved" ? `Approval ${approved.by.id}.` : "No approval is asked for.",
      );
    }),
  },
  {
    question: "Has its rollout reached this machine?",
    ofChildren: false,
    ask: underPolicy((update, policy) => reached(policy.rollout(update.manifest))),
  },
  {
    question: "May every release before it be skipped?",
    ofChildren: false,
    ask: underPolicy((update, policy, view) => {
      const floor = policy.floor(update.id.product, view.installedVersion(update.id.product));
      if (floor === undefined || compareVersions(update.id.version, floor.version) <= 0) {
        return passed("Nothing that must come first is missing.");
      }
      const text = floor.text === undefined ? "" : ` ${floor.text}`;
      const detail = `${formatUpdate(floor)} must be installed first.${text}`;
      return stopped({ reason: "floor-first", detail });
    }),
  },
  {
    question: "Is it within the version at which the product is held?",
    ofChildren: false,
    ask: inContext((update, context, view) => {
      const { product, version } = update.id;
      const pin = policyOf(update, view)?.pin(product);
      const target = context.targetVersion(product);
      if (pin !== undefined && compareVersions(version, pin.version) > 0) {
        const until = pin.expiresAt === undefined ? undefined : Date.parse(pin.expiresAt);
        const detail = `The server's administrator holds ${product} at ${pin.version}${pin.text === undefined ? "." : `: ${pin.text}`}`;
        return stopped({ reason: "pinned", detail, by: "server", ...untilMs(until) });
      }
      if (target !== undefined && compareVersions(version, target) > 0) {
        const by = context.setBy("targetVersions");
        const detail = `${capital(LAYER_WORDS[by])} holds ${product} at ${target}.`;
        return stopped({ reason: "pinned", detail, by });
      }
      return passed("The product is not held below it.");
    }),
  },
  {
    question: "Is its deferral over?",
    ofChildren: false,
    ask: inContext((update, context, view) => {
      const { key, days } = deferralOf(update.manifest, context);
      if (days === 0) return passed("Updates of its kind are not deferred.");
      if (isExpedited(update, view)) return passed("It is expedited, which overrules deferrals.");
      const policy = policyOf(update, view);
      if (policy?.pin(update.id.product)?.version === update.id.version) {
        return passed("It is the pinned version, which overrules deferrals.");
      }
      const endMs = Date.parse(update.manifest.publishedAt) + days * DAY_MS;
      if (endMs <= context.nowMs) return passed(`Its ${days} days ended ${inWords(endMs)}.`);
      const by = context.setBy(key);
      const detail = `It is deferred until ${inWords(endMs)}: ${LAYER_WORDS[by]} lets updates of its kind wait ${days} days.`;
      return stopped({ reason: "deferred", detail, untilMs: endMs, by });
    }),
  },
  {
    question: "Are updates not paused?",
    ofChildren: false,
    ask: inContext((update, context, view) => {
      const { pause } = context.settings;
      const endMs = pause === null ? 0 : Date.parse(pause.until);
      if (endMs <= context.nowMs) return passed("They are not.");
      if (isExpedited(update, view)) return passed("They are, and it is expedited.");
      const by = context.setBy("pause");
      const detail = `Updates are paused by ${LAYER_WORDS[by]} until ${inWords(endMs)}.`;
      return stopped({ reason: "paused", detail, untilMs: endMs, by });
    }),
  },
  {
    question: "Is it wanted in the list?",
    ofChildren: false,
    ask: inContext((update, context, view) => {
      const rolledOut = policyOf(update, view)?.rollout(update.manifest);
      const optional = rolledOut?.is === "reached" && rolledOut.rollout.optional;
      if (!optional) return passed("It is not optional.");
      if (context.settings.optionalUpdates === "show")
        return passed("Optional updates are listed.");
      const by = context.setBy("optionalUpdates");
      const detail = `It is optional, and ${LAYER_WORDS[by]} hides optional updates.`;
      return stopped({ reason: "hidden", detail, by });
    }),
  },
];

function reached(rolledOut: RolledOut): Answer {
  if (rolledOut.is === "not-asked") return passed("No rollout restricts it.");
  if (rolledOut.is === "no-rollout") {
    const detail = "The channel offers only what a rollout names, and none names it yet.";
    return stopped({ reason: "not-in-rollout", detail });
  }
  const { rollout, reach } = rolledOut;
  const by = rollout.id;
  const why = rollout.text === undefined ? "" : `: ${rollout.text}`;
  switch (reach.is) {
    case "reached":
      return passed(`Rollout ${by} reached ring ${reach.ring} here on ${inWords(reach.sinceMs)}.`);
    case "waiting": {
      const detail = `Its rollout ${by} reaches this machine (ring ${reach.ring}) on ${inWords(reach.atMs)}.`;
      return stopped({ reason: "ring-not-reached", detail, untilMs: reach.atMs, by });
    }
    case "paused": {
      const detail = `Its rollout ${by} is paused since ${inWords(reach.pausedMs)} and had not reached this machine${why || "."}`;
      return stopped({ reason: "rollout-paused", detail, by });
    }
    case "beyond-curve": {
      const detail = `Its rollout ${by} goes to ${reach.highestPercent} % of ring ${reach.ring} so far, and this machine is not among them.`;
      return stopped({ reason: "ring-not-reached", detail, by });
    }
    case "halted":
      return stopped({
        reason: "rollout-halted",
        detail: `Its rollout ${by} was halted${why || "."}`,
        by,
      });
    case "no-ring": {
      const detail = `No ring of its rollout ${by} includes this machine.`;
      return stopped({ reason: "not-in-rollout", detail, by });
    }
  }
}

/** `definition` updates are never deferred (windows-update.md feature 20). */
function deferralOf(manifest: UpdateManifest, { settings }: OfferContext) {
  const key = manifest.classification === "feature" ? "featureDeferralDays" : "qualityDeferralDays";
  return { key, days: manifest.classification === "definition" ? 0 : settings[key] } as const;
}

export function policyOf(update: KnownUpdate, view: DeviceView): PolicyView | undefined {
  const policy = view.context?.policy(update.manifest.channel);
  return policy === "unreadable" ? undefined : policy;
}

function isExpedited(update: KnownUpdate, view: DeviceView): boolean {
  const rolledOut = policyOf(update, view)?.rollout(update.manifest);
  return rolledOut?.is === "reached" && rolledOut.rollout.expedite !== undefined;
}

function inContext(
  ask: (update: KnownUpdate, context: OfferContext, view: DeviceView) => Answer,
): Question["ask"] {
  return (update, view) =>
    view.context === undefined ? passed("No policy was brought.") : ask(update, view.context, view);
}

function underPolicy(
  ask: (update: KnownUpdate, policy: PolicyView, view: DeviceView) => Answer,
): Question["ask"] {
  return (update, view) => {
    const policy = policyOf(update, view);
    return policy === undefined ? passed("Its channel has no policy.") : ask(update, policy, view);
  };
}

const untilMs = (ms: number | undefined) => (ms === undefined ? {} : { untilMs: ms });
const times = (count: number): string => (count === 1 ? "once" : `${count} times`);
const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
