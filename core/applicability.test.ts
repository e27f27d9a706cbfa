import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Rule } from "../protocol/manifest.ts";
import {
  decisiveReason,
  evaluateRule,
  MAX_RULE_DEPTH,
  MAX_RULE_NODES,
  type RuleTrace,
  traceOf,
} from "./applicability.ts";

const facts = { "os.id": "debian", "os.version": "13", "memory.totalBytes": 4096, virtual: false };

describe("one condition", () => {
  it.each<[Rule, boolean]>([
    [{ fact: "os.id", equals: "debian" }, true],
    [{ fact: "os.id", equals: "fedora" }, false],
    [{ fact: "virtual", equals: false }, true],
    [{ fact: "os.id", oneOf: ["ubuntu", "debian"] }, true],
    [{ fact: "os.id", oneOf: [] }, false],
    [{ fact: "os.version", versionAtLeast: "13" }, true],
    [{ fact: "os.version", versionAtLeast: "13.1" }, false],
    [{ fact: "os.version", versionBelow: "13" }, false],
    [{ fact: "os.version", versionBelow: "14~rc1" }, true],
    [{ fact: "memory.totalBytes", atLeast: 4096 }, true],
    [{ fact: "memory.totalBytes", atLeast: 4097 }, false],
    [{ fact: "os.id", atLeast: 0 }, false],
    [{ fact: "os.id", exists: true }, true],
    [{ fact: "os.id", exists: false }, false],
    [{ fact: "gpu", exists: false }, true],
  ])("%j is %s", (rule, result) => {
    expect(evaluateRule(rule, facts)).toMatchObject({ is: "evaluated", result });
  });

  it.each<Rule>([
    { fact: "gpu", equals: "x" },
    { fact: "gpu", versionBelow: "9" },
    { fact: "toString", exists: true },
    { fact: "__proto__", exists: true },
  ])("%j is false when the device has no such fact, and says so", (rule) => {
    const evaluation = evaluateRule(rule, facts);
    expect(evaluation).toMatchObject({ is: "evaluated", result: false });
    if (evaluation.is === "evaluated") expect(traceOf(evaluation)).not.toHaveProperty("factValue");
  });
});

describe("a tree", () => {
  it("names the condition that decided", () => {
    const rule: Rule = {
      all: [{ fact: "os.id", equals: "debian" }, { not: { fact: "virtual", equals: false } }],
    };
    const evaluation = evaluateRule(rule, facts);
    if (evaluation.is !== "evaluated") throw new Error("refused");
    expect(evaluation.result).toBe(false);
    expect(decisiveReason(traceOf(evaluation))).toContain("virtual");
  });

  it("with no conditions follows logic: all of none holds, any of none does not", () => {
    expect(evaluateRule({ all: [] }, facts)).toMatchObject({ result: true });
    expect(evaluateRule({ any: [] }, facts)).toMatchObject({ result: false });
  });

  it("means what its trace says at every node, and the trace leaves no node out", () => {
    fc.assert(
      fc.property(rules, (rule) => {
        const evaluation = evaluateRule(rule, facts);
        if (evaluation.is !== "evaluated") throw new Error("refused");
        expect(evaluation.result).toBe(meaning(rule));
        expect(size(traceOf(evaluation))).toBe(sizeOfRule(rule));
      }),
    );
  });

  it("turns round under not", () => {
    fc.assert(
      fc.property(rules, (rule) => {
        const plain = evaluateRule(rule, facts);
        const turned = evaluateRule({ not: rule }, facts);
        if (plain.is !== "evaluated" || turned.is !== "evaluated") throw new Error("refused");
        expect(turned.result).toBe(!plain.result);
      }),
    );
  });

  it("is refused when it is nested too deeply, also far beyond the stack", () => {
    expect(evaluateRule(nested(MAX_RULE_DEPTH), facts).is).toBe("evaluated");
    expect(evaluateRule(nested(MAX_RULE_DEPTH + 1), facts).is).toBe("refused");
    expect(evaluateRule(nested(200_000), facts).is).toBe("refused");
  });

  it("is refused when it has too many conditions", () => {
    const leaf: Rule = { fact: "os.id", exists: true };
    expect(evaluateRule({ all: Array(MAX_RULE_NODES - 1).fill(leaf) }, facts).is).toBe("evaluated");
    expect(evaluateRule({ all: Array(MAX_RULE_NODES).fill(leaf) }, facts).is).toBe("refused");
  });
});

const leaves: fc.Arbitrary<Rule> = fc.constantFrom<Rule>(
  { fact: "os.id", equals: "debian" },
  { fact: "os.id", equals: "fedora" },
  { fact: "gpu", exists: true },
  { fact: "memory.totalBytes", atLeast: 1 },
);
const rules = fc.letrec<{ rule: Rule }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 5 },
    leaves,
    fc.array(tie("rule"), { maxLength: 3 }).map((all): Rule => ({ all })),
    fc.array(tie("rule"), { maxLength: 3 }).map((any): Rule => ({ any })),
    tie("rule").map((not): Rule => ({ not })),
  ),
})).rule;

/** The same logic said a second time, in the shortest way. */
function meaning(rule: Rule): boolean {
  if ("all" in rule) return rule.all.every(meaning);
  if ("any" in rule) return rule.any.some(meaning);
  if ("not" in rule) return !meaning(rule.not);
  return rule.fact !== "gpu" && !("equals" in rule && rule.equals === "fedora");
}

const size = (trace: RuleTrace): number =>
  1 + (trace.parts ?? []).reduce((sum, part) => sum + size(part), 0);

function sizeOfRule(rule: Rule): number {
  const parts =
    "all" in rule ? rule.all : "any" in rule ? rule.any : "not" in rule ? [rule.not] : [];
  return 1 + parts.reduce((sum, part) => sum + sizeOfRule(part), 0);
}

function nested(depth: number): Rule {
  let rule: Rule = { fact: "os.id", exists: true };
  for (let at = 1; at < depth; at++) rule = { not: rule };
  return rule;
}
