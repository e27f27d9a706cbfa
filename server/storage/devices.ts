/** What the server knows about devices: who may enrol, who has, and what they reported. */
import { createHash, randomBytes } from "node:crypto";
import { sql } from "kysely";
import { z } from "zod";
import type { DeviceDetail, DeviceSummary, InstalledVersions } from "../../protocol/adminApi.ts";
import {
  DeviceEvent,
  type EnrolRequest,
  Facts,
  type ReportBatch,
} from "../../protocol/deviceApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { DeviceId, type Product, Version } from "../../protocol/ids.ts";
import { InstalledProduct } from "../../protocol/updateServiceApi.ts";
import type { Database } from "./database.ts";
import { diagnosisOf, storeDiagnosis } from "./diagnoses.ts";
import { recordProgress } from "./progress.ts";

const TOKEN_LIFE_MS = 7 * 24 * 60 * 60 * 1000;
const LISTED_EVENTS = 200;
/** For the last thing that happened: a machine decides often, and decisions change nothing. */
const LOOKED_AT = 10;
/** A device checks about once a day: years of events. The rest is dropped, oldest first. */
const KEPT_EVENTS = 10_000;
const MAX_OPEN_TOKENS = 1_000;

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The secret half of an enrolment token; only its digest is kept. Errors: UPB-SERVER-TOO-MANY. */
export async function newEnrolmentSecret(db: Database, nowMs: number): Promise<string> {
  await db.deleteFrom("enrolment_token").where("expires_ms", "<", nowMs).execute();
  const { open } = await db
    .selectFrom("enrolment_token")
    .select((select) => select.fn.countAll<number>().as("open"))
    .where("used_ms", "is", null)
    .executeTakeFirstOrThrow();
  if (Number(open) >= MAX_OPEN_TOKENS) {
    const detail = `${MAX_OPEN_TOKENS} were made and not used`;
    throw new UpbeatError("UPB-SERVER-TOO-MANY", { object: "enrolment tokens", detail });
  }
  const secret = randomBytes(24).toString("base64url");
  await db
    .insertInto("enrolment_token")
    .values({
      secret_sha256: digest(secret),
      created_ms: nowMs,
      expires_ms: nowMs + TOKEN_LIFE_MS,
      used_ms: null,
    })
    .execute();
  return secret;
}

/** What else is written in the transaction that wrote something about a device. */
export type AlsoWrite = (transaction: Database, deviceId: DeviceId) => Promise<void>;

/**
 * Uses the token up and makes the device, both or neither. The same key with the same token gets the
 * same answer again, because the first answer may have been lost on the way.
 * Errors: UPB-SERVER-ENROLMENT-TOKEN.
 */
export async function enrolDevice(
  db: Database,
  request: EnrolRequest,
  nowMs: number,
  also: AlsoWrite,
): Promise<DeviceId> {
  const deviceId = DeviceId.parse(`dev-${digest(request.publicKey).slice(0, 32)}`);
  const secret = digest(request.token);
  return db.transaction().execute(async (transaction) => {
    const token = await transaction
      .selectFrom("enrolment_token")
      .selectAll()
      .where("secret_sha256", "=", secret)
      .executeTakeFirst();
    const known = await transaction
      .selectFrom("device")
      .select("device_id")
      .where("device_id", "=", deviceId)
      .executeTakeFirst();
    if (token !== undefined && token.used_ms !== null && known !== undefined) return deviceId;
    if (token === undefined || token.used_ms !== null || token.expires_ms < nowMs) {
      const detail =
        token === undefined
          ? "it is not known"
          : token.used_ms !== null
            ? "it was used"
            : "it has expired";
      throw new UpbeatError("UPB-SERVER-ENROLMENT-TOKEN", { object: request.name, detail });
    }
    await transaction
      .updateTable("enrolment_token")
      .set({ used_ms: nowMs })
      .where("secret_sha256", "=", secret)
      .execute();
    await transaction
      .insertInto("device")
      .values({
        device_id: deviceId,
        name: request.name,
        public_key: request.publicKey,
        enrolled_ms: nowMs,
        last_seen_ms: null,
        facts: "{}",
        products: "[]",
        offering: null,
        diagnosis: null,
        check_error: null,
        check_ms: null,
        error_code: null,
      })
      .onConflict((conflict) => conflict.column("device_id").doUpdateSet({ name: request.name }))
      .execute();
    await also(transaction, deviceId);
    return deviceId;
  });
}

/** Raw Ed25519 in base64url. */
export async function publicKeyOf(db: Database, deviceId: DeviceId): Promise<string | undefined> {
  const row = await db
    .selectFrom("device")
    .select("public_key")
    .where("device_id", "=", deviceId)
    .executeTakeFirst();
  return row?.public_key;
}

