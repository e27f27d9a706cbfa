/** Both services' databases: whole, of the schema that this version knows, readable (row 15). */
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { answers } from "../../localServer.ts";
import type { DevicePaths } from "../../paths.ts";
import { check, type Repair, type Seen } from "../check.ts";
import { orchestratorDatabase, updateServiceDatabase } from "../probes/state.ts";
import { actOnService } from "../services.ts";

const Facts = z.object({
  databases: z.array(
    z.object({
      service: z.string(),
      file: z.string(),
      /** Undefined: it is whole. */
      damage: z.string().optional(),
      wrongSchema: z.string().optional(),
      busy: z.boolean(),
    }),
  ),
});

/** What each service asks of its file; another version may have more, never less. */
const SHAPES = [
  {
    service: "update-service",
    file: updateServiceDatabase,
    queries: [
      "SELECT product, version, manifest_sha256, record FROM records LIMIT 1",
      "SELECT product, row FROM products LIMIT 1",
      "SELECT row FROM operation LIMIT 1",
      "SELECT id, ended_ms, entry FROM history LIMIT 1",
    ],
  },
  {
    service: "orchestrator",
    file: orchestratorDatabase,
    queries: [
      "SELECT name, value FROM remembered LIMIT 1",
      "SELECT sequence, id, kind, body FROM events LIMIT 1",
      "SELECT id, startedMs, body FROM changes LIMIT 1",
    ],
  },
] as const;

/** https://sqlite.org/rescode.html, without the extension. */
const SQLITE = { error: 1, busy: 5, locked: 6, corrupt: 11, notADatabase: 26 };

export const databases = check({
  id: "databases",
  title: "Databases",
  rows: [15],
  facts: Facts,
  look: async ({ paths }) => ({
    databases: SHAPES.map(({ service, file, queries }) => ({
      service,
      file: file(paths),
      ...(existsSync(file(paths)) ? inspect(file(paths), queries) : { busy: false }),
    })),
  }),
  judge: (facts) =>
    facts.databases.flatMap(({ service, file, damage, wrongSchema }): Seen[] => {
      if (damage !== undefined)
        return [{ cause: "state-damaged", object: file, service, evidence: [damage] }];
      if (wrongSchema !== undefined)
        return [{ cause: "state-wrong-schema", object: file, service, evidence: [wrongSchema] }];
      return [];
    }),
  repairs: { "state-damaged": rebuilding(), "state-wrong-schema": rebuilding() },
});

/** The service does it: what it makes anew comes from the links, the manifests and the second copy. */
function rebuilding(): Repair {
  return {
    what: "Restart the service: it keeps the file aside and makes a new one, with its history",
    byItself: true,
    async apply({ paths }, { service, object }) {
      const before = asideOf(object);
      if (!(await answers(paths.managerSocket))) {
        return ["nothing yet: the service makes it anew when it starts"];
      }
      await actOnService(paths, service ?? "update-service", "restart");
      const kept = asideOf(object).filter((name) => !before.includes(name));
      return [
        `restarted ${service}`,
        ...kept.map((name) => `the file as it was is kept as ${dirname(object)}/${name}`),
      ];
    },
  };
}

const asideOf = (file: string): string[] =>
  readdirSync(dirname(file)).filter(
    (name) => /^[^.]+\.db\.(?:corrupt|damaged)-/.test(name) && name.startsWith(basename(file)),
  );

function inspect(file: string, queries: readonly string[]) {
  try {
    const db = new DatabaseSync(file, { readOnly: true, timeout: 1_000 });
    try {
      const found = db.prepare("PRAGMA quick_check(1)").get()?.quick_check;
      if (found !== "ok") return { damage: `quick_check: ${String(found)}`, busy: false };
      for (const sql of queries) db.prepare(sql).get();
      return { busy: false };
    } finally {
      db.close();
    }
  } catch (error) {
    return judged(error);
  }
}

function judged(error: unknown): { damage?: string; wrongSchema?: string; busy: boolean } {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
  const message = error instanceof Error ? error.message : String(error);
  if (code === SQLITE.corrupt || code === SQLITE.notADatabase)
    return { damage: message, busy: false };
  if (code === SQLITE.error) return { wrongSchema: message, busy: false };
  if (code === SQLITE.busy || code === SQLITE.locked) return { busy: true };
  throw error;
}

export const databaseFiles = (paths: DevicePaths): { service: string; file: string }[] =>
  SHAPES.map(({ service, file }) => ({ service, file: file(paths) }));
