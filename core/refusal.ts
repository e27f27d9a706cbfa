/**
 * Why one update is not for this machine: the first reason that applies, or undefined when it suits.
 * Each detail is one plain sentence. Pure.
 */

import type { NotOffered } from "../protocol/decisions.ts";
import { formatUpdate } from "../protocol/ids.ts";
import type { Rule } from "../protocol/manifest.ts";
import { decisiveReason } from "./applicability.ts";
import type { DeviceView, KnownUpdate } from "./installedHere.ts";
import { compareVersions } from "./versionOrder.ts";

export type Refusal = Pick<NotOffered, "reason" | "detail">;

export function refusalOf(update: KnownUpdate, view: DeviceView): Refusal | undefined {
  const name = formatUpdate(update.id);
  const problem = view.problem(update);
  if (problem !== undefined) return no("not-installable", `${name} is not usable: ${problem}.`);
  if (view.isInstalled(update)) return no("installed", `${name} is installed.`);
  const installed = view.installedVersion(update.id.product);
  if (installed !== undefined && compareVersions(update.id.version, installed) < 0) {
    return no("older-than-installed", `${installed} is installed, which is newer.`);
  }
  if (view.wasRolledBack(update.id)) {
    return no("rolled-back-here", `${name} was installed here before and was rolled back.`);
  }
  return (
    refusedByRules(update, view) ??
    missingPrerequisite(update, view) ??
    (update.manifest.kind === "bundle" ? refusedByChild(update, view) : undefined)
  );
}

function refusedByRules(update: KnownUpdate, view: DeviceView): Refusal | undefined {
  const { isInstalled, isSuperseded, isInstallable } = update.manifest.applicability;
  // One rule that cannot be evaluated is enough: it must not read as "not superseded".
  for (const rule of [isInstalled, isSuperseded, isInstallable]) {
    const evaluation = rule && view.evaluate(rule);
    if (evaluation?.is === "refused") {
      return no("not-installable", `Its rules cannot be used: ${evaluation.because}.`);
    }
  }
  const superseded = whether(isSuperseded, view);
  if (superseded?.result === true) {
    return no("superseded", `Its own rule says that it is superseded: ${superseded.because}.`);
  }
  const installable = whether(isInstallable, view);
  if (installable?.result === false) {
    return no("not-installable", `It is not made for this machine: ${installable.because}.`);
  }
  return undefined;
}

function whether(
  rule: Rule | undefined,
  view: DeviceView,
): { result: boolean; because: string } | undefined {
  const evaluation = rule && view.evaluate(rule);
  if (evaluation?.is !== "evaluated") return undefined;
  return { result: evaluation.result, because: decisiveReason(evaluation.trace) };
}

function missingPrerequisite(update: KnownUpdate, view: DeviceView): Refusal | undefined {
  const missing = update.manifest.prerequisites.find(
    (group) => !group.anyOf.some((ref) => view.isPresent(ref.product, ref.version)),
  );
  if (missing === undefined) return undefined;
  const names = missing.anyOf.map((ref) =>
    ref.version === undefined ? ref.product : `${ref.product}@${ref.version}`,
  );
  return no("prerequisite-missing", `It needs ${names.join(" or ")}, which is not installed.`);
}

/** A bundle is installed as a whole or not at all. */
function refusedByChild(bundle: KnownUpdate, view: DeviceView): Refusal | undefined {
  if (bundle.manifest.children.length === 0) {
    return no("not-installable", "It is a bundle without children.");
  }
  for (const child of bundle.manifest.children) {
    const known = view.find(child.product, child.version);
    if (known === undefined) {
      return no(
        "not-installable",
        `Its part ${formatUpdate(child)} is not among the products that this machine follows.`,
      );
    }
    if (view.isSatisfied(known)) continue;
    const refusal = refusalOf(known, view);
    if (refusal !== undefined) {
      return no(refusal.reason, `Its part ${formatUpdate(child)}: ${refusal.detail}`);
    }
  }
  return undefined;
}

const no = (reason: Refusal["reason"], detail: string): Refusal => ({ reason, detail });
