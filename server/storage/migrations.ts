/** The schema, step by step. A step that has been released never changes; the next one does. */
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

export const MIGRATIONS: Record<string, Migration> = {
  "0001-first": {
    async up(db: Kysely<unknown>) {
      const table = (name: string) => db.schema.createTable(name);
      await table("setting")
        .addColumn("name", "text", (column) => column.primaryKey())
        .addColumn("value", "text", (column) => column.notNull())
        .execute();
      await table("enrolment_token")
        .addColumn("secret_sha256", "text", (column) => column.primaryKey())
        .addColumn("created_ms", "bigint", (column) => column.notNull())
        .addColumn("expires_ms", "bigint", (column) => column.notNull())
        .addColumn("used_ms", "bigint")
        .execute();
      await table("device")
        .addColumn("device_id", "text", (column) => column.primaryKey())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("public_key", "text", (column) => column.notNull().unique())
        .addColumn("enrolled_ms", "bigint", (column) => column.notNull())
        .addColumn("last_seen_ms", "bigint")
        .addColumn("facts", "text", (column) => column.notNull())
        .addColumn("products", "text", (column) => column.notNull())
        .execute();
      await table("device_event")
        .addColumn("event_id", "text", (column) => column.notNull())
        .addColumn("device_id", "text", (column) => column.notNull().references("device.device_id"))
        .addColumn("at_ms", "bigint", (column) => column.notNull())
        .addColumn("received_ms", "bigint", (column) => column.notNull())
        .addColumn("event", "text", (column) => column.notNull())
        // An id counts once per device: no device can take another's away.
        .addPrimaryKeyConstraint("device_event_key", ["device_id", "event_id"])
        .execute();
      await db.schema
        .createIndex("device_event_by_device")
        .on("device_event")
        .columns(["device_id", "at_ms"])
        .execute();
      await table("published_update")
        .addColumn("manifest_sha256", "text", (column) => column.primaryKey())
        .addColumn("product", "text", (column) => column.notNull())
        .addColumn("version", "text", (column) => column.notNull())
        .addColumn("channel", "text", (column) => column.notNull())
        .addColumn("title", "text", (column) => column.notNull())
        .addColumn("classification", "text", (column) => column.notNull())
        .addColumn("published_at", "text", (column) => column.notNull())
        .addColumn("files", "integer", (column) => column.notNull())
        .addColumn("size_bytes", "bigint", (column) => column.notNull())
        .addColumn("retired", "integer", (column) => column.notNull())
        .execute();
    },
  },
  "0002-fleet-lock": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("fleet_lock_group")
        .addColumn("name", "text", (column) => column.primaryKey())
        .addColumn("slots", "integer", (column) => column.notNull())
        .addColumn("open", "integer", (column) => column.notNull())
        .addColumn("asked_ms", "bigint")
        .execute();
      await db.schema
        .createTable("fleet_lock")
        .addColumn("group_name", "text", (column) =>
          column.notNull().references("fleet_lock_group.name"),
        )
        .addColumn("holder", "text", (column) => column.notNull())
        .addColumn("since_ms", "bigint", (column) => column.notNull())
        .addPrimaryKeyConstraint("fleet_lock_key", ["group_name", "holder"])
        .execute();
    },
  },
  "0003-device-update": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("device_update")
        .addColumn("device_id", "text", (column) => column.notNull().references("device.device_id"))
        .addColumn("manifest_sha256", "text", (column) => column.notNull())
        .addColumn("product", "text", (column) => column.notNull())
        .addColumn("version", "text", (column) => column.notNull())
        .addColumn("offered_ms", "bigint")
        .addColumn("downloaded_ms", "bigint")
        .addColumn("installed_ms", "bigint")
        .addColumn("failed_ms", "bigint")
        .addColumn("rolled_back_ms", "bigint")
        .addColumn("state", "text", (column) => column.notNull())
        .addColumn("state_ms", "bigint", (column) => column.notNull())
        .addColumn("error_code", "text")
        .addPrimaryKeyConstraint("device_update_key", ["device_id", "manifest_sha256"])
        .execute();
      await db.schema
        .createIndex("device_update_by_update")
        .on("device_update")
        .columns(["product", "version"])
        .execute();
    },
  },
  "0004-unneeded-file": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("unneeded_file")
        .addColumn("path", "text", (column) => column.primaryKey())
        .addColumn("since_ms", "bigint", (column) => column.notNull())
        .execute();
    },
  },
  "0005-device-offering": {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable("device").addColumn("offering", "text").execute();
    },
  },
  "0006-diagnosis": {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable("device").addColumn("diagnosis", "text").execute();
      await db.schema
        .createTable("device_cause")
        .addColumn("device_id", "text", (column) => column.notNull().references("device.device_id"))
        .addColumn("cause", "text", (column) => column.notNull())
        .addColumn("severity", "text", (column) => column.notNull())
        .addColumn("title", "text", (column) => column.notNull())
        .addColumn("at_ms", "bigint", (column) => column.notNull())
        .addPrimaryKeyConstraint("device_cause_key", ["device_id", "cause"])
        .execute();
      await db.schema
        .createIndex("device_cause_by_cause")
        .on("device_cause")
        .columns(["cause", "at_ms"])
        .execute();
    },
  },
  "0007-labels": {
    async up(db: Kysely<unknown>) {
      const add = (name: string, type: "text" | "bigint", initial: string | null) =>
        db.schema
          .alterTable("device")
          .addColumn(name, type, (column) =>
            initial === null ? column : column.notNull().defaultTo(initial),
          )
          .execute();
      await add("check_error", "text", null);
      await add("check_ms", "bigint", null);
      await add("state", "text", "unknown");
      await add("error_code", "text", null);
      await add("name_key", "text", "");
      await add("labels", "text", "[]");
      await db.schema
        .createTable("device_label")
        .addColumn("label", "text", (column) => column.notNull())
        .addColumn("name_key", "text", (column) => column.notNull())
        .addColumn("device_id", "text", (column) => column.notNull())
        .addColumn("seen_ms", "bigint", (column) => column.notNull())
        .addPrimaryKeyConstraint("device_label_key", ["label", "name_key", "device_id"])
        // Millions of rows: the key is the row, not a second tree beside it.
        .modifyEnd(sql`without rowid`)
        .execute();
      await db.schema
        .createIndex("device_label_by_seen")
        .on("device_label")
        .columns(["label", "seen_ms", "device_id", "name_key"])
        .execute();
      await db.schema
        .createTable("label_count")
        .addColumn("label", "text", (column) => column.primaryKey())
        .addColumn("devices", "bigint", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("compliance_day")
        .addColumn("day_ms", "bigint", (column) => column.notNull())
        .addColumn("state", "text", (column) => column.notNull())
        .addColumn("devices", "bigint", (column) => column.notNull())
        .addPrimaryKeyConstraint("compliance_day_key", ["day_ms", "state"])
        .execute();
    },
  },
  "0008-update-hour": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("update_hour")
        .addColumn("manifest_sha256", "text", (column) => column.notNull())
        .addColumn("step", "text", (column) => column.notNull())
        .addColumn("hour_ms", "bigint", (column) => column.notNull())
        .addColumn("devices", "bigint", (column) => column.notNull())
        .addPrimaryKeyConstraint("update_hour_key", ["manifest_sha256", "step", "hour_ms"])
        .execute();
      await db.schema
        .createIndex("device_update_with_error")
        .on("device_update")
        .columns(["manifest_sha256", "error_code"])
        .where(sql.ref("error_code"), "is not", null)
        .execute();
      // Whoever did anything with an update was offered it.
      await sql`
        UPDATE device_update SET offered_ms =
          coalesce(offered_ms, downloaded_ms, installed_ms, failed_ms, rolled_back_ms, state_ms)
        WHERE offered_ms IS NULL`.execute(db);
      for (const step of ["offered", "downloaded", "installed", "failed", "rolled_back"].map(
        (name) => `${name}_ms`,
      )) {
        const at = sql.ref(step);
        await sql`
          INSERT INTO update_hour (manifest_sha256, step, hour_ms, devices)
          SELECT manifest_sha256, ${step}, ${at} / 3600000 * 3600000, count(*)
          FROM device_update WHERE ${at} IS NOT NULL
          GROUP BY manifest_sha256, ${at} / 3600000 * 3600000`.execute(db);
      }
    },
  },
};
