/**
 * The part of a support bundle that the rules are applied to: what each check saw. It is judged by the
 * same code as on the machine itself, which is why seeing and judging are apart.
 *
 * Errors: UPB-BUNDLE-UNREADABLE.
 */
import { z } from "zod";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import type { Diagnosis } from "../../../protocol/troubleshooting/diagnosis.ts";
import { judge } from "../diagnose.ts";
import { Looked } from "../lines.ts";
import { readMember } from "./archive.ts";

export const EVIDENCE = "evidence.json";

export const Evidence = z.object({ format: z.literal(1), looked: Looked });
export type Evidence = z.infer<typeof Evidence>;

const MAX_BYTES = 16 * 1024 * 1024;
/** Who made it may have meant to flood whoever reads it. */
const MAX = { findings: 100, consequences: 50, lines: 30, text: 1_000 } as const;

/** Needs nothing of this machine, and changes nothing. */
export async function judgeBundle(file: string): Promise<Diagnosis> {
  const text = await readMember(file, EVIDENCE, MAX_BYTES);
  const { looked } = parse(file, text);
  return bounded(judge(looked));
}

function parse(file: string, text: string): Evidence {
  try {
    return Evidence.parse(JSON.parse(text));
  } catch (cause) {
    const detail = `${EVIDENCE} is not what this version of Upbeat writes`;
    throw new UpbeatError("UPB-BUNDLE-UNREADABLE", { object: file, detail, cause });
  }
}

function bounded(diagnosis: Diagnosis): Diagnosis {
  const short = (text: string) => text.slice(0, MAX.text);
  const findings = diagnosis.findings.slice(0, MAX.findings).map((finding) => ({
    ...finding,
    object: short(finding.object),
    evidence: finding.evidence.slice(0, MAX.lines).map(short),
    consequences: finding.consequences.slice(0, MAX.consequences).map((one) => ({
      ...one,
      object: short(one.object),
      evidence: one.evidence.slice(0, MAX.lines).map(short),
    })),
  }));
  const checks = diagnosis.checks.map((check) =>
    check.because === undefined ? check : { ...check, because: short(check.because) },
  );
  const tookMs = Math.max(0, ...checks.map((check) => check.tookMs));
  return { ...diagnosis, checks, findings, tookMs };
}
