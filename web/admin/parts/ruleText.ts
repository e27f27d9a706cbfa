/** A rule over facts in the words of the command line, as far as those can say it; else as JSON. */
import type { Rule } from "../../../protocol/manifest.ts";

export function ruleText(rule: Rule): string {
  if ("all" in rule) return rule.all.map(partText).join(" & ");
  return partText(rule);
}

function partText(rule: Rule): string {
  if ("exists" in rule) return rule.exists ? rule.fact : `!${rule.fact}`;
  if ("equals" in rule) return `${rule.fact}=${rule.equals}`;
  // A number that was typed is looked for as text too: it is shown once.
  if ("oneOf" in rule) return `${rule.fact}=${[...new Set(rule.oneOf.map(String))].join(",")}`;
  if ("versionAtLeast" in rule) return `${rule.fact}>=${rule.versionAtLeast}`;
  if ("versionBelow" in rule) return `${rule.fact}<${rule.versionBelow}`;
  if ("atLeast" in rule) return `${rule.fact}>=${rule.atLeast}`;
  return JSON.stringify(rule);
}
