/**
 * Why one update is not for this machine: questions in their order, and the first that stops it.
 *
 * A decision asks until one stops; a trace asks them all. Each detail is one plain sentence. Pure.
 * The questions about the machine stand here, those about policy and settings in
 * `policyQuestions.ts`.
 */
import { formatUpdate } from "../protocol/ids.ts";
import type { Rule } from "../protocol/manifest.ts";
import { decisiveReason, type Evaluated, traceOf } from "./applicability.ts";
import type { DeviceView, KnownUpdate } from "./installedHere.ts";
import { POLICY_QUESTIONS } from "./policyQuestions.ts";
import { type Answer, passed, type Question, type Refusal, stopped } from "./question.ts";
import { compareVersions } from "./versionOrder.ts";

const no = (reason: Refusal["reason"], detail: string, rule?: Evaluated): Answer =>
  stopped({ reason, detail }, rule);

const MACHINE_QUESTIONS: readonly Question[] = [
  {
    question: "Do its children lead to an end?",
    ofChildren: true,
    ask(update, view) {
      const problem = view.problem(update);
      return problem === undefined
        ? passed("There is no circle and no endless depth.")
        : no("not-installable", `${formatUpdate(update.id)} is not usable: ${problem}.`);
    },
  },
  {
    question: "Is it missing here?",
    ofChildren: true,
    ask(update, view) {
      return view.isInstalled(update)
        ? no("installed", `${formatUpdate(update.id)} is installed.`)
        : passed("It is not installed.");
    },
  },
  {
    question: "Is it newer than what is installed?",
    ofChildren: true,
    ask(update, view) {
      const installed = view.installedVersion(update.id.product);
      if (installed === undefined) return passed("No version is installed.");
      return compareVersions(update.id.version, installed) < 0
        ? no("older-than-installed", `${installed} is installed, which is newer.`)
        : passed(`${installed} is installed.`);
    },
  },
  {
    question: "Did it stay when it was installed before?",
    ofChildren: true,
    ask(update, view) {
      const name = formatUpdate(update.id);
      return view.wasRolledBack(update.id)
        ? no("rolled-back-here", `${name} was installed here before and was rolled back.`)
        : passed("It was never rolled back here.");
    },
  },
  {
    question: "Can its rules be used?",
    ofChildren: true,
    ask(update, view) {
      const { isInstalled, isSuperseded, isInstallable } = update.manifest.applicability;
      // One rule that cannot be evaluated is enough: it must not read as "not superseded".
      for (const rule of [isInstalled, isSuperseded, isInstallable]) {
        const evaluation = rule && view.evaluate(rule);
        if (evaluation?.is === "refused") {
          return no("not-installable", `Its rules cannot be used: ${evaluation.because}.`);
        }
      }
      return passed("They are small enough.");
    },
  },
  {
    question: "Do its rules say that it is still needed?",
    ofChildren: true,
    ask(update, view) {
      const found = evaluated(update.manifest.applicability.isSuperseded, view);
      if (found?.result !== true) return passed("It is not superseded by its own rule.", found);
      const because = decisiveReason(traceOf(found));
      return no("superseded", `Its own rule says that it is superseded: ${because}.`, found);
    },
  },
  {
    question: "Do its rules say that it fits this machine?",
    ofChildren: true,
    ask(update, view) {
      const found = evaluated(update.manifest.applicability.isInstallable, view);
      if (found?.result !== false) return passed("It is made for this machine.", found);
      const because = decisiveReason(traceOf(found));
      return no("not-installable", `It is not made for this machine: ${because}.`, found);
    },
  },
  { question: "Is everything here that it needs?", ofChildren: true, ask: prerequisites },
  {
    question: "Do its children suit this machine?",
    ofChildren: true,
    ask: (update, view) =>
      update.manifest.kind === "bundle" ? children(update, view) : passed("It is no bundle."),
  },
];

export const QUESTIONS: readonly Question[] = [...MACHINE_QUESTIONS, ...POLICY_QUESTIONS];
const QUESTIONS_OF_CHILDREN = QUESTIONS.filter(({ ofChildren }) => ofChildren);

/** The first reason that applies, or undefined when the update suits. */
export function refusalOf(
  update: KnownUpdate,
  view: DeviceView,
  questions = QUESTIONS,
): Refusal | undefined {
  for (const question of questions) {
    const answer = question.ask(update, view);
    if (answer.is === "stopped") return answer.refusal;
  }
  return undefined;
}

function evaluated(rule: Rule | undefined, view: DeviceView): Evaluated | undefined {
  const evaluation = rule && view.evaluate(rule);
  return evaluation?.is === "evaluated" ? evaluation : undefined;
}

function prerequisites(update: KnownUpdate, view: DeviceView): Answer {
  const missing = update.manifest.prerequisites.find(
    (group) => !group.anyOf.some((ref) => view.isPresent(ref.product, ref.version)),
  );
  if (missing === undefined) return passed("Nothing is missing.");
  const names = missing.anyOf.map((ref) =>
    ref.version === undefined ? ref.product : `${ref.product}@${ref.version}`,
  );
  return no("prerequisite-missing", `It needs ${names.join(" or ")}, which is not installed.`);
}

/** A bundle is installed as a whole or not at all. */
function children(bundle: KnownUpdate, view: DeviceView): Answer {
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
    const refusal = refusalOf(known, view, QUESTIONS_OF_CHILDREN);
    if (refusal !== undefined) {
      return stopped({ ...refusal, detail: `Its part ${formatUpdate(child)}: ${refusal.detail}` });
    }
  }
  return passed("All of them do.");
}
