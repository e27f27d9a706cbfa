/**
 * The labels of devices (`fleet/describe.ts`), with how many devices each has. Written in the
 * transaction of what changed them, and only where they differ, so that the counts are always those
 * of the rows.
 */
import { sql } from "kysely";
import type { Database } from "./database.ts";

interface Labelled {
  readonly deviceId: string;
  /** The name as it is found and sorted by. */
  readonly nameKey: string;
  readonly labels: readonly string[];
}

/** Counted and never listed: no row of its own. */
const COUNTED_ONLY = "has:";
const isListed = (label: string): boolean => !label.startsWith(COUNTED_ONLY);

/** `before`: what was written last. */
export async function writeLabels(
  transaction: Database,
  before: Labelled,
  now: Labelled & { readonly seenMs: number },
): Promise<void> {
  const { deviceId, nameKey, seenMs } = now;
  const isRenamed = before.nameKey !== nameKey;
  const had = new Set(before.labels);
  const has = new Set(now.labels);
  const gone = before.labels.filter((label) => !has.has(label));
  const added = now.labels.filter((label) => !had.has(label));
  const removed = (isRenamed ? before.labels : gone).filter(isListed);
  if (removed.length > 0)
    await transaction
      .deleteFrom("device_label")
      .where("label", "in", removed)
      .where("name_key", "=", before.nameKey)
      .where("device_id", "=", deviceId)
      .execute();
  const kept = isRenamed ? [] : now.labels.filter((label) => had.has(label) && isListed(label));
  if (kept.length > 0)
    await transaction
      .updateTable("device_label")
      .set({ seen_ms: seenMs })
      .where("label", "in", kept)
      .where("name_key", "=", nameKey)
      .where("device_id", "=", deviceId)
      .execute();
  const rows = (isRenamed ? now.labels : added)
    .filter(isListed)
    .map((label) => ({ label, name_key: nameKey, device_id: deviceId, seen_ms: seenMs }));
  if (rows.length > 0) await transaction.insertInto("device_label").values(rows).execute();
  await count(transaction, added, 1);
  await count(transaction, gone, -1);
  // A device may make up words all the time; those that nobody has are forgotten.
  if (gone.length > 0)
    await transaction
      .deleteFrom("label_count")
      .where("label", "in", gone)
      .where("devices", "<=", 0)
      .execute();
}

async function count(
  transaction: Database,
  labels: readonly string[],
  change: 1 | -1,
): Promise<void> {
  if (labels.length === 0) return;
  await transaction
    .insertInto("label_count")
    .values(labels.map((label) => ({ label, devices: change })))
    .onConflict((conflict) =>
      conflict.column("label").doUpdateSet({ devices: sql`label_count.devices + ${change}` }),
    )
    .execute();
}

export interface LabelCount {
  /** Without its kind. */
  readonly value: string;
  readonly devices: number;
}

/** Of one kind, e.g. `tag:`; most devices first. */
export async function labelCounts(
  db: Database,
  kind: string,
  limit = 100_000,
): Promise<LabelCount[]> {
  const rows = await db
    .selectFrom("label_count")
    .selectAll()
    .where("label", ">=", kind)
    .where("label", "<", `${kind}\u{10ffff}`)
    .where("devices", ">", 0)
    .orderBy("devices", "desc")
    .orderBy("label")
    .limit(limit)
    .execute();
  return rows.map(({ label, devices }) => ({
    value: label.slice(kind.length),
    devices: Number(devices),
  }));
}

export async function devicesWith(db: Database, label: string): Promise<number> {
  const row = await db
    .selectFrom("label_count")
    .select("devices")
    .where("label", "=", label)
    .executeTakeFirst();
  return Number(row?.devices ?? 0);
}
