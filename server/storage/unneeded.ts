/** Which files of the repository nothing needs, and since when. */
import type { Database } from "./database.ts";

/** An engine takes only so many parameters in one statement. */
const AT_ONCE = 500;

export async function unneededSince(db: Database): Promise<Map<string, number>> {
  const rows = await db.selectFrom("unneeded_file").selectAll().execute();
  return new Map(rows.map((row) => [row.path, Number(row.since_ms)]));
}

/** Their time begins anew when they are there already. */
export async function rememberUnneeded(
  db: Database,
  paths: readonly string[],
  nowMs: number,
): Promise<void> {
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    const rows = paths.slice(at, at + AT_ONCE).map((path) => ({ path, since_ms: nowMs }));
    await db
      .insertInto("unneeded_file")
      .values(rows)
      .onConflict((conflict) => conflict.column("path").doUpdateSet({ since_ms: nowMs }))
      .execute();
  }
}

export async function forgetUnneeded(db: Database, paths: readonly string[]): Promise<void> {
  for (let at = 0; at < paths.length; at += AT_ONCE)
    await db
      .deleteFrom("unneeded_file")
      .where("path", "in", paths.slice(at, at + AT_ONCE))
      .execute();
}
