/**
 * Repairs what a diagnosis found: the most fundamental root first, then everything is looked at
 * anew, because much goes away with its root. Nothing counts as repaired before the step that failed
 * was run again and worked.
 */
import { setTimeout as wait } from "node:timers/promises";
import { follows } from "../../core/rootCauses.ts";
import type {
  CheckOutcome,
  Diagnosis,
  Finding,
  Repair,
} from "../../protocol/troubleshooting/diagnosis.ts";
import { diagnose, repairOf } from "./diagnose.ts";
import { checkNow, type FinalCheck } from "./finalCheck.ts";
import type { Machine } from "./machine.ts";
import { type UndoStep, undoJournal, undoSteps } from "./undo.ts";

/** The whole run ends within 60 s: nothing new is begun after this, and no repair takes longer than that. */
const BEGIN_UNTIL_MS = 38_000;
const REPAIR_LIMIT_MS = 25_000;
const ROUNDS = 4;

export interface FixWorld {
  /** Anew each time: nothing that was read before a repair may be believed after it. */
  readonly machine: () => Machine;
  readonly onCheck: (outcome: CheckOutcome) => void;
  readonly onRepair: (finding: Finding, what: string) => void;
  readonly onFinalCheck: () => void;
}

interface Tried {
  readonly finding: Finding;
  readonly changed: string[];
  readonly undo: UndoStep[];
}

export async function fix(world: FixWorld): Promise<Diagnosis> {
  const startedMs = performance.now();
  const elapsed = () => performance.now() - startedMs;
  const first = await diagnose(world.machine(), world.onCheck);
  const tried: Tried[] = [];
  let diagnosis = first;
  for (let round = 0; round < ROUNDS && elapsed() < BEGIN_UNTIL_MS; round++) {
    const open = diagnosis.findings.filter(
      (finding) => !tried.some((it) => isSame(it.finding, finding)),
    );
    const next = open.filter(
      (finding) => finding.canRepair !== undefined && finding.severity !== "note",
    );
    if (next.length === 0) break;
    for (const finding of next) {
      if (elapsed() > BEGIN_UNTIL_MS) break;
      tried.push(await repair(world, finding));
    }
    diagnosis = await diagnose(world.machine());
  }
  let finalCheck: FinalCheck | undefined;
  if (tried.length > 0) {
    world.onFinalCheck();
    finalCheck = await checkNow(world.machine().paths, Math.max(2_000, 55_000 - elapsed()));
    diagnosis = await diagnose(world.machine());
  }
  const findings = await settled(world, first, diagnosis, tried, finalCheck);
  return {
    ...diagnosis,
    findings,
    tookMs: elapsed(),
    ...(finalCheck === undefined ? {} : { finalCheck }),
  };
}

async function repair(world: FixWorld, finding: Finding): Promise<Tried> {
  const about = repairOf(finding);
  const undo: UndoStep[] = [];
  if (about === undefined) return { finding, changed: [], undo };
  world.onRepair(finding, about.what);
  const machine = world.machine();
  const journal = undoJournal(machine.paths, machine.nowMs);
  const remember = (step: UndoStep) => {
    journal.add(step);
    undo.push(step);
  };
  try {
    const late = wait(REPAIR_LIMIT_MS, undefined, { ref: false }).then(() => {
      throw new Error(`it did not end within ${REPAIR_LIMIT_MS / 1000} s`);
    });
    const changed = await Promise.race([about.apply(machine, finding, remember), late]);
    return { finding, changed, undo };
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    return { finding, changed: [`${about.what}: ${says}`], undo };
  }
}

/** Every finding of the run, with what became of it. */
async function settled(
  world: FixWorld,
  first: Diagnosis,
  last: Diagnosis,
  tried: readonly Tried[],
  finalCheck: FinalCheck | undefined,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { paths } = world.machine();
  for (const { finding, changed, undo } of tried) {
    // It came to light when its root was gone already: it is no finding of its own.
    const root = findings.find((it) => follows(finding, it));
    if (root?.repair?.state === "repaired" && !isOpen(last, finding)) {
      root.consequences.push({ ...finding, title: finding.title });
      root.repair.changed.push(...changed);
      continue;
    }
    const still = last.findings.find((it) => isSame(it, finding));
    if (!isOpen(last, finding)) {
      findings.push({ ...finding, repair: repaired(last, finding, changed, finalCheck) });
      continue;
    }
    const undone = await undoSteps(paths, undo);
    findings.push({
      ...(still ?? finding),
      repair: {
        state: "did-not-help",
        changed: [...changed, ...undone],
        proof: "Looked again: it is still so.",
      },
    });
  }
  // What went away with another root, and what nobody could repair.
  const others = [...last.findings, ...first.findings].filter(
    (finding, at, all) =>
      !findings.some((it) => isSame(it, finding)) &&
      all.findIndex((it) => isSame(it, finding)) === at,
  );
  for (const finding of others) {
    const still = last.findings.some((it) => isSame(it, finding));
    if (still) findings.push(finding);
    else findings.push({ ...finding, repair: repaired(last, finding, [], finalCheck) });
  }
  return findings;
}

function repaired(
  last: Diagnosis,
  finding: Finding,
  changed: string[],
  finalCheck: FinalCheck | undefined,
): Repair {
  const check = last.checks.find(({ id }) => id === finding.check);
  const outcome = check?.outcome === "unknown" ? "could not be made" : "does not find it any more";
  const proof = [
    `Looked again: "${check?.title ?? finding.check}" ${outcome}.`,
    finalCheck === undefined ? undefined : `Checked for updates: ${finalCheck.says}.`,
  ];
  const state = check?.outcome === "unknown" ? "did-not-help" : "repaired";
  return { state, changed, proof: proof.filter(Boolean).join(" ") };
}

/** As a root or as what follows from one. */
const isOpen = ({ findings }: Diagnosis, finding: Finding): boolean =>
  findings.some((it) => [it, ...it.consequences].some((other) => isSame(other, finding)));

const isSame = (
  a: { cause: string; object: string },
  b: { cause: string; object: string },
): boolean => a.cause === b.cause && a.object === b.object;
