/**
 * Repairs what a diagnosis found: the most fundamental root first, then everything is looked at
 * anew, because much goes away with its root. Nothing counts as repaired before the step that failed
 * was run again and worked.
 */
import { setTimeout as wait } from "node:timers/promises";
import { follows } from "../../core/rootCauses.ts";
import type { Diagnosis, Finding, Repair } from "../../protocol/troubleshooting/diagnosis.ts";
import { diagnose, repairOf } from "./diagnose.ts";
import { checkNow, type FinalCheck } from "./finalCheck.ts";
import type { Line } from "./lines.ts";
import type { Machine } from "./machine.ts";
import { type UndoStep, undoJournal, undoSteps } from "./undo.ts";

/**
 * The whole run ends within 60 s. Nothing new is begun after the first; repairs have ended at the
 * second, the check for updates at the third, and what is left is for the last look.
 */
const BEGIN_UNTIL_MS = 30_000;
const REPAIRED_AT_MS = 42_000;
const CHECKED_AT_MS = 50_000;
const REPAIR_LIMIT_MS = 25_000;
const LAST_LOOK_MS = 6_000;
const ROUNDS = 4;

/** by-itself: those alone that do no harm when nobody has asked for them. */
export type RepairScope = "all" | "by-itself";

export interface FixWorld {
  readonly scope: RepairScope;
  /** Anew each time: nothing that was read before a repair may be believed after it. */
  readonly machine: () => Machine;
  readonly tell: (line: Line) => void;
}

interface Tried {
  readonly finding: Finding;
  readonly changed: string[];
  readonly undo: UndoStep[];
}

export async function fix(world: FixWorld): Promise<Diagnosis> {
  const startedMs = performance.now();
  const elapsed = () => performance.now() - startedMs;
  const first = await diagnose(world.machine(), { tell: world.tell });
  const tried: Tried[] = [];
  let diagnosis = first;
  for (let round = 0; round < ROUNDS && elapsed() < BEGIN_UNTIL_MS; round++) {
    const open = diagnosis.findings.filter(
      (finding) => !tried.some((it) => isSame(it.finding, finding)),
    );
    const next = open.filter(
      (finding) =>
        finding.canRepair !== undefined &&
        finding.severity !== "note" &&
        (world.scope === "all" || repairOf(finding)?.byItself === true),
    );
    if (next.length === 0) break;
    for (const finding of next) {
      if (elapsed() > BEGIN_UNTIL_MS) break;
      const limitMs = Math.min(REPAIR_LIMIT_MS, REPAIRED_AT_MS - elapsed());
      tried.push(await repair(world, finding, limitMs));
    }
    diagnosis = await lookAgain(world, elapsed());
  }
  let finalCheck: FinalCheck | undefined;
  if (tried.length > 0) {
    world.tell({ is: "final-check" });
    finalCheck = await checkNow(world.machine().paths, Math.max(2_000, CHECKED_AT_MS - elapsed()));
    diagnosis = await lookAgain(world, elapsed());
  }
  const findings = await settled(world, first, diagnosis, tried, finalCheck);
  return {
    ...diagnosis,
    findings,
    tookMs: elapsed(),
    ...(finalCheck === undefined ? {} : { finalCheck }),
  };
}

/** Of what is seen now; who follows the run has heard of each check already. */
function lookAgain(world: FixWorld, elapsedMs: number): Promise<Diagnosis> {
  const tell = (line: Line) => {
    if (line.is === "diagnosed") world.tell(line);
  };
  const limitMs = Math.max(LAST_LOOK_MS, Math.min(12_000, REPAIRED_AT_MS - elapsedMs));
  return diagnose(world.machine(), { tell, limitMs });
}

async function repair(world: FixWorld, finding: Finding, limitMs: number): Promise<Tried> {
  const about = repairOf(finding);
  const undo: UndoStep[] = [];
  if (about === undefined) return { finding, changed: [], undo };
  world.tell({ is: "repair", finding, what: about.what });
  const machine = world.machine();
  const journal = undoJournal(machine.paths, machine.nowMs);
  const remember = (step: UndoStep) => {
    journal.add(step);
    undo.push(step);
  };
  try {
    const late = wait(limitMs, undefined, { ref: false }).then(() => {
      throw new Error(`it did not end within ${Math.round(limitMs / 1000)} s`);
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
