/**
 * How far each update has come on each device, from the events that they report: one row a device
 * and update, so that counting a rollout's devices reads no events.
 *
 * A step counts from when it first happened; `state` is the newest by the device's own clock, so
 * that reports may arrive late and in any order.
 */
import { type ExpressionBuilder, sql } from "kysely";
import type { RolloutCounts } from "../../protocol/adminApi.ts";
import type { DeviceEvent } from "../../protocol/deviceApi.ts";
import type { DeviceId } from "../../protocol/ids.ts";
import type { UpdateState } from "../../protocol/updateServiceApi.ts";
import type { Database, Tables } from "./database.ts";

const HOUR_MS = 3_600_000;

type Step = "offered_ms" | "downloaded_ms" | "installed_ms" | "failed_ms" | "rolled_back_ms";

/** Which step a state shows; the others are on the way to one. */
const STEPS: Partial<Record<UpdateState, Step>> = {
  offered: "offered_ms",
  downloaded: "downloaded_ms",
  installed: "installed_ms",
  failed: "failed_ms",
  "rolled-back": "rolled_back_ms",
};

/** Inside the transaction that keeps the event: it counts once, however often it arrives. */
export async function recordProgress(
  transaction: Database,
  deviceId: DeviceId,
  event: DeviceEvent,
): Promise<void> {
  if (event.kind !== "update-state") return;
  const { manifestSha256, state, atMs } = event;
  // Only what was published here counts, under the name that was signed: what a device says is not
  // believed further than that, and the table stays bounded.
  const published = await transaction
    .selectFrom("published_update")
    .select(["product", "version"])
    .where("manifest_sha256", "=", manifestSha256)
    .executeTakeFirst();
  if (published === undefined) return;
  const before = await transaction
    .selectFrom("device_update")
    .selectAll()
    .where("device_id", "=", deviceId)
    .where("manifest_sha256", "=", manifestSha256)
    .executeTakeFirst();
  const step = STEPS[state];
  const isNewer = before === undefined || atMs >= before.state_ms;
  const row: Tables["device_update"] = {
    ...(before ?? NOTHING),
    device_id: deviceId,
    manifest_sha256: manifestSha256,
    ...published,
    // Whoever does anything with an update was offered it, also when that report is lost.
    offered_ms: Math.min(before?.offered_ms ?? atMs, atMs),
    ...(step === undefined ? {} : { [step]: Math.min(before?.[step] ?? atMs, atMs) }),
    ...(isNewer ? { state, state_ms: atMs, error_code: event.error?.code ?? null } : {}),
  };
  for (const one of Object.values(STEPS))
    await countHour(transaction, manifestSha256, one, before?.[one], row[one]);
  const { device_id: _, manifest_sha256: __, ...values } = row;
  await transaction
    .insertInto("device_update")
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(["device_id", "manifest_sha256"]).doUpdateSet(values),
    )
    .execute();
}

/** An earlier report that arrives late moves the device to its earlier hour. */
async function countHour(
  transaction: Database,
  manifest_sha256: string,
  step: Step,
  beforeMs: number | null | undefined,
  nowMs: number | null,
): Promise<void> {
  const add = async (atMs: number, change: 1 | -1): Promise<void> => {
    const hour_ms = Math.floor(atMs / HOUR_MS) * HOUR_MS;
    await transaction
      .insertInto("update_hour")
      .values({ manifest_sha256, step, hour_ms, devices: change })
      .onConflict((conflict) =>
        conflict
          .columns(["manifest_sha256", "step", "hour_ms"])
          .doUpdateSet({ devices: sql`update_hour.devices + ${change}` }),
      )
      .execute();
  };
  if (nowMs === null || nowMs === beforeMs) return;
  if (beforeMs !== undefined && beforeMs !== null) await add(beforeMs, -1);
  await add(nowMs, 1);
}

const NOTHING = {
  offered_ms: null,
  downloaded_ms: null,
  installed_ms: null,
  failed_ms: null,
  rolled_back_ms: null,
  state: "",
  state_ms: 0,
  error_code: null,
};

/** Devices by how far they have come with one update; a device that tried twice counts once. */
export async function countProgress(
  db: Database,
  channel: string,
  update: { readonly product: string; readonly version: string },
): Promise<RolloutCounts> {
  const hours = await progressHours(db, channel, update);
  const total = (step: Step) =>
    hours.reduce((sum, hour) => sum + (hour.step === step ? hour.devices : 0), 0);
  const errors = await db
    .selectFrom("device_update")
    .select(({ fn }) => ["error_code", fn.countAll<number>().as("devices")])
    .where("manifest_sha256", "in", (select) => manifestsOf(select, channel, update))
    .where("error_code", "is not", null)
    .groupBy("error_code")
    .orderBy("devices", "desc")
    .limit(20)
    .execute();
  return {
    offered: total("offered_ms"),
    downloaded: total("downloaded_ms"),
    installed: total("installed_ms"),
    failed: total("failed_ms"),
    rolledBack: total("rolled_back_ms"),
    errors: errors.map(({ error_code, devices }) => ({
      code: error_code ?? "",
      devices: Number(devices),
    })),
  };
}

export interface ProgressHour {
  readonly step: string;
  readonly hourMs: number;
  /** That took the step for the first time within this hour. */
  readonly devices: number;
}

/** In time order. */
export async function progressHours(
  db: Database,
  channel: string,
  update: { readonly product: string; readonly version: string },
): Promise<ProgressHour[]> {
  const rows = await db
    .selectFrom("update_hour")
    .selectAll()
    .where("manifest_sha256", "in", (select) => manifestsOf(select, channel, update))
    .where("devices", ">", 0)
    .orderBy("hour_ms")
    .execute();
  return rows.map(({ step, hour_ms, devices }) => ({
    step,
    hourMs: Number(hour_ms),
    devices: Number(devices),
  }));
}

/** Another channel may have another update under the same name. */
const manifestsOf = (
  select: ExpressionBuilder<Tables, keyof Tables>,
  channel: string,
  { product, version }: { readonly product: string; readonly version: string },
) =>
  select
    .selectFrom("published_update as published")
    .select("published.manifest_sha256")
    .where("published.product", "=", product)
    .where("published.version", "=", version)
    .where("published.channel", "=", channel);

/** Devices that stand with an error of each update, by manifest. */
export async function countFailing(db: Database): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom("device_update")
    .select(({ fn }) => ["manifest_sha256", fn.countAll<number>().as("devices")])
    .where("error_code", "is not", null)
    .groupBy("manifest_sha256")
    .execute();
  return new Map(rows.map((row) => [row.manifest_sha256, Number(row.devices)]));
}
