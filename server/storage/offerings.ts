/** What each device has reported that decides about its offers. */
import { z } from "zod";
import type { DeviceNow } from "../../content/gather.ts";
import { deviceNowFrom } from "../../content/offerInputs.ts";
import { Facts, OfferInputs } from "../../protocol/deviceApi.ts";
import { DeviceId } from "../../protocol/ids.ts";
import { InstalledProduct } from "../../protocol/updateServiceApi.ts";
import type { Database } from "./database.ts";

export interface ReportedOffering {
  readonly deviceId: DeviceId;
  readonly name: string;
  /** Undefined: it has not reported yet what decides, or it is of a version that does not. */
  readonly now: DeviceNow | undefined;
  /** What its updates waited for then. */
  readonly waiting: OfferInputs["waiting"];
}

/** Undefined: there is no such device. */
export async function offeringOf(
  db: Database,
  deviceId: DeviceId,
): Promise<ReportedOffering | undefined> {
  const row = await select(db).where("device_id", "=", deviceId).executeTakeFirst();
  return row && readRow(row);
}

/** In the order of their ids, those after `after`. */
export async function offeringsFrom(
  db: Database,
  after: string,
  limit: number,
): Promise<ReportedOffering[]> {
  const rows = await select(db)
    .where("device_id", ">", after)
    .orderBy("device_id")
    .limit(limit)
    .execute();
  return rows.map(readRow);
}

const select = (db: Database) =>
  db.selectFrom("device").select(["device_id", "name", "facts", "products", "offering"]);

function readRow(row: {
  device_id: string;
  name: string;
  facts: string;
  products: string;
  offering: string | null;
}): ReportedOffering {
  const deviceId = DeviceId.parse(row.device_id);
  const products = z.array(InstalledProduct).parse(JSON.parse(row.products));
  const facts = Facts.parse(JSON.parse(row.facts));
  const inputs = row.offering === null ? undefined : OfferInputs.parse(JSON.parse(row.offering));
  return {
    deviceId,
    name: row.name,
    now: inputs && deviceNowFrom({ deviceId, products }, facts, inputs),
    waiting: inputs?.waiting,
  };
}
