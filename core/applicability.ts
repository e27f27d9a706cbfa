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
import { compareRead, type ReadVersion, readVersion } from "./versionOrder.ts";

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
  /** From `at` on, a byte a node: 1 where it holds. */
  readonly results: Uint8Array;
  readonly at: number;
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

export const evaluateRule = (rule: Rule, facts: Facts): Evaluation => ruleEvaluator(facts)(rule);

/** Of one machine: each rule is evaluated once, however many questions ask it. */
export type RuleEvaluator = (rule: Rule) => Evaluation;

/** `facts` must stay as they are. */
export function ruleEvaluator(facts: Facts): RuleEvaluator {
  const known = new Map<Rule, Evaluation>();
  const read = new Map(Object.entries(facts).map(([name, value]) => [name, readFact(value)]));
  let page: Page = { results: new Uint8Array(0), used: 0 };

  return (rule) => {
    const before = known.get(rule);
    if (before !== undefined) return before;
    // A rule's results lie together, and there is room for the largest.
    if (page.results.length - page.used < MAX_RULE_NODES) {
      const bytes = known.size === 0 ? MAX_RULE_NODES : PAGE_BYTES;
      page = { results: new Uint8Array(bytes), used: 0 };
    }
    const at = page.used;
    const walk: Walk = { facts: read, page, at, problem: undefined };
    const result = evaluate(rule, 1, walk);
    const evaluation: Evaluation =
      walk.problem === undefined
        ? { is: "evaluated", result, rule, facts, results: page.results, at }
        : { is: "refused", because: walk.problem };
    known.set(rule, evaluation);
    return evaluation;
  };
}

/** The whole tree with what came out at every node. */
export function traceOf({ rule, facts, results, at: first }: Evaluated): RuleTrace {
  let at = first;
  const read = (node: Rule): RuleTrace => {
    const result = results[at++] === 1;
    if (!isFactRule(node)) return { rule: node, result, parts: partsOf(node).map(read) };
    // Names come from outside: `__proto__` is not a fact.
    const factValue = Object.hasOwn(facts, node.fact) ? facts[node.fact] : undefined;
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

/** Results of many rules in one piece of memory: an array for each cost more than the evaluation. */
interface Page {
  readonly results: Uint8Array;
  used: number;
}

const PAGE_BYTES = 64 * 1024;

interface ReadFact {
  readonly value: FactValue;
  /** Made when somebody asks how new it is. */
  version: ReadVersion | undefined;
}

const readFact = (value: FactValue): ReadFact => ({ value, version: undefined });

interface Walk {
  readonly facts: ReadonlyMap<string, ReadFact>;
  readonly page: Page;
  readonly at: number;
  problem: string | undefined;
}

/** Counts as it goes down, so that a hostile tree ends neither the stack nor the patience. */
function evaluate(rule: Rule, depth: number, walk: Walk): boolean {
  const { page } = walk;
  const at = page.used;
  if (depth > MAX_RULE_DEPTH) walk.problem = `the rule is nested deeper than ${MAX_RULE_DEPTH}`;
  else if (at - walk.at >= MAX_RULE_NODES) {
    walk.problem = `the rule has more than ${MAX_RULE_NODES} conditions`;
  }
  if (walk.problem !== undefined) return false;
  page.used += 1;
  const result = isFactRule(rule) ? isMet(rule, walk.facts) : combined(rule, depth, walk);
  page.results[at] = result ? 1 : 0;
  return result;
}

function combined(rule: Tree, depth: number, walk: Walk): boolean {
  const { all, any, not } = rule as AnyRule;
  const parts = all ?? any;
  if (parts === undefined) return not !== undefined && !evaluate(not, depth + 1, walk);
  let held = 0;
  for (const part of parts) {
    if (evaluate(part, depth + 1, walk)) held += 1;
    if (walk.problem !== undefined) return false;
  }
  return all === undefined ? held > 0 : held === parts.length;
}

/**
 * A rule with the properties of every shape. Reading one that may be absent costs a small part of
 * asking with `in` where every shape comes by.
 */
interface AnyRule {
  readonly all?: readonly Rule[];
  readonly any?: readonly Rule[];
  readonly not?: Rule;
  readonly fact?: string;
  readonly equals?: FactValue;
  readonly oneOf?: readonly FactValue[];
  readonly versionAtLeast?: string;
  readonly versionBelow?: string;
  readonly atLeast?: number;
  readonly exists?: boolean;
}

const isFactRule = (rule: Rule): rule is FactRule => (rule as AnyRule).fact !== undefined;

function isMet(rule: FactRule, facts: Walk["facts"]): boolean {
  const fact = facts.get(rule.fact);
  return fact === undefined ? (rule as AnyRule).exists === false : holds(rule, fact);
}

function holds(rule: FactRule, fact: ReadFact): boolean {
  const { value } = fact;
  const { versionAtLeast, versionBelow, equals, oneOf, atLeast, exists } = rule as AnyRule;
  if (versionAtLeast !== undefined) return compareWith(fact, versionAtLeast) >= 0;
  if (versionBelow !== undefined) return compareWith(fact, versionBelow) < 0;
  if (equals !== undefined) return value === equals;
  if (oneOf !== undefined) return oneOf.includes(value);
  if (atLeast !== undefined) return typeof value === "number" && value >= atLeast;
  return exists === true;
}

function compareWith(fact: ReadFact, version: string): number {
  fact.version ??= readVersion(String(fact.value));
  return compareRead(fact.version, readVersion(version));
}

function factInWords(rule: FactRule): string {
  if ("equals" in rule) return `${rule.fact} = ${JSON.stringify(rule.equals)}`;
  if ("oneOf" in rule) return `${rule.fact} in ${JSON.stringify(rule.oneOf)}`;
  if ("versionAtLeast" in rule) return `${rule.fact} ≥ version ${rule.versionAtLeast}`;
  if ("versionBelow" in rule) return `${rule.fact} < version ${rule.versionBelow}`;
  if ("atLeast" in rule) return `${rule.fact} ≥ ${rule.atLeast}`;
  return rule.exists ? `${rule.fact} exists` : `${rule.fact} does not exist`;
}
