/** What the troubleshooter found last, in the form in which the server may know it. */

import { type Known, redactor } from "../../core/redact.ts";
import type { DeviceConfig } from "../../protocol/deviceApi.ts";
import type { Diagnosis } from "../../protocol/troubleshooting/diagnosis.ts";
import { type DiagnosisReport, REPORT_MAX } from "../../protocol/troubleshooting/report.ts";
import { readKeptDiagnosis } from "../keptDiagnosis.ts";
import { knownNames } from "../knownNames.ts";
import type { DevicePaths } from "../paths.ts";

/** Undefined: it never ran here. */
export function diagnosisToTell(
  paths: DevicePaths,
  config: DeviceConfig,
): DiagnosisReport | undefined {
  const kept = readKeptDiagnosis(paths);
  return kept && reportOf(kept.diagnosis, knownNames(config));
}

function reportOf({ atMs, checks, findings }: Diagnosis, known: Known): DiagnosisReport {
  const { text } = redactor(known);
  const short = (line: string) => text(line).slice(0, REPORT_MAX.text);
  return {
    atMs,
    checks: checks.length,
    unknown: checks.filter(({ outcome }) => outcome === "unknown").map(({ title }) => title),
    findings: findings
      .filter(({ severity }) => severity !== "note")
      .slice(0, REPORT_MAX.findings)
      .map((finding) => ({
        cause: finding.cause,
        severity: finding.severity,
        title: finding.title,
        object: short(finding.object),
        evidence: finding.evidence.slice(0, REPORT_MAX.evidence).map(short),
        remedy: finding.remedy,
        consequences: [...new Set(finding.consequences.map(({ cause }) => cause))],
        repaired: finding.repair?.state === "repaired",
      })),
  };
}
