/** Every fault of the laboratory, and the pairs that are tried together. */
import { NETWORK_FAULTS } from "./networkFaults.ts";
import { RARE_FAULTS } from "./rareFaults.ts";
import { STATE_FAULTS } from "./stateFaults.ts";
import type { Fault } from "./trial.ts";

export const FAULTS: readonly Fault[] = [...STATE_FAULTS, ...NETWORK_FAULTS, ...RARE_FAULTS];

/** Errors: a RangeError for a name that nobody has. */
export function faultNamed(name: string): Fault {
  const fault = FAULTS.find((it) => it.name === name);
  if (fault === undefined) throw new RangeError(`there is no fault "${name}"`);
  return fault;
}

/** One of the machine's state beside one of another kind: neither may hide the other. */
export const PAIRS: readonly (readonly [Fault, Fault])[] = [
  ["a service was stopped by hand", "the update service's database was cut short"],
  ["the update service's database was cut short", "the server hangs"],
  ["the orchestrator hangs", "the file of the trusted root was cut short"],
  ["an installed file was removed, another one overwritten", "the name server is silent"],
  ["the last check failed for a reason that is gone", "something strips ranges"],
].map(([first = "", second = ""]) => [faultNamed(first), faultNamed(second)] as const);
