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

/**
 * What came out at every node, in the order in which a rule is read: each node before its parts. A
 * check evaluates fifty thousand conditions; the tree and the words are made when somebody reads
 * them (`traceOf`).
 */
export interface Evaluated {
  readonly is: "evaluated";
  readonly result: boolean;
  readonly rule: Rule;
  readonly facts: Facts;
  readonly results: readonly boolean[];
}

export type Evaluation = Evaluated | { is: "refused"; because: string };

/** One node, its result and the nodes below it. */
export interface RuleTrace {
  readonly rule: Rule;
  readonly result: boolean;
  /** Absent: the device has no such fact, or the node is not about a fact. */
  readonly factValue?: FactValue;
  readonly parts?: readonly RuleTrace[];
}

export function evaluateRule(rule: Rule, facts: Facts): Evaluation {
  const walk: Walk = { facts, results: [], problem: undefined };
  const result = evaluate(rule, 1, walk);
  return walk.problem === undefined
    ? { is: "evaluated", result, rule, facts, results: walk.results }
    : { is: "refused", because: walk.problem };
}

/** The whole tree with what came out at every node. */
export function traceOf({ rule, facts, results }: Evaluated): RuleTrace {
  let at = 0;
  const read = (node: Rule): RuleTrace => {
    const result = results[at++] ?? false;
    if (!isFactRule(node)) return { rule: node, result, parts: partsOf(node).map(read) };
    const factValue = factOf(facts, node.fact);
    return factValue === undefined ? { rule: node, result } : { rule: node, result, factValue };
  };
  return read(rule);
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
  if (!isFactRule(rule)) {
    const held = (parts ?? []).filter((part) => part.result).length;
    return `${held} of ${parts?.length ?? 0} conditions hold`;
  }
  if (factValue === undefined) return `this device has no fact ${rule.fact}`;
  return `${factInWords(rule)} is asked for and ${rule.fact} is ${JSON.stringify(factValue)}`;
}

type Tree = Exclude<Rule, FactRule>;

function partsOf(rule: Tree): readonly Rule[] {
  if ("all" in rule) return rule.all;
  return "any" in rule ? rule.any : [rule.not];
}

interface Walk {
  readonly facts: Facts;
  readonly results: boolean[];
  problem: string | undefined;
}

/** Counts as it goes down, so that a hostile tree ends neither the stack nor the patience. */
function evaluate(rule: Rule, depth: number, walk: Walk): boolean {
  const { results } = walk;
  const at = results.length;
  if (depth > MAX_RULE_DEPTH) walk.problem = `the rule is nested deeper than ${MAX_RULE_DEPTH}`;
  else if (at >= MAX_RULE_NODES) {
    walk.problem = `the rule has more than ${MAX_RULE_NODES} conditions`;
  }
  if (walk.problem !== undefined) return false;
  results.push(false);
  const result = isFactRule(rule) ? isMet(rule, walk.facts) : combined(rule, depth, walk);
  results[at] = result;
  return result;
}

function combined(rule: Tree, depth: number, walk: Walk): boolean {
  const parts = partsOf(rule);
  let held = 0;
  for (const part of parts) {
    if (evaluate(part, depth + 1, walk)) held += 1;
    if (walk.problem !== undefined) return false;
  }
  if ("all" in rule) return held === parts.length;
  return "any" in rule ? held > 0 : held === 0;
}

/** Read as a property: `in` costs several times as much where every shape of rule comes by. */
const isFactRule = (rule: Rule): rule is FactRule =>
  (rule as { readonly fact?: string }).fact !== undefined;

function isMet(rule: FactRule, facts: Facts): boolean {
  const value = factOf(facts, rule.fact);
  return value === undefined ? "exists" in rule && !rule.exists : holds(rule, value);
}

/** Names come from outside: `__proto__` is not a fact. */
const factOf = (facts: Facts, name: string): FactValue | undefined =>
  Object.hasOwn(facts, name) ? facts[name] : undefined;

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
