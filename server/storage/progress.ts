/**
 * How far each update has come on each device, from the events that they report: one row a device
 * and update, so that counting a rollout's devices reads no events.
 *
 * A step counts from when it first happened; `state` is the newest by the device's own clock, so
 * that reports may arrive late and in any order.
 */
import type { RolloutCounts } from "../../protocol/adminApi.ts";
import type { DeviceEvent } from "../../protocol/deviceApi.ts";
import type { DeviceId } from "../../protocol/ids.ts";
import type { UpdateState } from "../../protocol/updateServiceApi.ts";
import type { Database, Tables } from "./database.ts";

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
    ...(step === undefined ? {} : { [step]: Math.min(before?.[step] ?? atMs, atMs) }),
    ...(isNewer ? { state, state_ms: atMs, error_code: event.error?.code ?? null } : {}),
  };
  const { device_id: _, manifest_sha256: __, ...values } = row;
  await transaction
    .insertInto("device_update")
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(["device_id", "manifest_sha256"]).doUpdateSet(values),
    )
    .execute();
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
  { product, version }: { readonly product: string; readonly version: string },
): Promise<RolloutCounts> {
  const ofUpdate = db
    .selectFrom("device_update")
    .where("product", "=", product)
    .where("version", "=", version)
    // Another channel may have another update under the same name.
    .where("manifest_sha256", "in", (select) =>
      select
        .selectFrom("published_update")
        .select("published_update.manifest_sha256")
        .where("channel", "=", channel),
    );
  const counts = await ofUpdate
    .select(({ fn }) => [
      fn.countAll<number>().as("devices"),
      fn.count<number>("downloaded_ms").as("downloaded"),
      fn.count<number>("installed_ms").as("installed"),
      fn.count<number>("failed_ms").as("failed"),
      fn.count<number>("rolled_back_ms").as("rolledBack"),
    ])
    .executeTakeFirstOrThrow();
  const errors = await ofUpdate
    .select(({ fn }) => ["error_code", fn.countAll<number>().as("devices")])
    .where("error_code", "is not", null)
    .groupBy("error_code")
    .orderBy("devices", "desc")
    .limit(20)
    .execute();
  return {
    // Whoever does anything with an update was offered it, also when that report was lost.
    offered: Number(counts.devices),
    downloaded: Number(counts.downloaded),
    installed: Number(counts.installed),
    failed: Number(counts.failed),
    rolledBack: Number(counts.rolledBack),
    errors: errors.map(({ error_code, devices }) => ({
      code: error_code ?? "",
      devices: Number(devices),
    })),
  };
}
