/**
 * The run that nobody asked for: is it due, what may it repair, and what is kept of any run. The
 * service manager starts it (`main.ts --unasked`); it decides here by itself, so that whoever wakes
 * it too often does no harm.
 */
import { readFileSync } from "node:fs";
import { isDiagnosisDue, kindsOfTrouble, triedNow } from "../../core/diagnosisDue.ts";
import { AdminSettings, SETTINGS } from "../../protocol/settings.ts";
import type { Diagnosis } from "../../protocol/troubleshooting/diagnosis.ts";
import { keepDiagnosis, readKeptDiagnosis } from "../keptDiagnosis.ts";
import type { DevicePaths } from "../paths.ts";
import { readState } from "./probes/state.ts";
import { listServices } from "./services.ts";

export async function troublesNow(paths: DevicePaths, nowMs: number): Promise<string[]> {
  const { plan, records, lastCheckMs } = readState(paths);
  const services = await listServices(paths).catch(() => []);
  return kindsOfTrouble(
    {
      checkError: plan?.lastError?.code,
      updates: records,
      givenUp: services.filter(({ state }) => state === "failed").map(({ name }) => name),
      lastSuccessMs: lastCheckMs,
    },
    nowMs,
  );
}

export const isDue = async (paths: DevicePaths, nowMs: number): Promise<boolean> =>
  isDiagnosisDue(await troublesNow(paths, nowMs), readKeptDiagnosis(paths), nowMs);

/** Only the administrator's own file says so: a repair has root's rights. */
export function mayRepairByItself(paths: DevicePaths): boolean {
  try {
    const settings = AdminSettings.parse(JSON.parse(readFileSync(paths.settings, "utf8")));
    return settings.repairByItself ?? SETTINGS.repairByItself.default;
  } catch {
    return SETTINGS.repairByItself.default; // none, or unreadable: a check of its own says so
  }
}

/** What there was before the run counts as its reason; what is left after it is what it is about. */
export async function keep(
  paths: DevicePaths,
  run: { readonly diagnosis: Diagnosis; readonly before: readonly string[] },
  nowMs: number,
): Promise<void> {
  const about = await troublesNow(paths, nowMs);
  const triedMs = triedNow([...run.before, ...about], readKeptDiagnosis(paths), nowMs);
  keepDiagnosis(paths, { diagnosis: run.diagnosis, about, triedMs });
}
