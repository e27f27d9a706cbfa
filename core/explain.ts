/**
 * The answer to `upbeat why PRODUCT[@VERSION]`: one sentence, then every question that was asked.
 * The same on the device and in the server's preview. Pure.
 */
import type { Explanation, TraceStep } from "../protocol/decisions.ts";
import { formatUpdate, type Product, type Version } from "../protocol/ids.ts";
import type { Offer } from "../protocol/orchestratorApi.ts";
import { type RuleTrace, ruleInWords, traceOf, whyOfRule } from "./applicability.ts";
import { type DeviceView, deviceView, type KnownUpdate, type OfferInput } from "./installedHere.ts";
import { type Decision, decideOffers } from "./offer.ts";
import type { Answer } from "./question.ts";
import { QUESTIONS } from "./refusal.ts";
import { compareVersions } from "./versionOrder.ts";

/** Without a version: what is offered of the product, or else its newest version. */
export function explain(
  input: OfferInput,
  asked: { readonly product: Product; readonly version?: Version | undefined },
): Explanation {
  const view = deviceView(input);
  const decision = decideOffers(input, view);
  const update = updateAsked(input, decision, asked);
  const { product } = asked;
  if (update === undefined) {
    const { version } = asked;
    const name = version === undefined ? product : formatUpdate({ product, version });
    return {
      product,
      ...(version === undefined ? {} : { version }),
      outcome: "unknown",
      sentence: `No channel that this machine follows has an update ${name}.`,
      waiting: [],
      trace: [],
    };
  }
  const trace = stepsOf(answersOf(update, view));
  const base = { product, version: update.id.version, waiting: [], trace };
  const name = formatUpdate(update.id);
  const offer = decision.offers.find((it) => isSame(it.update, update.id));
  if (offer !== undefined) return { ...base, outcome: "offered", sentence: offered(name, offer) };
  const refusal = decision.notOffered.find((it) => isSame(it, update.id));
  if (refusal === undefined) {
    const sentence = `${name} is a ${update.manifest.kind}: it is asked about and never installed.`;
    return { ...base, outcome: "not-offered", sentence };
  }
  const { reason, detail, untilMs, by } = refusal;
  return {
    ...base,
    outcome: "not-offered",
    reason,
    sentence: `${name} is not offered. ${detail}`,
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(by === undefined ? {} : { by }),
  };
}

/** A decision and, for every update that could be installed, all the answers behind it. */
export function evaluationOf(input: OfferInput): {
  readonly decision: Decision;
  readonly traces: ReadonlyMap<KnownUpdate, readonly Answer[]>;
} {
  const view = deviceView(input);
  const decision = decideOffers(input, view);
  return {
    decision,
    traces: new Map(input.updates.map((update) => [update, answersOf(update, view)])),
  };
}

/** Every question, also those after the one that stopped it, in the order of `QUESTIONS`. */
const answersOf = (update: KnownUpdate, view: DeviceView): Answer[] =>
  QUESTIONS.map((question) => question.ask(update, view));

/** The answers in words. */
export const stepsOf = (answers: readonly Answer[]): TraceStep[] =>
  QUESTIONS.flatMap(({ question }, at) => {
    const answer = answers[at];
    return answer === undefined ? [] : [step(question, answer)];
  });

function step(question: string, answer: Answer): TraceStep {
  const because = answer.is === "stopped" ? answer.refusal.detail : answer.because;
  const parts = answer.rule && [ruleStep(traceOf(answer.rule))];
  return { question, answer: answer.is, because, ...(parts === undefined ? {} : { parts }) };
}

/** Conditions decide nothing alone, so they are noted; whether they hold stands in the reason. */
function ruleStep(trace: RuleTrace): TraceStep {
  return {
    question: `${ruleInWords(trace)}?`,
    answer: "noted",
    because: `${trace.result ? "It holds" : "It does not hold"}: ${whyOfRule(trace)}.`,
    ...(trace.parts === undefined ? {} : { parts: trace.parts.map(ruleStep) }),
  };
}

function updateAsked(
  { updates }: OfferInput,
  decision: Decision,
  { product, version }: { readonly product: Product; readonly version?: Version | undefined },
): KnownUpdate | undefined {
  const known = updates
    .filter((it) => it.id.product === product)
    .toSorted((a, b) => compareVersions(b.id.version, a.id.version));
  if (version !== undefined) return known.find((it) => it.id.version === version);
  const offer = decision.offers.find((it) => it.update.product === product);
  return known.find((it) => offer !== undefined && isSame(it.id, offer.update)) ?? known[0];
}

function offered(name: string, { rollout, expedited, optional }: Offer): string {
  const how = rollout === undefined ? "" : ` by rollout ${rollout}`;
  const hurry = expedited ? ", expedited" : "";
  const wish = optional ? " It is optional: it is installed when somebody asks for it." : "";
  return `${name} is offered${how}${hurry}.${wish}`;
}

const isSame = (
  left: { product: string; version: string },
  right: { product: string; version: string },
): boolean => left.product === right.product && left.version === right.version;
