/**
 * What this device will tell the server, kept until the server says that it has it.
 *
 * Bounded: when the server is away for long, the oldest checks and decisions go first, because the
 * newest ones say how it is; state events go only when nothing else is left to go.
 */
import { createHash } from "node:crypto";
import type { DecisionRecord } from "../../protocol/decisionLog.ts";
import { DeviceEvent } from "../../protocol/deviceApi.ts";
import type { UpdateId } from "../../protocol/ids.ts";
import type { UpdateRecord } from "../../protocol/updateServiceApi.ts";
import type { OrchestratorDatabase } from "./database.ts";

export const MAX_EVENTS = 10_000;
const DECISIONS_WAIT_MS = 3_600_000;

export interface EventQueue {
  add(event: DeviceEvent): void;
  /** One event for each update that was never offered here before. */
  addNewOffers(offers: readonly UpdateId[], deviceId: string, nowMs: number): void;
  /** One event for each state that an update has newly entered; none for what was told before. */
  addNewStates(records: readonly UpdateRecord[], deviceId: string): void;
  /** That it does not get any further, with the error that says where; once for each `hung`. */
  addStuck(record: UpdateRecord, hung: string, deviceId: string, nowMs: number): void;
  addDecision(decision: DecisionRecord): void;
  /** Whether it is worth a request: decisions alone wait for others to go with, an hour at most. */
  isDue(nowMs: number): boolean;
  /** The oldest, within both bounds; at least one when there is any. */
  oldest(maxEvents: number, maxBytes: number): DeviceEvent[];
  remove(ids: readonly string[]): void;
  size(): number;
}

export function eventQueue(database: OrchestratorDatabase, maxEvents = MAX_EVENTS): EventQueue {
  const { sql } = database;
  const insert = sql.prepare("INSERT OR IGNORE INTO events (id, kind, body) VALUES (?, ?, ?)");
  const count = sql.prepare("SELECT count(*) AS n FROM events");
  const dropOldest = sql.prepare(
    `DELETE FROM events WHERE sequence IN
      (SELECT sequence FROM events ORDER BY kind = 'update-state', sequence LIMIT ?)`,
  );
  const news = sql.prepare("SELECT 1 FROM events WHERE kind <> 'decision' LIMIT 1");
  const first = sql.prepare("SELECT body FROM events ORDER BY sequence LIMIT 1");
  const told = sql.prepare("SELECT state, sinceMs FROM reported WHERE manifestSha256 = ?");
  const tell = sql.prepare(
    "INSERT OR REPLACE INTO reported (manifestSha256, state, sinceMs) VALUES (?, ?, ?)",
  );
  const select = sql.prepare("SELECT id, body FROM events ORDER BY sequence LIMIT ?");
  const drop = sql.prepare("DELETE FROM events WHERE id = ?");

  const size = (): number => Number(count.get()?.n ?? 0);
  const put = (event: DeviceEvent): void => {
    insert.run(event.id, event.kind, JSON.stringify(event));
    const excess = size() - maxEvents;
    if (excess > 0) dropOldest.run(excess);
  };

  return {
    size,
    add: (event) => database.atomically(() => put(event)),

    addNewOffers(offers, deviceId, nowMs) {
      const fresh = offers.filter((update) => told.get(update.manifestSha256) === undefined);
      if (fresh.length === 0) return;
      database.atomically(() => {
        for (const update of fresh) {
          // Without the time: an offer after a lost database is the same offer.
          const id = uuidOf([deviceId, update.manifestSha256, "offered"]);
          put({ id, atMs: nowMs, kind: "update-state", ...update, state: "offered" });
          tell.run(update.manifestSha256, "offered", nowMs);
        }
      });
    },

    addNewStates(records, deviceId) {
      const fresh = records.filter((record) => {
        const last = told.get(record.manifestSha256);
        return last?.state !== record.state || last.sinceMs !== record.sinceMs;
      });
      if (fresh.length === 0) return;
      // The event and the note that it was made are one transaction: neither lost nor made twice.
      database.atomically(() => {
        for (const record of fresh) {
          put(stateEvent(record, deviceId));
          tell.run(record.manifestSha256, record.state, record.sinceMs);
        }
      });
    },

    addStuck(record, hung, deviceId, nowMs) {
      const id = uuidOf([deviceId, record.manifestSha256, "stuck", hung]);
      const event = { ...stateEvent(record, deviceId), id, atMs: nowMs };
      database.atomically(() => put(event));
    },

    addDecision({ id, atMs, kind: about, summary }) {
      const event = { id, atMs, kind: "decision", about, summary } as const;
      database.atomically(() => put(event));
    },

    isDue(nowMs) {
      if (news.get() !== undefined) return true;
      const row = first.get();
      if (row === undefined) return false;
      const waitedMs = nowMs - (readEvent(String(row.body))?.atMs ?? 0);
      // A clock that was set back must not hold them for ever.
      return waitedMs < 0 || waitedMs >= DECISIONS_WAIT_MS;
    },

    oldest(maxCount, maxBytes) {
      const events: DeviceEvent[] = [];
      let bytes = 0;
      for (const row of select.all(maxCount)) {
        const event = readEvent(String(row.body));
        if (event === undefined) {
          drop.run(String(row.id));
          continue;
        }
        bytes += String(row.body).length;
        if (events.length > 0 && bytes > maxBytes) break;
        events.push(event);
      }
      return events;
    },

    remove(ids) {
      database.atomically(() => {
        for (const id of ids) drop.run(id);
      });
    },
  };
}

/** Undefined: rescued from a damaged file, or written by a version with other events. */
function readEvent(body: string): DeviceEvent | undefined {
  try {
    return DeviceEvent.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
}

function stateEvent(record: UpdateRecord, deviceId: string): DeviceEvent {
  const { product, version, manifestSha256, state, sinceMs, error } = record;
  return {
    // The same state of the same update always has the same id: when the database was lost and the
    // event is made again, the server still counts it once.
    id: uuidOf([deviceId, manifestSha256, state, sinceMs]),
    atMs: sinceMs,
    kind: "update-state",
    product,
    version,
    manifestSha256,
    state,
    ...(error === undefined ? {} : { error }),
  };
}

/** A UUID of version 8 (RFC 9562: the content is the maker's own) from a hash. */
function uuidOf(parts: readonly (string | number)[]): string {
  const hex = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
