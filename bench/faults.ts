/**
 * `npm run bench -- faults [--only NAME,NAME]`: the whole fault laboratory. Every fault alone, then pairs of them, each
 * on a machine of its own that is really broken: was the root named, was it repaired, does an update
 * then install; and what the troubleshooter says about machines on which nothing is wrong.
 */
import { FAULTS, PAIRS } from "../tests/faults/lab/faults.ts";
import { canRunLab, type Lab, openLab } from "../tests/faults/lab/lab.ts";
import { type Fault, type Trial, tryFaults } from "../tests/faults/lab/trial.ts";
import { atMost, type Bench, type BenchResult, median } from "./bench.ts";

const HEALTHY_MACHINES = 5;
const HEALTHY_GOAL_MS = 5_000;

export const faultsBench: Bench = {
  name: "faults",
  describe: "real faults on real machines: named right, repaired, and an update then installs",
  run,
};

/** `only`: parts of the names of faults. */
async function run(only: readonly string[] = []): Promise<BenchResult> {
  if (!canRunLab) throw new Error("the laboratory mounts and enters name spaces: run it as root");
  const lab = await openLab();
  try {
    const trials: { faults: readonly Fault[]; trial: Trial }[] = [];
    const wanted = (faults: readonly Fault[]) =>
      only.length === 0 || faults.some(({ name }) => only.some((part) => name.includes(part)));
    const all = [...FAULTS.map((fault) => [fault]), ...PAIRS].filter(wanted);
    for (const [at, faults] of all.entries()) {
      process.stderr.write(
        `${at + 1}/${all.length} ${faults.map(({ name }) => name).join(" + ")}\n`,
      );
      const trial = await tried(lab, faults);
      if (!isRight(faults, trial)) process.stderr.write(`${trial.fault}\n${trial.said}\n`);
      trials.push({ faults, trial });
    }
    return result(trials, await healthy(lab));
  } finally {
    await lab.close();
  }
}

async function tried(lab: Lab, faults: readonly Fault[]): Promise<Trial> {
  try {
    return await tryFaults(lab, faults);
  } catch (error) {
    const fault = faults.map(({ name }) => name).join(" + ");
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { fault, named: false, others: [], repaired: "no", installed: false, fixMs: 0, said };
  }
}

interface Healthy {
  readonly tookMs: number[];
  readonly falseFindings: number;
}

async function healthy(lab: Lab): Promise<Healthy> {
  const tookMs: number[] = [];
  let falseFindings = 0;
  for (let i = 0; i < HEALTHY_MACHINES; i++) {
    const device = await lab.device();
    const { diagnosis } = await device.troubleshoot();
    tookMs.push(diagnosis.tookMs);
    falseFindings += diagnosis.findings.filter(({ severity }) => severity !== "note").length;
    await device.stop(true);
  }
  return { tookMs, falseFindings };
}

const needsPerson = (faults: readonly Fault[]): boolean =>
  faults.some(({ instruction }) => instruction !== undefined);

function isRight(faults: readonly Fault[], { named, others, repaired, installed }: Trial): boolean {
  const wanted = needsPerson(faults) ? "by-instruction" : "by-itself";
  return named && others.length === 0 && repaired === wanted && installed;
}

function result(
  trials: readonly { faults: readonly Fault[]; trial: Trial }[],
  { tookMs, falseFindings }: Healthy,
): BenchResult {
  const count = (holds: (faults: readonly Fault[], trial: Trial) => boolean) =>
    trials.filter(({ faults, trial }) => holds(faults, trial)).length;
  const person = count(needsPerson);
  const figures = {
    tried: trials.length,
    namedRight: count((_, trial) => trial.named && trial.others.length === 0),
    needAPerson: person,
    repairedAlone: count((_, { repaired, installed }) => repaired === "by-itself" && installed),
    repairedByInstruction: count(
      (_, { repaired, installed }) => repaired === "by-instruction" && installed,
    ),
    falseFindingsOnHealthyMachines: falseFindings,
    healthyRunMs: Math.round(median(tookMs)),
  };
  const atLeast = (what: string, value: number, goal: number) => ({
    what,
    value,
    goal,
    met: value >= goal,
  });
  return {
    figures,
    goals: [
      atLeast("causes named right, and nothing else", figures.namedRight, trials.length),
      atLeast("repaired without help", figures.repairedAlone, trials.length - person),
      atLeast("repaired by the printed instruction", figures.repairedByInstruction, person),
      atMost("false findings on healthy machines", falseFindings, 0),
      atMost("milliseconds of a run on a healthy machine", figures.healthyRunMs, HEALTHY_GOAL_MS),
    ],
    tables: [
      {
        title: "Faults",
        header: ["fault", "cause named", "also named", "repaired", "update installs", "s"],
        rows: trials.map(({ trial }) => [
          trial.fault,
          trial.named ? "yes" : "NO",
          trial.others.join(", "),
          trial.repaired,
          trial.installed ? "yes" : "NO",
          (trial.fixMs / 1_000).toFixed(1),
        ]),
      },
    ],
  };
}
