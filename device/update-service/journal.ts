/**
 * The durable memory of the update service: records, installed products, the operation that is
 * going on, and the history. SQLite, WAL, synchronous=FULL: an acknowledged row survives a power cut.
 *
 * Every change of a record's state goes through `move`, and so through the one transition table.
 */
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { nextState, type UpdateEvent } from "../../core/updateStates.ts";
import type { DownloadPlan } from "../../protocol/downloadPlan.ts";
import { ErrorReport, UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, Product, Sha256, type UpdateId, Version } from "../../protocol/ids.ts";
import { UpdateManifest } from "../../protocol/manifest.ts";
import {
  HistoryEntry,
  OPERATIONS,
  UpdateRecord,
  type UpdateState,
  VerifyReport,
} from "../../protocol/updateServiceApi.ts";
import { SQLITE_SYNCHRONOUS } from "./durable.ts";

/** What is going on; one at a time. Its id becomes the history entry's. */
export const Operation = z.object({
  id: z.uuid(),
  operation: z.enum(OPERATIONS),
  product: Product,
  fromVersion: Version.optional(),
  toVersion: Version.optional(),
  manifestSha256: Sha256.optional(),
  title: z.string(),
  /** Kept beside the manifest, so that undoing needs no manifest. */
  handler: UpdateManifest.shape.handler,
  startedMs: z.int(),
  /** How long the version before is to be kept; ten when it says nothing. */
  rollbackDays: z.int().optional(),
  /** The metadata that vouched for it at download has expired since. */
  metadataExpired: z.literal(true).optional(),
  /** Why it is being undone; absent while all goes well and for a rollback that was asked for. */
  error: ErrorReport.optional(),
  /** What a verification has found so far. */
  verify: VerifyReport.optional(),
  /** The boot in which a restart became pending. */
  bootId: z.string().optional(),
});
export type Operation = z.infer<typeof Operation>;

/** A product on this machine. `previous` is what a rollback goes back to. */
export const ProductRow = z.object({
  product: Product,
  current: Version.optional(),
  currentSha256: Sha256.optional(),
  previous: Version.optional(),
  previousSha256: Sha256.optional(),
  rollbackUntilMs: z.int().optional(),
});
export type ProductRow = z.infer<typeof ProductRow>;

export interface Journal {
  records(): UpdateRecord[];
  record(update: UpdateId): UpdateRecord | undefined;
  /** Writes the next state durably. A record that is not there yet starts as `offered`. */
  move(update: UpdateId, event: UpdateEvent, facts: MoveFacts): void;
  /** How the update comes here; its state stays. */
  keepPlan(update: UpdateId, plan: DownloadPlan): void;
  product(product: Product): ProductRow;
  products(): ProductRow[];
  setProduct(row: ProductRow): void;
  operation(): Operation | undefined;
  setOperation(operation: Operation | undefined): void;
  /** Installs that are staged and wait for the one restart, in the order in which they came. */
  awaitingRestart(): Operation[];
  /** Out of the way of the next operation, until the machine has restarted. */
  park(operation: Operation): void;
  unpark(operation: Operation): void;
  /** Newest first; all of it without a limit. */
  history(limit?: number): HistoryEntry[];
  addHistory(entry: HistoryEntry): void;
  /** All or nothing, durable when it returns. Errors: UPB-STATE-UNWRITABLE, UPB-STATE-DISK-FULL. */
  atomically(write: () => void): void;
  close(): void;
}

export interface MoveFacts {
  readonly nowMs: number;
  readonly jobId: string;
  readonly error?: ErrorReport;
}

const SCHEMA_VERSION = 1;

