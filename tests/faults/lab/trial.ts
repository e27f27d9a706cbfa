/** One fault tried on a machine of its own: was the cause named, was it repaired, does an update then install. */
import type { CauseId } from "../../../protocol/troubleshooting/causes.ts";
import type { Diagnosis, Finding } from "../../../protocol/troubleshooting/diagnosis.ts";
import { type DeviceOptions, type Lab, NEW } from "./lab.ts";
import type { LabDevice } from "./labDevice.ts";

export interface Fault {
  readonly name: string;
  /** What has to be named as a root. */
  readonly cause: CauseId;
  /** Roots that come with it: breaking it took them along. */
  readonly also?: readonly CauseId[];
  readonly options?: DeviceOptions | ((lab: Lab) => DeviceOptions);
  /** Breaks it for real. */
  readonly break: (device: LabDevice) => Promise<void> | void;
  /**
   * What a person does who follows what was printed; absent: --fix repairs it alone.
   * `finding` is the one with the cause.
   */
  readonly instruction?: (device: LabDevice, finding: Finding) => Promise<void> | void;
  /** Updates work all the same, worse: nothing has to be repaired before one installs. */
  readonly harmless?: true;
}

export interface Trial {
  readonly fault: string;
  readonly named: boolean;
  /** Other roots that were named, notes apart. */
  readonly others: readonly string[];
  readonly repaired: "by-itself" | "by-instruction" | "no";
  readonly installed: boolean;
  readonly fixMs: number;
  /** What was said, for a failure's report. */
  readonly said: string;
}

export async function tryFaults(lab: Lab, faults: readonly Fault[]): Promise<Trial> {
  const options = faults.map((it) =>
    typeof it.options === "function" ? it.options(lab) : it.options,
  );
  const device = await lab.device(Object.assign({}, ...options.map((it) => it ?? {})));
  const said: string[] = [];
  try {
    for (const fault of faults) await fault.break(device);
    const { diagnosis, exitCode } = await device.troubleshoot("--fix");
    said.push(tell(diagnosis, exitCode));
    const wanted = faults.flatMap(({ cause, also = [] }) => [cause, ...also]);
    const roots = diagnosis.findings.filter(({ severity }) => severity !== "note");
    // Also among the notes, which are no other root.
    const found = (fault: Fault) => diagnosis.findings.find(({ cause }) => cause === fault.cause);
    const named = faults.every((fault) => found(fault) !== undefined);
    const person = faults.filter((it) => it.instruction !== undefined);
    const alone = faults.filter((it) => it.instruction === undefined && it.harmless === undefined);
    let repaired: Trial["repaired"] = "by-itself";
    if (alone.some((fault) => found(fault)?.repair?.state !== "repaired")) repaired = "no";
    if (person.length > 0) {
      repaired = "by-instruction";
      for (const fault of person) {
        const finding = found(fault);
        if (finding !== undefined) await fault.instruction?.(device, finding);
      }
      const again = await device.troubleshoot("--fix");
      said.push(tell(again.diagnosis, again.exitCode));
      if (again.exitCode !== 0) repaired = "no";
    } else if (exitCode !== 0 && faults.every(({ harmless }) => harmless === undefined))
      repaired = "no";
    const installed = await installs(device, said);
    return {
      fault: faults.map(({ name }) => name).join(" + "),
      named,
      others: roots.map(({ cause }) => cause).filter((cause) => !wanted.includes(cause)),
      repaired,
      installed,
      fixMs: diagnosis.tookMs,
      said: said.join("\n"),
    };
  } finally {
    await device.stop(true);
    await lab.heal();
  }
}

async function installs(device: LabDevice, said: string[]): Promise<boolean> {
  try {
    await device.installVersion(NEW);
    return true;
  } catch (error) {
    said.push(error instanceof Error ? error.message : String(error));
    return false;
  }
}

function tell({ findings, finalCheck, checks }: Diagnosis, exitCode: number): string {
  return [
    `exit ${exitCode}, final check: ${finalCheck?.says ?? "none"}`,
    ...findings.flatMap((it) => [
      `${it.severity} ${it.cause} ${it.object}: ${it.evidence.join("; ")}`,
      `   leads to ${it.consequences.map(({ cause }) => cause).join(", ") || "nothing"}`,
      ...(it.repair === undefined
        ? []
        : [`   ${it.repair.state}: ${it.repair.changed.join("; ")} | ${it.repair.proof}`]),
    ]),
    ...checks.flatMap((it) =>
      it.outcome === "unknown" ? [`unknown ${it.id}: ${it.because}`] : [],
    ),
  ].join("\n");
}
