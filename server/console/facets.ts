/** What devices can be filtered by, counted as their labels are. */
import type { FleetFacets } from "../../protocol/admin/fleet.ts";
import type { Database } from "../storage/database.ts";
import { labelCounts } from "../storage/labels.ts";

/** More choices than a person looks through; the rest is found by typing. */
const LISTED = 100;

export async function fleetFacets(db: Database): Promise<FleetFacets> {
  const of = (kind: string) => labelCounts(db, kind, LISTED);
  return {
    states: await of("state:"),
    channels: await of("channel:"),
    products: await of("product:"),
    versions: await of("version:"),
    tags: await of("tag:"),
    rings: await of("ring:"),
    errors: await of("error:"),
    causes: await of("cause:"),
  };
}
