/**
 * Makes the list of published updates agree with the signed metadata, which alone counts: after a
 * crash between the two, or when the database was lost.
 */
import type { Sha256 } from "../../protocol/ids.ts";
import { readManifest, type UpdateManifest } from "../../protocol/manifest.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";
import type { Database } from "../storage/database.ts";
import { knownUpdates, recordUpdates } from "../storage/updates.ts";
import { targetPath } from "./checkTargets.ts";
import { type CurrentSet, sha256Of, shownTargets } from "./currentSet.ts";

/** How many entries were wrong. */
export async function relistUpdates(
  db: Database,
  files: RepositoryFiles,
  current: CurrentSet,
): Promise<number> {
  const known = await knownUpdates(db);
  const named = manifestsOf(files, current);
  const missing: { manifest: UpdateManifest; sha256: Sha256 }[] = [];
  for (const [sha256, path] of named) {
    if (known.get(sha256) === false) continue;
    const bytes = files.read(targetPath(path, sha256));
    if (bytes === undefined) continue;
    missing.push({ manifest: readManifest(bytes, path), sha256: sha256Of(bytes) });
  }
  const gone = [...known].filter(([sha256, retired]) => !retired && !named.has(sha256));
  const retired = gone.map(([sha256]) => sha256);
  if (missing.length + retired.length > 0) await recordUpdates(db, missing, retired);
  return missing.length + retired.length;
}

/** Paths by hash. */
function manifestsOf(files: RepositoryFiles, current: CurrentSet): Map<string, string> {
  const named = new Map<string, string>();
  for (const [path, sha256] of shownTargets(files, current))
    if (path.endsWith(".json")) named.set(sha256, path);
  return named;
}
