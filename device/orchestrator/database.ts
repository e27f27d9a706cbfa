/**
 * The orchestrator's own database: a few remembered values, the queue of reports, the last changes.
 *
 * SQLite, WAL, synchronous=FULL: what was acknowledged survives a power cut (design.md). A damaged
 * file is moved aside, never deleted, and what can still be read of it is taken over: all of it can
 * be made again from the server and the update service, except reports that were not sent yet.
 * Errors: UPB-SERVICE-STATE-FOLDER.
 */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { z } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS remembered (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS reported (
    manifestSha256 TEXT PRIMARY KEY, state TEXT NOT NULL, sinceMs INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS changes (
    id TEXT PRIMARY KEY, startedMs INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS decisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, atMs INTEGER NOT NULL,
    kind TEXT NOT NULL, summary TEXT NOT NULL, digest TEXT NOT NULL, body BLOB NOT NULL) STRICT;
`;
const TABLES = {
  remembered: ["name", "value"],
  events: ["id", "kind", "body"],
  reported: ["manifestSha256", "state", "sinceMs"],
  changes: ["id", "startedMs", "body"],
} as const;

export interface OrchestratorDatabase {
  readonly sql: DatabaseSync;
  /** Where a damaged file was put when it had to be replaced. */
  readonly movedAside: string | undefined;
  /** Undefined when there is none or a value of another shape. */
  recall<T>(name: string, schema: z.ZodType<T>): T | undefined;
  remember(name: string, value: unknown): void;
  /** All or nothing. */
  atomically<T>(work: () => T): T;
}

export function openDatabase(folder: string, nowMs: number): OrchestratorDatabase {
  const path = join(folder, "orchestrator.db");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const sound = openSound(path);
    if (sound !== undefined) return database(sound, undefined);
    const aside = `${path}.damaged-${nowMs}`;
    for (const suffix of ["", "-wal", "-shm"]) {
      if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    }
    const fresh = open(path);
    rescue(aside, fresh);
    return database(fresh, aside);
  } catch (cause) {
    throw new UpbeatError("UPB-SERVICE-STATE-FOLDER", { object: path, cause });
  }
}

function open(path: string): DatabaseSync {
  const sql = new DatabaseSync(path, { timeout: 5_000 });
  try {
    sql.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    sql.exec(SCHEMA);
    return sql;
  } catch (error) {
    sql.close();
    throw error;
  }
}

/** Undefined: the file is there and damaged. Throws when the folder is the trouble. */
function openSound(path: string): DatabaseSync | undefined {
  try {
    const sql = open(path);
    if (sql.prepare("PRAGMA quick_check(1)").get()?.quick_check === "ok") return sql;
    sql.close();
    return undefined;
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

/** SQLITE_CORRUPT, SQLITE_NOTADB, and SQLITE_ERROR for a schema that is not ours. */
function isDamage(error: unknown): boolean {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
  return code === 11 || code === 26 || code === 1;
}

function rescue(aside: string, fresh: DatabaseSync): void {
  // One transaction: thousands of rows, each flushed on its own, would hold up the start.
  fresh.exec("BEGIN");
  for (const [table, columns] of Object.entries(TABLES)) {
    const insert = fresh.prepare(
      `INSERT OR IGNORE INTO ${table} (${columns}) VALUES (${columns.map(() => "?")})`,
    );
    try {
      const damaged = new DatabaseSync(aside, { readOnly: true });
      try {
        for (const row of damaged.prepare(`SELECT ${columns} FROM ${table}`).iterate()) {
          insert.run(...columns.map((column) => row[column] ?? null));
        }
      } finally {
        damaged.close();
      }
    } catch {
      // Rows up to the damage were taken; the rest of this table cannot be read. The file is kept.
    }
  }
  fresh.exec("COMMIT");
}

function database(sql: DatabaseSync, movedAside: string | undefined): OrchestratorDatabase {
  const select = sql.prepare("SELECT value FROM remembered WHERE name = ?");
  const upsert = sql.prepare("INSERT OR REPLACE INTO remembered (name, value) VALUES (?, ?)");
  return {
    sql,
    movedAside,
    recall(name, schema) {
      const text = select.get(name)?.value;
      if (typeof text !== "string") return undefined;
      try {
        return schema.parse(JSON.parse(text));
      } catch {
        return undefined; // Written by another version: as if it were not there.
      }
    },
    remember: (name, value) => void upsert.run(name, JSON.stringify(value)),
    atomically(work) {
      sql.exec("BEGIN IMMEDIATE");
      try {
        const result = work();
        sql.exec("COMMIT");
        return result;
      } catch (error) {
        sql.exec("ROLLBACK");
        throw error;
      }
    },
  };
}
