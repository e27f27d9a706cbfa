/** What the troubleshooters of devices found last, where their owners let them tell. */
import type { FleetCause } from "../../protocol/adminApi.ts";
import { DeviceId } from "../../protocol/ids.ts";
import { SEVERITIES } from "../../protocol/troubleshooting/causes.ts";
import { DiagnosisReport, type ReportedFinding } from "../../protocol/troubleshooting/report.ts";
import type { Database } from "./database.ts";

/** More kinds of trouble at once than anybody looks at. */
const LISTED_CAUSES = 200;

/** The latest one only; null: what was told before goes, with everything counted from it. */
export async function storeDiagnosis(
  db: Database,
  deviceId: DeviceId,
  diagnosis: DiagnosisReport | null,
): Promise<void> {
  await db
    .updateTable("device")
    .set({ diagnosis: diagnosis === null ? null : JSON.stringify(diagnosis) })
    .where("device_id", "=", deviceId)
    .execute();
  await db.deleteFrom("device_cause").where("device_id", "=", deviceId).execute();
  const open = (diagnosis?.findings ?? []).filter(({ repaired }) => !repaired);
  const rows = onePerCause(open).map(({ cause, severity, title }) => ({
    device_id: deviceId,
    cause,
    severity,
    title,
    at_ms: diagnosis?.atMs ?? 0,
  }));
  if (rows.length > 0) await db.insertInto("device_cause").values(rows).execute();
}

/** Two folders with wrong permissions are one machine with that cause. */
const onePerCause = (findings: readonly ReportedFinding[]): ReportedFinding[] => [
  ...new Map(findings.map((finding) => [finding.cause, finding])).values(),
];

/** Undefined also when another version of the server kept it in another shape. */
export function diagnosisOf(row: { diagnosis: string | null }): DiagnosisReport | undefined {
  if (row.diagnosis === null) return undefined;
  return DiagnosisReport.safeParse(JSON.parse(row.diagnosis)).data;
}

/** Most devices first. */
export async function countCauses(db: Database): Promise<FleetCause[]> {
  const counted = await db
    .selectFrom("device_cause")
    .select((select) => ["cause", select.fn.countAll<number>().as("devices")])
    .groupBy("cause")
    .orderBy("devices", "desc")
    .orderBy("cause")
    .limit(LISTED_CAUSES)
    .execute();
  return await Promise.all(
    counted.map(async ({ cause, devices }) => {
      const newest = await db
        .selectFrom("device_cause")
        .innerJoin("device", "device.device_id", "device_cause.device_id")
        .select(["device.device_id", "device.name", "severity", "title", "at_ms"])
        .where("cause", "=", cause)
        .orderBy("at_ms", "desc")
        .orderBy("device.device_id")
        .limit(1)
        .executeTakeFirstOrThrow();
      const { title, at_ms: atMs, name } = newest;
      const severity = SEVERITIES.find((it) => it === newest.severity) ?? "problem";
      const deviceId = DeviceId.parse(newest.device_id);
      return { cause, severity, title, devices: Number(devices), newest: { deviceId, name, atMs } };
    }),
  );
}