/** Errors: those of SQLite; `openState.ts` says which mean a damaged file. */
export function openJournal(file: string): Journal {
  // SQLite gives its side files the mode of the first one.
  closeSync(openSync(file, "a", 0o600));
  const db = new DatabaseSync(file, { timeout: 5_000 });
  try {
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${SQLITE_SYNCHRONOUS}`);
    db.exec(TABLES);
    requireSound(db, file);
  } catch (error) {
    db.close();
    throw error;
  }
  return journalOn(db, file);
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS records (
    product TEXT NOT NULL, version TEXT NOT NULL, manifest_sha256 TEXT NOT NULL,
    record TEXT NOT NULL, PRIMARY KEY (product, version, manifest_sha256)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS products (product TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS operation (one INTEGER PRIMARY KEY CHECK (one = 1), row TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS awaiting_restart (
    number INTEGER PRIMARY KEY AUTOINCREMENT, product TEXT NOT NULL UNIQUE, row TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS history (
    id TEXT PRIMARY KEY, ended_ms INTEGER NOT NULL, entry TEXT NOT NULL
  ) STRICT;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

function requireSound(db: DatabaseSync, file: string): void {
  const found = db.prepare("PRAGMA quick_check(1)").get();
  if (found?.quick_check === "ok") return;
  throw new UpbeatError("UPB-STATE-DAMAGED", { object: file, detail: String(found?.quick_check) });
}

function journalOn(db: DatabaseSync, file: string): Journal {
  const read = <Row>(
    schema: z.ZodType<Row>,
    sql: string,
    column: string,
    ...values: (string | number)[]
  ): Row[] =>
    db
      .prepare(sql)
      .all(...values)
      .map((row) => schema.parse(JSON.parse(String(row[column]))));
  const writeRecord = (record: UpdateRecord): void => {
    const { product, version, manifestSha256 } = record;
    db.prepare(
      "INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record",
    ).run(product, version, manifestSha256, JSON.stringify(record));
  };
  const journal: Journal = {
    records: () =>
      read(UpdateRecord, "SELECT record FROM records ORDER BY product, version", "record"),
    record: ({ product, version, manifestSha256 }) =>
      read(
        UpdateRecord,
        "SELECT record FROM records WHERE product = ? AND version = ? AND manifest_sha256 = ?",
        "record",
        product,
        version,
        manifestSha256,
      )[0],
    move: (update, event, facts) =>
      writeRecord(moved(journal.record(update), update, event, facts)),
    keepPlan(update, plan) {
      const record = journal.record(update);
      if (record !== undefined) writeRecord({ ...record, plan });
    },
    product: (product) =>
      read(ProductRow, "SELECT row FROM products WHERE product = ?", "row", product)[0] ?? {
        product,
      },
    products: () => read(ProductRow, "SELECT row FROM products ORDER BY product", "row"),
    setProduct: (row) => {
      db.prepare(
        "INSERT INTO products VALUES (?, ?) ON CONFLICT DO UPDATE SET row = excluded.row",
      ).run(row.product, JSON.stringify(row));
    },
    operation: () => read(Operation, "SELECT row FROM operation", "row")[0],
    setOperation(operation) {
      if (operation === undefined) db.exec("DELETE FROM operation");
      else
        db.prepare(
          "INSERT INTO operation VALUES (1, ?) ON CONFLICT DO UPDATE SET row = excluded.row",
        ).run(JSON.stringify(operation));
    },
    awaitingRestart: () =>
      read(Operation, "SELECT row FROM awaiting_restart ORDER BY number", "row"),
    park: (operation) => {
      db.prepare("INSERT INTO awaiting_restart (product, row) VALUES (?, ?)").run(
        operation.product,
        JSON.stringify(operation),
      );
    },
    unpark: ({ product }) => {
      db.prepare("DELETE FROM awaiting_restart WHERE product = ?").run(product);
    },
    history: (limit = -1) =>
      read(
        HistoryEntry,
        "SELECT entry FROM history ORDER BY ended_ms DESC, rowid DESC LIMIT ?",
        "entry",
        limit,
      ),
    addHistory: (entry) => {
      db.prepare("INSERT OR IGNORE INTO history VALUES (?, ?, ?)").run(
        entry.id,
        entry.endedMs,
        JSON.stringify(entry),
      );
    },
    atomically(write) {
      db.exec("BEGIN IMMEDIATE");
      try {
        write();
        db.exec("COMMIT");
      } catch (error) {
        if (db.isTransaction) db.exec("ROLLBACK");
        throw asUnwritable(error, file);
      }
    },
    close: () => db.close(),
  };
  return journal;
}

/** SQLITE_READONLY, _IOERR, _CANTOPEN (https://sqlite.org/rescode.html), without the extension. */
const STORAGE_CODES: ReadonlySet<number> = new Set([8, 10, 14]);
const SQLITE_FULL = 13;

function asUnwritable(error: unknown, file: string): unknown {
  if (!(error instanceof Error && "errcode" in error && typeof error.errcode === "number"))
    return error;
  const code = error.errcode & 0xff;
  if (code === SQLITE_FULL)
    return new UpbeatError("UPB-STATE-DISK-FULL", { object: file, cause: error });
  if (!STORAGE_CODES.has(code)) return error;
  return new UpbeatError("UPB-STATE-UNWRITABLE", { object: file, cause: error });
}

function moved(
  found: UpdateRecord | undefined,
  update: UpdateId,
  event: UpdateEvent,
  facts: MoveFacts,
): UpdateRecord {
  const from: UpdateState = found?.state ?? "offered";
  const state = nextState(from, event);
  if (state === undefined) {
    throw new UpbeatError("UPB-INTERNAL-BUG", {
      object: formatUpdate(update),
      detail: `"${event}" in state "${from}"`,
    });
  }
  return {
    ...update,
    state,
    sinceMs: facts.nowMs,
    jobId: facts.jobId,
    ...(found?.plan === undefined ? {} : { plan: found.plan }),
    ...(facts.error === undefined ? {} : { error: facts.error }),
  };
}
