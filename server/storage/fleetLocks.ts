/**
 * Who holds which slot of which group, durable: a lock that a restart of the server forgot would let
 * two machines go at once.
 *
 * A slot has no time limit, as in coreos/airlock: a machine that never comes back well is the reason
 * not to let the next one go. A person looks, and releases it.
 *
 * Errors: UPB-FLEETLOCK-GROUP, -CLOSED, -FULL, UPB-SERVER-NOT-FOUND.
 */
import type { z } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { LockGroup, LockGroupSettings } from "../../protocol/fleetLock.ts";
import type { Database } from "./database.ts";

export interface Holding {
  readonly group: string;
  readonly holder: string;
}

/** `isKnown`: the holder has proved that it is a machine of this server. */
export function takeSlot(
  db: Database,
  { group, holder }: Holding,
  isKnown: boolean,
  nowMs: number,
): Promise<void> {
  return db.transaction().execute(async (transaction) => {
    // Written first, so that two takers take turns in any database, not only in SQLite.
    await transaction
      .updateTable("fleet_lock_group")
      .set({ asked_ms: nowMs })
      .where("name", "=", group)
      .execute();
    const found = await transaction
      .selectFrom("fleet_lock_group")
      .selectAll()
      .where("name", "=", group)
      .executeTakeFirst();
    if (found === undefined) throw new UpbeatError("UPB-FLEETLOCK-GROUP", { object: group });
    if (found.open === 0 && !isKnown)
      throw new UpbeatError("UPB-FLEETLOCK-CLOSED", { object: holder, detail: `group ${group}` });
    const held = await holdersOf(transaction, group);
    if (held.some((one) => one.holder === holder)) return;
    if (held.length >= found.slots) {
      const [oldest] = held;
      const longest = oldest === undefined ? "" : `, the longest by ${oldest.holder}`;
      const detail = `${held.length} of ${found.slots} slots are held${longest}`;
      throw new UpbeatError("UPB-FLEETLOCK-FULL", { object: group, detail });
    }
    await transaction
      .insertInto("fleet_lock")
      .values({ group_name: group, holder, since_ms: nowMs })
      .execute();
  });
}

/** True when it held one. */
export async function releaseSlot(db: Database, { group, holder }: Holding): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom("fleet_lock")
    .where("group_name", "=", group)
    .where("holder", "=", holder)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Fewer slots than are held take nobody's away; the next one waits until they are free. */
export async function setLockGroup(
  db: Database,
  group: string,
  { slots, open }: z.infer<typeof LockGroupSettings>,
): Promise<LockGroup> {
  const values = { slots, open: open ? 1 : 0 };
  await db
    .insertInto("fleet_lock_group")
    .values({ name: group, asked_ms: null, ...values })
    .onConflict((conflict) => conflict.column("name").doUpdateSet(values))
    .execute();
  return lockGroup(db, group);
}

export async function lockGroup(db: Database, group: string): Promise<LockGroup> {
  const found = (await lockGroups(db)).find((one) => one.group === group);
  if (found !== undefined) return found;
  throw new UpbeatError("UPB-SERVER-NOT-FOUND", { object: `FleetLock group ${group}` });
}

export async function lockGroups(db: Database): Promise<LockGroup[]> {
  const groups = await db.selectFrom("fleet_lock_group").selectAll().orderBy("name").execute();
  return Promise.all(
    groups.map(async ({ name, slots, open }) => ({
      group: name,
      slots,
      open: open !== 0,
      holders: await holdersOf(db, name),
    })),
  );
}

async function holdersOf(db: Database, group: string): Promise<LockGroup["holders"]> {
  const rows = await db
    .selectFrom("fleet_lock")
    .selectAll()
    .where("group_name", "=", group)
    .orderBy("since_ms")
    .orderBy("holder")
    .execute();
  return rows.map(({ holder, since_ms }) => ({ holder, sinceMs: since_ms }));
}
