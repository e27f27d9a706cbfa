/** What of a list of files the store has, hashed: what was changed is gone afterwards. */
import { distinctFiles } from "../../../core/actionList.ts";
import type { Sha256 } from "../../../protocol/ids.ts";
import type { FileEntry, TreeEntry } from "../../../protocol/payload.ts";
import { isStored, objectName, storedModes } from "../contentStore.ts";
import type { DownloadWorld } from "../download.ts";
import { storeFolder } from "../handlers/tree.ts";

export interface ContentHere {
  /** Under which modes the store has a content; under those of the list verified. */
  readonly modes: ReadonlyMap<Sha256, ReadonlySet<number>>;
  /** Not here with the mode that the list wants: one entry for each content and mode. */
  readonly missing: readonly FileEntry[];
  /** Not here under any mode. */
  readonly absent: readonly FileEntry[];
}

export async function contentHere(
  world: Pick<DownloadWorld, "installed" | "verified" | "onPhase" | "onBytes">,
  payload: readonly TreeEntry[],
): Promise<ContentHere> {
  const store = storeFolder(world.installed);
  const modes = storedModes(store);
  const files = distinctFiles(payload);
  const unread = files.filter(
    (file) => modes.get(file.sha256)?.has(file.mode) && !world.verified.has(objectName(file)),
  );
  world.onPhase(
    "verify",
    unread.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
  );
  for (const file of unread) {
    if (await isStored(store, file, world.onBytes)) world.verified.add(objectName(file));
    else modes.get(file.sha256)?.delete(file.mode);
  }
  const missing = files.filter((file) => !modes.get(file.sha256)?.has(file.mode));
  const absent = missing.filter((file) => (modes.get(file.sha256)?.size ?? 0) === 0);
  return { modes, missing, absent };
}
