/**
 * Finds why updates do not work on this machine, repairs it, and proves it: inside this process,
 * whose network settings become those of the services. `runTroubleshooter` is for everybody else.
 */
import type { Diagnosis } from "../../protocol/troubleshooting/diagnosis.ts";
import type { DevicePaths } from "../paths.ts";
import { diagnose } from "./diagnose.ts";
import { fix, type RepairScope } from "./fix.ts";
import type { Line } from "./lines.ts";
import { type Machine, thisMachine } from "./machine.ts";
import { serviceEnvironment, takeNetworkOf } from "./serviceEnvironment.ts";

export interface TroubleshootInput {
  readonly paths: DevicePaths;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  /** Which repairs are made; only for an account that may. */
  readonly repair: false | RepairScope;
  readonly tell: (line: Line) => void;
}

/** Ends within 60 s, unless the machine itself hangs. */
export async function troubleshoot(input: TroubleshootInput): Promise<Diagnosis> {
  const { paths, now, tell } = input;
  const machine = (): Machine => {
    const env = serviceEnvironment(paths, input.env);
    takeNetworkOf(paths, env);
    return thisMachine(paths, env, now());
  };
  return input.repair === false
    ? await diagnose(machine(), { tell })
    : await fix({ machine, tell, scope: input.repair });
}
