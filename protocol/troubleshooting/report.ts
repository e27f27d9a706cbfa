/**
 * What of a diagnosis a device tells its server, when its owner agreed (`reportDiagnoses`): what is
 * wrong and what was seen of it, redacted and bounded. The whole of it stays on the device.
 *
 * Causes are names, not `CauseName`: reports of a newer device must arrive.
 */
import { z } from "zod";
import { SEVERITIES } from "./causes.ts";

const Cause = z.string().regex(/^[a-z][a-z0-9-]{0,59}$/);

export const REPORT_MAX = { findings: 30, evidence: 12, text: 400 } as const;
const Text = z.string().max(REPORT_MAX.text);

export const ReportedFinding = z.object({
  cause: Cause,
  severity: z.enum(SEVERITIES),
  title: Text,
  object: Text,
  evidence: z.array(Text).max(REPORT_MAX.evidence),
  remedy: Text,
  /** Causes that follow from this one. */
  consequences: z.array(Cause).max(REPORT_MAX.findings),
  /** It was repaired by itself, and proved. */
  repaired: z.boolean(),
});
export type ReportedFinding = z.infer<typeof ReportedFinding>;

export const DiagnosisReport = z.object({
  atMs: z.int(),
  /** How many checks were made, and the names of those that could not be. */
  checks: z.int().nonnegative(),
  unknown: z.array(Text).max(100),
  findings: z.array(ReportedFinding).max(REPORT_MAX.findings),
});
export type DiagnosisReport = z.infer<typeof DiagnosisReport>;
