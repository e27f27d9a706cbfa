/** One run of the troubleshooter at a time, and how far it is: pages may be closed and opened again. */
import { reportError } from "../../protocol/errors/error.ts";
import type { TroubleshootRun } from "../../protocol/settingsPageApi.ts";
import { readKeptDiagnosis } from "../keptDiagnosis.ts";
import type { DevicePaths } from "../paths.ts";
import { runTroubleshooter } from "../troubleshooter/run.ts";
import { undoLast } from "../troubleshooter/undo.ts";

export interface Troubleshooting {
  run(): TroubleshootRun;
  /** Begins a run, unless one is going on. */
  start(repair: boolean): TroubleshootRun;
  /** Takes the repairs of the last run back. */
  undo(): Promise<TroubleshootRun>;
}

export function troubleshooting(
  paths: DevicePaths,
  env: Readonly<Record<string, string | undefined>>,
): Troubleshooting {
  /** Until somebody asks, what was found last: by itself, or on the command line. */
  const kept = readKeptDiagnosis(paths)?.diagnosis;
  let run: TroubleshootRun =
    kept === undefined
      ? { state: "idle", repair: false, checks: [], undone: [] }
      : { state: "done", repair: false, checks: kept.checks, diagnosis: kept, undone: [] };

  const carryOut = async (repair: boolean): Promise<void> => {
    const listener = {
      onCheck: (outcome: TroubleshootRun["checks"][number]) => {
        run = { ...run, checks: [...run.checks, outcome] };
      },
      onRepair: (_: unknown, what: string) => {
        run = { ...run, doing: what };
      },
      onFinalCheck: () => {
        run = { ...run, doing: "Check for updates, to see that it works" };
      },
    };
    try {
      const { root } = paths;
      const diagnosis = await runTroubleshooter({ root, env, repair, listener });
      run = { state: "done", repair, checks: diagnosis.checks, diagnosis, undone: [] };
    } catch (error) {
      run = { ...run, state: "failed", error: reportError(error) };
    }
  };

  return {
    run: () => run,
    start(repair) {
      if (run.state === "running") return run;
      run = { state: "running", repair, checks: [], undone: [] };
      void carryOut(repair);
      return run;
    },
    async undo() {
      if (run.state !== "running") run = { ...run, undone: await undoLast(paths) };
      return run;
    },
  };
}
