/** How many devices stood how, day by day in UTC: of today the newest count, of others the last. */
import type { ComplianceDay, DeviceCounts } from "../../protocol/admin/overview.ts";
import type { Database } from "./database.ts";
import { labelCounts } from "./labels.ts";

const DAY_MS = 86_400_000;

const NOBODY: DeviceCounts = {
  "up-to-date": 0,
  behind: 0,
  failing: 0,
  silent: 0,
  unknown: 0,
};

export async function deviceCounts(db: Database): Promise<DeviceCounts> {
  const counted = await labelCounts(db, "state:");
  return { ...NOBODY, ...Object.fromEntries(counted.map((it) => [it.value, it.devices])) };
}

export async function recordCompliance(db: Database, nowMs: number): Promise<void> {
  const day_ms = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const rows = Object.entries(await deviceCounts(db)).map(([state, devices]) => ({
    day_ms,
    state,
    devices,
  }));
  await db
    .insertInto("compliance_day")
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(["day_ms", "state"])
        .doUpdateSet((set) => ({ devices: set.ref("excluded.devices") })),
    )
    .execute();
}

/** Of the last so many days, oldest first; days on which the server did not run are missing. */
export async function complianceDays(
  db: Database,
  days: number,
  nowMs: number,
): Promise<ComplianceDay[]> {
  const rows = await db
    .selectFrom("compliance_day")
    .selectAll()
    .where("day_ms", ">", nowMs - days * DAY_MS)
    .orderBy("day_ms")
    .execute();
  const byDay = Map.groupBy(rows, (row) => Number(row.day_ms));
  return [...byDay].map(([dayMs, states]) => ({
    dayMs,
    counts: {
      ...NOBODY,
      ...Object.fromEntries(states.map((it) => [it.state, Number(it.devices)])),
    },
  }));
}
