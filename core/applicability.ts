/**
 * Evaluates a rule tree over the facts of one device, and says why at every node.
 *
 * Pure. A fact that the device does not have makes its condition false, never an error; a tree that
 * is too deep or too large is refused as a whole (the original has codes for "relation too deep":
 * windows-update.md 1.3). Every node is evaluated, also when the result is already known, so that
 * the trace is complete.
 */
import type { Facts } from "../protocol/deviceApi.ts";
import type { FactRule, Rule } from "../protocol/manifest.ts";
import { compareVersions } from "./versionOrder.ts";

export const MAX_RULE_DEPTH = 32;
export const MAX_RULE_NODES = 2_000;

type FactValue = string | number | boolean;

/** What was found at one node. The words for it are made when somebody reads them. */
export interface RuleTrace {
  readonly rule: Rule;
  readonly result: boolean;
  /** Absent: the device has no such fact, or the node is not about a fact. */
  readonly factValue?: FactValue;
  readonly parts?: readonly RuleTrace[];
}

export type Evaluation =
  | { is: "evaluated"; result: boolean; trace: RuleTrace }
  | { is: "refused"; because: string };

export function evaluateRule(rule: Rule, facts: Facts): Evaluation {
  const problem = problemOf(rule);
  if (problem !== undefined) return { is: "refused", because: problem };
  const trace = traceOf(rule, facts);
  return { is: "evaluated", result: trace.result, trace };
}

/** The first condition that made the tree false (or true, below a `not`), as one clause. */
export function decisiveReason(trace: RuleTrace): string {
  const decisive = trace.parts?.find((part) =>
    "not" in trace.rule ? true : part.result === trace.result,
  );
  return decisive === undefined ? whyOfRule(trace) : decisiveReason(decisive);
}

/** The node in words: `os.id = "debian"`, `all of 2`. */
export function ruleInWords({ rule }: RuleTrace): string {
  if ("all" in rule) return `all of ${rule.all.length}`;
  if ("any" in rule) return `any of ${rule.any.length}`;
  return "not" in rule ? "not" : factInWords(rule);
}

/** Why the node holds or not, as one clause. */
export function whyOfRule({ rule, factValue, parts }: RuleTrace): string {
  if (!("fact" in rule)) {
    const held = (parts ?? []).filter((part) => part.result).length;
    return `${held} of ${parts?.length ?? 0} conditions hold`;
  }
  if (factValue === undefined) return `this device has no fact ${rule.fact}`;
  return `${factInWords(rule)} is asked for and ${rule.fact} is ${JSON.stringify(factValue)}`;
}

/** Walks with a list of its own: a hostile depth must not end in a stack overflow. */
function problemOf(root: Rule): string | undefined {
  const open = [{ rule: root, depth: 1 }];
  let nodes = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    nodes += 1;
    if (next.depth > MAX_RULE_DEPTH) return `the rule is nested deeper than ${MAX_RULE_DEPTH}`;
    if (nodes > MAX_RULE_NODES) return `the rule has more than ${MAX_RULE_NODES} conditions`;
    for (const rule of partsOf(next.rule)) open.push({ rule, depth: next.depth + 1 });
  }
  return undefined;
}

function partsOf(rule: Rule): readonly Rule[] {
  if ("all" in rule) return rule.all;
  if ("any" in rule) return rule.any;
  if ("not" in rule) return [rule.not];
  return [];
}

function traceOf(rule: Rule, facts: Facts): RuleTrace {
  if ("fact" in rule) return traceOfFact(rule, facts);
  const parts = partsOf(rule).map((part) => traceOf(part, facts));
  return { rule, result: combined(rule, parts), parts };
}

function combined(rule: Rule, parts: readonly RuleTrace[]): boolean {
  if ("all" in rule) return parts.every((part) => part.result);
  const any = parts.some((part) => part.result);
  return "any" in rule ? any : !any;
}

function traceOfFact(rule: FactRule, facts: Facts): RuleTrace {
  // Names come from outside: `__proto__` is not a fact.
  const factValue = Object.hasOwn(facts, rule.fact) ? facts[rule.fact] : undefined;
  if (factValue === undefined) return { rule, result: "exists" in rule && !rule.exists };
  return { rule, result: holds(rule, factValue), factValue };
}

function holds(rule: FactRule, value: FactValue): boolean {
  if ("equals" in rule) return value === rule.equals;
  if ("oneOf" in rule) return rule.oneOf.includes(value);
  if ("versionAtLeast" in rule) return compareVersions(String(value), rule.versionAtLeast) >= 0;
  if ("versionBelow" in rule) return compareVersions(String(value), rule.versionBelow) < 0;
  if ("atLeast" in rule) return typeof value === "number" && value >= rule.atLeast;
  return rule.exists;
}

function factInWords(rule: FactRule): string {
  if ("equals" in rule) return `${rule.fact} = ${JSON.stringify(rule.equals)}`;
  if ("oneOf" in rule) return `${rule.fact} in ${JSON.stringify(rule.oneOf)}`;
  if ("versionAtLeast" in rule) return `${rule.fact} ≥ version ${rule.versionAtLeast}`;
  if ("versionBelow" in rule) return `${rule.fact} < version ${rule.versionBelow}`;
  if ("atLeast" in rule) return `${rule.fact} ≥ ${rule.atLeast}`;
  return rule.exists ? `${rule.fact} exists` : `${rule.fact} does not exist`;
}
