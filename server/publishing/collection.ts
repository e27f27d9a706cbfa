/**
 * Removes what nothing shown needs any more, when nothing has needed it for a while.
 *
 * A file's grace begins at the first collection that finds it unneeded, and again whenever a publisher
 * asks for it: machines have time to end what they have planned, publishers to end a long upload. That
 * is written down before anything goes, so a crash at any point removes nothing too early.
 */
import type { Asked } from "../contentUpload.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";
import type { Database } from "../storage/database.ts";
import { forgetUnneeded, rememberUnneeded, unneededSince } from "../storage/unneeded.ts";

/** As long as an enrolment token lives: a machine that was off for a week goes on where it was. */
export const GRACE_MS = 7 * 24 * 60 * 60 * 1000;

export interface Collected {
  readonly files: number;
  readonly sizeBytes: number;
}

export interface CollectionPlan {
  /** Their grace begins now. */
  readonly begin: readonly string[];
  /** Needed again, or not there any more. */
  readonly forget: readonly string[];
  readonly remove: readonly string[];
}

/** Pure. `since`: when the grace of each unneeded path began. */
export function planCollection(about: {
  present: readonly string[];
  needed: ReadonlySet<string>;
  asked: ReadonlySet<string>;
  since: ReadonlyMap<string, number>;
  nowMs: number;
}): CollectionPlan {
  const { needed, asked, since, nowMs } = about;
  const unneeded = about.present.filter((path) => !needed.has(path));
  const isOver = (path: string): boolean => {
    const began = since.get(path);
    return began !== undefined && !asked.has(path) && nowMs - began >= GRACE_MS;
  };
  const left = new Set(unneeded);
  return {
    begin: unneeded.filter((path) => asked.has(path) || !since.has(path)),
    forget: [...since.keys()].filter((path) => !left.has(path)),
    remove: unneeded.filter(isOver),
  };
}

/** Only while nothing is being published. `asked`: live, what publishers ask for meanwhile counts. */
export async function collect(about: {
  files: RepositoryFiles;
  db: Database;
  needed: ReadonlySet<string>;
  asked: Asked;
  nowMs: number;
}): Promise<Collected> {
  const { files, db, needed, asked, nowMs } = about;
  const before = asked.take();
  const present = files.list();
  const since = await unneededSince(db);
  const plan = planCollection({ present, needed, asked: before, since, nowMs });
  await rememberUnneeded(db, plan.begin, nowMs);
  await forgetUnneeded(db, plan.forget);
  const removed: string[] = [];
  let sizeBytes = 0;
  for (const path of plan.remove) {
    if (asked.has(path)) continue;
    sizeBytes += files.sizeOf(path) ?? 0;
    files.remove(path);
    removed.push(path);
  }
  await forgetUnneeded(db, removed);
  return { files: removed.length, sizeBytes };
}
