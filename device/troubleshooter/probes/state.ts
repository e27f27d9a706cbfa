/**
 * What both services keep in their databases, read without them: so that it can be judged also when
 * they are down. Read-only, and tolerant: what cannot be read is absent.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { ErrorReport } from "../../../protocol/errors/error.ts";
import { CheckResult } from "../../../protocol/orchestratorApi.ts";
import { HistoryEntry, UpdateRecord } from "../../../protocol/updateServiceApi.ts";
import type { DevicePaths } from "../../paths.ts";

export const StateFacts = z.object({
  records: z.array(UpdateRecord),
  /** Newest first. */
  history: z.array(HistoryEntry),
  /** The plan of the next check. */
  plan: z
    .object({ nextCheckMs: z.int(), failures: z.int(), lastError: ErrorReport.optional() })
    .optional(),
  lastCheckMs: z.int().optional(),
  lastCheck: CheckResult.optional(),
  reportsWaiting: z.int(),
  oldestReportMs: z.int().optional(),
});
export type StateFacts = z.infer<typeof StateFacts>;

/** More than anybody looks at; the newest say most. */
const MAX_HISTORY = 100;

export const updateServiceDatabase = (paths: DevicePaths): string =>
  join(paths.updateServiceState, "state.db");
export const orchestratorDatabase = (paths: DevicePaths): string =>
  join(paths.orchestratorState, "orchestrator.db");

export function readState(paths: DevicePaths): StateFacts {
  const service = rowsOf(updateServiceDatabase(paths));
  const orchestrator = rowsOf(orchestratorDatabase(paths));
  const recall = <T>(name: string, schema: z.ZodType<T>): T | undefined =>
    orchestrator("SELECT value FROM remembered WHERE name = ?", schema, name)[0];
  const plan = recall("plan", StateFacts.shape.plan);
  const evaluation = recall("evaluation", z.object({ checkedMs: z.int(), result: CheckResult }));
  const [waiting] = orchestrator(
    "SELECT json_object('n', count(*)) FROM events",
    z.object({ n: z.int() }),
  );
  const [oldest] = orchestrator(
    "SELECT body FROM events ORDER BY sequence LIMIT 1",
    z.object({ atMs: z.int() }),
  );
  return {
    records: service("SELECT record FROM records ORDER BY product, version", UpdateRecord),
    history: service(
      `SELECT entry FROM history ORDER BY ended_ms DESC, rowid DESC LIMIT ${MAX_HISTORY}`,
      HistoryEntry,
    ),
    ...(plan === undefined ? {} : { plan }),
    ...(evaluation === undefined
      ? {}
      : { lastCheckMs: evaluation.checkedMs, lastCheck: evaluation.result }),
    reportsWaiting: waiting?.n ?? 0,
    ...(oldest === undefined ? {} : { oldestReportMs: oldest.atMs }),
  };
}

type ReadRows = <T>(sql: string, schema: z.ZodType<T>, ...values: string[]) => T[];

/** Each call opens and closes the file: nothing of ours may hold up a service that writes. */
function rowsOf(file: string): ReadRows {
  return (sql, schema, ...values) => {
    if (!existsSync(file)) return [];
    try {
      const db = new DatabaseSync(file, { readOnly: true, timeout: 500 });
      try {
        return db
          .prepare(sql)
          .all(...values)
          .flatMap((row) => {
            const parsed = schema.safeParse(parse(Object.values(row)[0]));
            return parsed.success ? [parsed.data] : [];
          });
      } finally {
        db.close();
      }
    } catch {
      return []; // damaged, locked or of another schema: checks of their own say so
    }
  };
}

function parse(value: unknown): unknown {
  try {
    return JSON.parse(String(value));
  } catch {
    return undefined;
  }
}