/** An event that came before counts once; the receipt names it all the same. */
export async function storeReport(
  db: Database,
  deviceId: DeviceId,
  batch: ReportBatch,
  nowMs: number,
  also: AlsoWrite,
): Promise<string[]> {
  await db.transaction().execute(async (transaction) => {
    const { facts, products, offering } = batch.inventory ?? {};
    const inventory = batch.inventory && {
      facts: JSON.stringify(facts),
      products: JSON.stringify(products),
      offering: offering === undefined ? null : JSON.stringify(offering),
    };
    await transaction
      .updateTable("device")
      .set({ last_seen_ms: nowMs, ...inventory })
      .where("device_id", "=", deviceId)
      .execute();
    for (const event of batch.events) {
      const { numInsertedOrUpdatedRows: isNew } = await transaction
        .insertInto("device_event")
        .values({
          event_id: event.id,
          device_id: deviceId,
          at_ms: event.atMs,
          received_ms: nowMs,
          event: JSON.stringify(event),
        })
        .onConflict((conflict) => conflict.columns(["device_id", "event_id"]).doNothing())
        .executeTakeFirst();
      if (isNew) await recordProgress(transaction, deviceId, event);
      if (isNew) await recordCheck(transaction, deviceId, event);
    }
    await dropOldEvents(transaction, deviceId);
    if (batch.diagnosis !== undefined) await storeDiagnosis(transaction, deviceId, batch.diagnosis);
    await also(transaction, deviceId);
  });
  return batch.events.map((event) => event.id);
}

/** Reports may arrive in any order: the newest check by the device's own clock counts. */
async function recordCheck(db: Database, deviceId: DeviceId, event: DeviceEvent): Promise<void> {
  if (event.kind !== "check") return;
  await db
    .updateTable("device")
    .set({ check_error: event.error?.code ?? null, check_ms: event.atMs })
    .where("device_id", "=", deviceId)
    .where((where) =>
      where.or([where("check_ms", "is", null), where("check_ms", "<=", event.atMs)]),
    )
    .execute();
}

async function dropOldEvents(db: Database, deviceId: DeviceId): Promise<void> {
  const newestDropped = await db
    .selectFrom("device_event")
    .select("at_ms")
    .where("device_id", "=", deviceId)
    .orderBy("at_ms", "desc")
    .offset(KEPT_EVENTS)
    .limit(1)
    .executeTakeFirst();
  if (newestDropped === undefined) return;
  await db
    .deleteFrom("device_event")
    .where("device_id", "=", deviceId)
    .where("at_ms", "<=", newestDropped.at_ms)
    .execute();
}

export async function countDevices(db: Database): Promise<number> {
  const { count } = await db
    .selectFrom("device")
    .select((select) => select.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function listDevices(db: Database): Promise<DeviceSummary[]> {
  const rows = await db
    .selectFrom("device")
    .selectAll()
    .orderBy("name")
    .orderBy("device_id")
    .limit(10_000)
    .execute();
  return Promise.all(
    rows.map(async (row) => summaryOf(row, await eventsOf(db, row.device_id, LOOKED_AT))),
  );
}

/** Most first. */
export async function countInstalled(
  db: Database,
  product: Product,
): Promise<InstalledVersions["versions"]> {
  const { rows } = await sql<{ version: string; devices: number }>`
    SELECT json_extract(one.value, '$.current') AS version, count(*) AS devices
    FROM device, json_each(device.products) AS one
    WHERE json_extract(one.value, '$.product') = ${product} AND version IS NOT NULL
    GROUP BY version ORDER BY devices DESC, version`.execute(db);
  return rows.map(({ version, devices }) => ({
    version: Version.parse(version),
    devices: Number(devices),
  }));
}

/** Undefined: there is no such device. */
export async function deviceDetail(
  db: Database,
  deviceId: DeviceId,
): Promise<DeviceDetail | undefined> {
  const row = await db
    .selectFrom("device")
    .selectAll()
    .where("device_id", "=", deviceId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const events = await eventsOf(db, row.device_id, LISTED_EVENTS);
  const diagnosis = diagnosisOf(row);
  return {
    ...summaryOf(row, events),
    facts: Facts.parse(JSON.parse(row.facts)),
    events,
    ...(diagnosis === undefined ? {} : { diagnosis }),
  };
}

async function eventsOf(db: Database, deviceId: string, limit: number): Promise<DeviceEvent[]> {
  const rows = await db
    .selectFrom("device_event")
    .select("event")
    .where("device_id", "=", deviceId)
    .orderBy("at_ms", "desc")
    .orderBy("event_id")
    .limit(limit)
    .execute();
  return rows.map((row) => DeviceEvent.parse(JSON.parse(row.event)));
}

function summaryOf(
  row: {
    device_id: string;
    name: string;
    enrolled_ms: number;
    last_seen_ms: number | null;
    products: string;
  },
  events: readonly DeviceEvent[],
): DeviceSummary {
  const lastEvent = events.find(({ kind }) => kind !== "decision");
  return {
    deviceId: DeviceId.parse(row.device_id),
    name: row.name,
    enrolledMs: row.enrolled_ms,
    products: z.array(InstalledProduct).parse(JSON.parse(row.products)),
    ...(row.last_seen_ms === null ? {} : { lastSeenMs: row.last_seen_ms }),
    ...(lastEvent === undefined ? {} : { lastEvent }),
  };
}
