/** Devices as the list and the page of one show them. */
import type { Selectable } from "kysely";
import { z } from "zod";
import { DEVICE_STATES, type FleetDevice } from "../../protocol/admin/fleet.ts";
import { Facts } from "../../protocol/deviceApi.ts";
import { catalogueRow } from "../../protocol/errors/catalogue.ts";
import { DeviceId } from "../../protocol/ids.ts";
import { InstalledProduct } from "../../protocol/updateServiceApi.ts";
import type { Database, Tables } from "./database.ts";

/** In that order; one that has gone meanwhile is left out. */
export async function fleetDevices(db: Database, ids: readonly string[]): Promise<FleetDevice[]> {
  if (ids.length === 0) return [];
  const rows = await db.selectFrom("device").selectAll().where("device_id", "in", ids).execute();
  const byId = new Map(rows.map((row) => [row.device_id, row]));
  return ids.flatMap((id) => {
    const row = byId.get(id);
    return row === undefined ? [] : [fleetDevice(row)];
  });
}

export function fleetDevice(row: Selectable<Tables["device"]>): FleetDevice {
  const facts = Facts.parse(JSON.parse(row.facts));
  const labels = z.array(z.string()).parse(JSON.parse(row.labels));
  const title = facts["os.title"];
  return {
    deviceId: DeviceId.parse(row.device_id),
    name: row.name,
    state: z.enum(DEVICE_STATES).parse(row.state),
    enrolledMs: Number(row.enrolled_ms),
    ...(row.last_seen_ms === null ? {} : { lastSeenMs: Number(row.last_seen_ms) }),
    products: z.array(InstalledProduct).parse(JSON.parse(row.products)),
    tags: labels.flatMap((label) => (label.startsWith("tag:") ? [label.slice(4)] : [])),
    ...(typeof title === "string" ? { system: title } : {}),
    ...(row.error_code === null ? {} : { error: namedError(row.error_code) }),
  };
}

/** A device of a later version may know codes that this server does not. */
export const namedError = (code: string): { code: string; title: string } => ({
  code,
  title: catalogueRow(code)?.text ?? code,
});
