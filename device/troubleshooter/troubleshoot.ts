/**
 * The troubleshooter: finds why updates do not work on this machine, repairs it, and proves it.
 *
 * A library: the CLI, the Settings page and the orchestrator run it themselves, so that it works
 * when no service does. It never asks the server for anything but what a check asks for.
 */
import type { CheckOutcome, Diagnosis, Finding } from "../../protocol/troubleshooting/diagnosis.ts";
import { devicePaths } from "../paths.ts";
import { diagnose } from "./diagnose.ts";
import { fix } from "./fix.ts";
import { type Machine, thisMachine } from "./machine.ts";
import { serviceEnvironment, takeNetworkOf } from "./serviceEnvironment.ts";

export interface Listener {
  readonly onCheck?: (outcome: CheckOutcome) => void;
  readonly onRepair?: (finding: Finding, what: string) => void;
  readonly onFinalCheck?: () => void;
}

export interface TroubleshootInput {
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  /** Repair what can be repaired; only for an account that may. */
  readonly repair: boolean;
  readonly listener?: Listener;
}

/** Ends within 60 s. */
export async function troubleshoot(input: TroubleshootInput): Promise<Diagnosis> {
  const { root, now, listener = {} } = input;
  const machine = (): Machine => {
    const paths = devicePaths(root);
    const env = serviceEnvironment(paths, input.env);
    takeNetworkOf(paths, env);
    return thisMachine(root, env, now());
  };
  const nothing = () => {};
  if (!input.repair) return await diagnose(machine(), listener.onCheck);
  return await fix({
    machine,
    onCheck: listener.onCheck ?? nothing,
    onRepair: listener.onRepair ?? nothing,
    onFinalCheck: listener.onFinalCheck ?? nothing,
  });
}
