/** What the troubleshooter's process tells the one that started it: one JSON object a line, as it goes. */
import { z } from "zod";
import { Diagnosis, Finding } from "../../protocol/troubleshooting/diagnosis.ts";

/** What was looked at, by check: enough to judge it anew elsewhere. */
export const Looked = z.object({
  atMs: z.number(),
  facts: z.record(z.string(), z.unknown()),
  /** Why a check could not be made. */
  failures: z.record(z.string(), z.string()),
  tookMs: z.record(z.string(), z.number()),
});
export type Looked = z.infer<typeof Looked>;

export const Line = z.discriminatedUnion("is", [
  z.object({ is: z.literal("begun"), check: z.string() }),
  z.object({ is: z.literal("looked"), looked: Looked }),
  /** What is open after a look at everything. */
  z.object({ is: z.literal("diagnosed"), diagnosis: Diagnosis }),
  z.object({ is: z.literal("repair"), finding: Finding, what: z.string() }),
  z.object({ is: z.literal("final-check") }),
  z.object({ is: z.literal("done"), diagnosis: Diagnosis }),
]);
export type Line = z.infer<typeof Line>;
