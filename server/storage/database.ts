/**
 * The server's database: Kysely on Node's own SQLite, so that PostgreSQL can take its place with the
 * same queries. WAL and synchronous=FULL: what was acknowledged survives a power cut.
 */
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { type Generated, Kysely, type SqliteDatabase, SqliteDialect } from "kysely";
import { Migrator } from "kysely/migration";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { MIGRATIONS } from "./migrations.ts";

/** Booleans are 0 and 1, JSON is text, times are milliseconds since 1970: what both engines have. */
export interface Tables {
  setting: { name: string; value: string };
  enrolment_token: {
    secret_sha256: string;
    created_ms: number;
    expires_ms: number;
    used_ms: number | null;
  };
  device: {
    device_id: string;
    name: string;
    public_key: string;
    enrolled_ms: number;
    last_seen_ms: number | null;
    facts: string;
    products: string;
    /** Null: it has not reported what decides about its offers. */
    offering: string | null;
    /** `DiagnosisReport`. Null: it tells none. */
    diagnosis: string | null;
    /** Of the last check, when it failed, and when that was: newer ones count. */
    check_error: string | null;
    check_ms: number | null;
    /** How it stands, with which error, and its labels (`fleet/describe.ts`). */
    state: Generated<string>;
    error_code: string | null;
    /** The name as its labels were written with. */
    name_key: Generated<string>;
    labels: Generated<string>;
  };
  /** The roots of that diagnosis that are open, for counting. */
  device_cause: {
    device_id: string;
    cause: string;
    severity: string;
    title: string;
    at_ms: number;
  };
  device_event: {
    event_id: string;
    device_id: string;
    at_ms: number;
    received_ms: number;
    event: string;
  };
  published_update: {
    manifest_sha256: string;
    product: string;
    version: string;
    channel: string;
    title: string;
    classification: string;
    published_at: string;
    files: number;
    size_bytes: number;
    retired: number;
  };
  unneeded_file: { path: string; since_ms: number };
  device_update: {
    device_id: string;
    manifest_sha256: string;
    product: string;
    version: string;
    offered_ms: number | null;
    downloaded_ms: number | null;
    installed_ms: number | null;
    failed_ms: number | null;
    rolled_back_ms: number | null;
    state: string;
    state_ms: number;
    error_code: string | null;
  };
  /** Devices by label, in the order of their names and in that of when they were heard of. */
  device_label: { label: string; name_key: string; device_id: string; seen_ms: number };
  label_count: { label: string; devices: number };
  compliance_day: { day_ms: number; state: string; devices: number };
  /** Devices that took a step of an update for the first time within an hour. */
  update_hour: { manifest_sha256: string; step: string; hour_ms: number; devices: number };
  fleet_lock_group: { name: string; slots: number; open: number; asked_ms: number | null };
  fleet_lock: { group_name: string; holder: string; since_ms: number };
}

export type Database = Kysely<Tables>;

/** Errors: UPB-SERVER-DATABASE. */
export async function openDatabase(file: string): Promise<Database> {
  try {
    // Made beforehand, because SQLite would give it the mode of the umask.
    closeSync(openSync(file, "a", 0o600));
    const sqlite = new DatabaseSync(file, { timeout: 5_000 });
    sqlite.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    const db = new Kysely<Tables>({
      dialect: new SqliteDialect({ database: asKyselyExpects(sqlite) }),
    });
    const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
    return db;
  } catch (cause) {
    throw new UpbeatError("UPB-SERVER-DATABASE", { object: file, cause });
  }
}

/** Kysely's dialect was made for another SQLite binding; this is the difference. */
function asKyselyExpects(sqlite: DatabaseSync): SqliteDatabase {
  return {
    close: () => sqlite.close(),
    prepare(sql) {
      const statement = sqlite.prepare(sql);
      const values = (parameters: readonly unknown[]) => parameters as (string | number | null)[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...values(parameters)),
        run: (parameters) => statement.run(...values(parameters)),
        iterate: (parameters) => statement.iterate(...values(parameters)),
      };
    },
  };
}
