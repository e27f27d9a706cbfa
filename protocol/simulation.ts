/**
 * What would happen on this machine in the next days, as things stand.
 *
 *   GET /v1/simulation?days=N   -> Simulation
 */
import { z } from "zod";

export const SIMULATION_MAX_DAYS = 400;

export const SIMULATED_KINDS = [
  "check",
  "offered",
  "withdrawn",
  "downloading",
  "downloaded",
  "installing",
  "installed",
  "warning",
  "restart",
] as const;

export const Simulation = z.object({
  fromMs: z.int(),
  days: z.int(),
  /** What was made up about the machine, one sentence each. */
  assumptions: z.array(z.string()),
  events: z.array(
    z.object({
      atMs: z.int(),
      kind: z.enum(SIMULATED_KINDS),
      /** One plain sentence. */
      sentence: z.string(),
    }),
  ),
});
export type Simulation = z.infer<typeof Simulation>;
