/**
 * The changes that people and the schedule ask for: one at a time, in the order in which they came.
 *
 * Each is written down before it is answered, so that its outcome can be asked for after a restart.
 * A check, download or install that was cut off by a restart is taken up again, because doing it
 * twice does no harm; a rollback or an uninstall is not, because twice would be once too often.
 */
import { randomUUID } from "node:crypto";
import { reportError, UpbeatError } from "../../protocol/errors/error.ts";
import { Change, type ChangeRequest } from "../../protocol/orchestratorApi.ts";
import type { OrchestratorDatabase } from "./database.ts";

const KEPT = 100;
const MAX_WAITING = 20;

/** Does what is asked. It may put facts into the change as it goes; `save` makes them durable. */
export type ChangeWork = (
  change: Change,
  tools: { save: () => void; signal: AbortSignal },
) => Promise<"succeeded" | "nothing-to-do">;

export interface Changes {
  /** Errors: UPB-CHANGE-QUEUE-FULL. */
  request(request: ChangeRequest): Change;
  /** Errors: UPB-CHANGE-UNKNOWN. */
  find(id: string): Change;
  running(): Change | undefined;
  /** Takes up what an earlier process left. */
  resume(): void;
  /** No further change begins; the running one is cut off and taken up by the next process. */
  stop(): Promise<void>;
}

export function changes(
  database: OrchestratorDatabase,
  work: ChangeWork,
  now: () => number,
): Changes {
  const { sql } = database;
  const upsert = sql.prepare(
    "INSERT OR REPLACE INTO changes (id, startedMs, body) VALUES (?, ?, ?)",
  );
  const tidy = sql.prepare(
    "DELETE FROM changes WHERE id NOT IN (SELECT id FROM changes ORDER BY startedMs DESC LIMIT ?)",
  );
  const byId = sql.prepare("SELECT body FROM changes WHERE id = ?");
  const all = sql.prepare("SELECT body FROM changes ORDER BY startedMs, rowid");
  const waiting: Change[] = [];
  const stopping = new AbortController();
  let current: Change | undefined;
  let turning: Promise<void> | undefined;

  const save = (change: Change): void => {
    // Progress is a matter of the moment: only what outlives it is written.
    const { progress: _, ...kept } = change;
    database.atomically(() => {
      upsert.run(change.id, change.startedMs, JSON.stringify(kept));
      tidy.run(KEPT);
    });
  };

  const carryOut = async (change: Change): Promise<void> => {
    change.state = "running";
    save(change);
    try {
      const tools = { save: () => save(change), signal: stopping.signal };
      change.state = await work(change, tools);
    } catch (error) {
      if (stopping.signal.aborted) return;
      change.state = "failed";
      change.error = reportError(error);
    }
    delete change.progress;
    change.endedMs = now();
    save(change);
  };

  const turn = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (stopping.signal.aborted) return;
      current = next;
      await carryOut(next);
      current = undefined;
    }
  };

  const enqueue = (change: Change): void => {
    waiting.push(change);
    turning ??= turn().finally(() => {
      turning = undefined;
    });
  };

  return {
    request(request) {
      if (waiting.length >= MAX_WAITING) {
        throw new UpbeatError("UPB-CHANGE-QUEUE-FULL", { object: request.kind });
      }
      const change: Change = {
        id: randomUUID(),
        request,
        state: "waiting",
        startedMs: now(),
        updates: [],
      };
      save(change);
      enqueue(change);
      return structuredClone(change);
    },
    find(id) {
      const live = [current, ...waiting].find((change) => change?.id === id);
      if (live !== undefined) return live;
      const found = parsed(byId.get(id)?.body);
      if (found === undefined) throw new UpbeatError("UPB-CHANGE-UNKNOWN", { object: id });
      return found;
    },
    running: () => current,
    resume() {
      for (const { body } of all.all()) {
        const change = parsed(body);
        if (change === undefined || !["waiting", "running"].includes(change.state)) continue;
        if (change.state === "waiting" || REPEATABLE.has(change.request.kind)) enqueue(change);
        else save({ ...change, state: "failed", endedMs: now(), error: cutOff(change) });
      }
    },
    async stop() {
      stopping.abort();
      await turning;
    },
  };
}

const REPEATABLE: ReadonlySet<ChangeRequest["kind"]> = new Set([
  "check",
  "download",
  "install",
  "plan",
  "verify",
]);

const cutOff = (change: Change) =>
  reportError(
    new UpbeatError("UPB-CHANGE-NOT-DONE", {
      object: change.request.kind,
      detail: "the orchestrator restarted; the update service finishes what it had begun",
    }),
  );

function parsed(body: unknown): Change | undefined {
  if (typeof body !== "string") return undefined;
  try {
    return Change.parse(JSON.parse(body));
  } catch {
    return undefined; // Written by another version, or rescued from a damaged file.
  }
}
