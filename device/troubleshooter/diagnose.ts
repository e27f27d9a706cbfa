/**
 * Makes every check, and puts what they found together into findings with their roots. Changes
 * nothing, needs neither the services nor the server, and ends: each check has a limit.
 */
import { setTimeout as wait } from "node:timers/promises";
import { rootCauses } from "../../core/rootCauses.ts";
import type { CheckOutcome, Diagnosis, Symptom } from "../../protocol/troubleshooting/diagnosis.ts";
import { type Check, isNotApplicable } from "./check.ts";
import { CHECKS } from "./checks/index.ts";
import type { Line, Looked } from "./lines.ts";
import type { Machine } from "./machine.ts";

/** A disk that hangs or a name server that is silent must not hold the others up. */
const CHECK_LIMIT_MS = 12_000;

export interface DiagnoseOptions {
  readonly tell: (line: Line) => void;
  /** Less where the whole run comes to its end. */
  readonly limitMs?: number;
}

export async function diagnose(machine: Machine, options: DiagnoseOptions): Promise<Diagnosis> {
  const { tell, limitMs = CHECK_LIMIT_MS } = options;
  const startedMs = performance.now();
  const looked = await look(machine, { tell, limitMs });
  const diagnosis = { ...judge(looked), tookMs: performance.now() - startedMs };
  tell({ is: "diagnosed", diagnosis });
  return diagnosis;
}

/** All at once; each is told of in the order of the table. */
export async function look(
  machine: Machine,
  { tell, limitMs = CHECK_LIMIT_MS }: DiagnoseOptions,
): Promise<Looked> {
  const running = CHECKS.map((check) => {
    tell({ is: "begun", check: check.id });
    return lookAt(check, machine, limitMs);
  });
  const all: Looked[] = [];
  for (const part of running) {
    const looked = await part;
    all.push(looked);
    tell({ is: "looked", looked });
  }
  return together(all);
}

/** Of one run: what its checks saw, each of which came for itself. */
export const together = (parts: readonly Looked[]): Looked => ({
  atMs: parts[0]?.atMs ?? Date.now(),
  facts: Object.assign({}, ...parts.map((it) => it.facts)),
  failures: Object.assign({}, ...parts.map((it) => it.failures)),
  tookMs: Object.assign({}, ...parts.map((it) => it.tookMs)),
});

async function lookAt(check: Check, machine: Machine, limitMs: number): Promise<Looked> {
  const startedMs = performance.now();
  const took = () => ({ [check.id]: performance.now() - startedMs });
  const none = { atMs: machine.nowMs, facts: {}, failures: {} };
  const limit = new AbortController();
  const late = wait(limitMs, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`it did not end within ${Math.round(limitMs / 1000)} s`);
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
