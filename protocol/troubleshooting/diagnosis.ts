/**
 * What the troubleshooter says, in one shape: on the terminal, on the Settings page, in a support
 * bundle and to the server.
 */
import { z } from "zod";
import { CAUSE_IDS, SEVERITIES } from "./causes.ts";

export const CauseName = z.enum(CAUSE_IDS);

/** One thing that is wrong, before it is known what it comes from. */
export const Symptom = z.object({
  cause: CauseName,
  /** The check that found it. */
  check: z.string(),
  /** What it happened to: a folder, a service, an address. */
  object: z.string(),
  /** What was seen, one fact a line. */
  evidence: z.array(z.string()),
  /** The service concerned: only findings about the same one belong together. */
  service: z.string().optional(),
});
export type Symptom = z.infer<typeof Symptom>;

export const Repair = z.object({
  state: z.enum([
    /** It was made, the step that had failed was run again, and it worked. */
    "repaired",
    /** It was made and did not help; where it could be undone, it was. */
    "did-not-help",
    /** It was not begun: no time was left, or nothing here may be changed. */
    "not-tried",
  ]),
  /** What was changed, one change a line. */
  changed: z.array(z.string()),
  /** What was run again and what it said. */
  proof: z.string(),
});
export type Repair = z.infer<typeof Repair>;

/** A root cause with everything that follows from it. */
export const Finding = Symptom.extend({
  severity: z.enum(SEVERITIES),
  title: z.string(),
  /** What a person does. */
  remedy: z.string(),
  /** What the troubleshooter does with --fix; absent: it needs a person. */
  canRepair: z.string().optional(),
  consequences: z.array(Symptom.extend({ title: z.string() })),
  repair: Repair.optional(),
});
export type Finding = z.infer<typeof Finding>;

export const CheckOutcome = z.object({
  id: z.string(),
  title: z.string(),
  /** Rows of the table of checks that this one covers. */
  rows: z.array(z.int()),
  outcome: z.enum(["fine", "found", "not-applicable", "unknown"]),
  /** Why it does not apply or could not be looked at. */
  because: z.string().optional(),
  tookMs: z.number(),
});
export type CheckOutcome = z.infer<typeof CheckOutcome>;

export const Diagnosis = z.object({
  atMs: z.int(),
  tookMs: z.number(),
  checks: z.array(CheckOutcome),
  findings: z.array(Finding),
  /** With --fix: a check for updates at the end, because that is what all of this is for. */
  finalCheck: z
    .object({ outcome: z.enum(["worked", "failed", "not-tried"]), says: z.string() })
    .optional(),
});
export type Diagnosis = z.infer<typeof Diagnosis>;
