/**
 * Makes every check, and puts what they found together into findings with their roots. Changes
 * nothing, needs neither the services nor the server, and ends: each check has a limit.
 */
import { setTimeout as wait } from "node:timers/promises";
import { rootCauses } from "../../core/rootCauses.ts";
import type { CheckOutcome, Diagnosis, Symptom } from "../../protocol/troubleshooting/diagnosis.ts";
import { type Check, isNotApplicable } from "./check.ts";
import { CHECKS } from "./checks/index.ts";
import type { Machine } from "./machine.ts";

/** A disk that hangs or a name server that is silent must not hold the others up. */
const CHECK_LIMIT_MS = 12_000;

/** What was looked at, by check: enough to judge it anew elsewhere. */
export type FactsByCheck = Readonly<Record<string, unknown>>;

export interface Looked {
  readonly atMs: number;
  readonly facts: FactsByCheck;
  /** Why a check could not be made. */
  readonly failures: Readonly<Record<string, string>>;
  readonly tookMs: Readonly<Record<string, number>>;
}

export async function diagnose(
  machine: Machine,
  onCheck: (outcome: CheckOutcome) => void = () => {},
): Promise<Diagnosis> {
  const startedMs = performance.now();
  const looked = await look(machine, (part) => {
    for (const outcome of judge(part).checks) onCheck(outcome);
  });
  return { ...judge(looked), tookMs: performance.now() - startedMs };
}

/** All at once; `onPart` hears of each in the order of the table. */
export async function look(
  machine: Machine,
  onPart: (looked: Looked) => void = () => {},
  checks: readonly Check[] = CHECKS,
): Promise<Looked> {
  const running = checks.map((check) => lookAt(check, machine));
  const all: Looked[] = [];
  for (const part of running) {
    const done = await part;
    all.push(done);
    onPart(done);
  }
  return {
    atMs: machine.nowMs,
    facts: Object.assign({}, ...all.map((it) => it.facts)),
    failures: Object.assign({}, ...all.map((it) => it.failures)),
    tookMs: Object.assign({}, ...all.map((it) => it.tookMs)),
  };
}

async function lookAt(check: Check, machine: Machine): Promise<Looked> {
  const startedMs = performance.now();
  const took = () => ({ [check.id]: performance.now() - startedMs });
  const none = { atMs: machine.nowMs, facts: {}, failures: {} };
  const limit = new AbortController();
  const late = wait(CHECK_LIMIT_MS, undefined, { signal: limit.signal, ref: false }).then(() => {
    throw new Error(`it did not end within ${CHECK_LIMIT_MS / 1000} s`);
  });
  late.catch(() => undefined); // it is aborted below when it comes second
  try {
    const facts = await Promise.race([check.look(machine), late]);
    return { ...none, facts: { [check.id]: facts }, tookMs: took() };
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    return { ...none, failures: { [check.id]: says }, tookMs: took() };
  } finally {
    limit.abort();
  }
}

/** Pure but for what the checks' own `judge` is: facts in, findings out. */
export function judge(looked: Looked): Diagnosis {
  const { facts, failures, tookMs, atMs } = looked;
  const symptoms: Symptom[] = [];
  const outcomes: CheckOutcome[] = [];
  for (const check of CHECKS) {
    if (!(check.id in facts) && !(check.id in failures)) continue;
    const about = {
      id: check.id,
      title: check.title,
      rows: [...check.rows],
      tookMs: tookMs[check.id] ?? 0,
    };
    const fact = facts[check.id];
    if (failures[check.id] !== undefined) {
      outcomes.push({ ...about, outcome: "unknown", because: failures[check.id] });
    } else if (isNotApplicable(fact)) {
      outcomes.push({ ...about, outcome: "not-applicable", because: fact.notApplicable });
    } else {
      const found = judgedBy(check, fact, atMs);
      if (typeof found === "string")
        outcomes.push({ ...about, outcome: "unknown", because: found });
      else {
        symptoms.push(...found);
        outcomes.push({ ...about, outcome: found.length > 0 ? "found" : "fine" });
      }
    }
  }
  const findings = rootCauses(symptoms, (symptom) => repairOf(symptom)?.what);
  return { atMs, tookMs: 0, checks: outcomes, findings };
}

function judgedBy(check: Check, fact: unknown, atMs: number): Symptom[] | string {
  try {
    return check.judge(fact, atMs);
  } catch {
    return "its facts were written by another version of Upbeat";
  }
}

export const repairOf = (symptom: Symptom) =>
  CHECKS.find(({ id }) => id === symptom.check)?.repairs[symptom.cause];
