/**
 * Puts single entries of an installed version back as its list says, each in one step: whoever looks
 * sees what was there or what should be. The store must have the content, verified.
 *
 * Nothing is written through a link: a folder of the list that is none any more is made anew.
 * Errors: UPB-VERIFY-*, UPB-INSTALL-DISK-FULL, and those of the disk.
 */
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TreeEntry } from "../../../protocol/payload.ts";
import { asDiskError, place, requireStored } from "../contentStore.ts";
import { removeTree } from "../handlers/tree.ts";

/** No path of a list ends so: `content/treeRules.ts` allows it, the rename makes it go at once. */
const BESIDE = ".upbeat-new";

export async function mendEntry(store: string, folder: string, entry: TreeEntry): Promise<void> {
  const path = join(folder, entry.path);
  try {
    await makeFolders(folder, dirname(entry.path));
    if (entry.type === "folder") {
      await makeFolder(path);
      chmodSync(path, entry.mode);
      return;
    }
    const beside = `${path}${BESIDE}`;
    rmSync(beside, { force: true });
    if (entry.type === "link") symlinkSync(entry.target, beside);
    else {
      await requireStored(store, entry, () => {});
      place(store, entry, beside);
    }
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) await removeTree(path);
    renameSync(beside, path);
  } catch (error) {
    throw asDiskError(error, "UPB-INSTALL-DISK-FULL", path);
  }
}

async function makeFolders(folder: string, inside: string): Promise<void> {
  let path = folder;
  for (const name of inside === "." ? [] : inside.split("/")) {
    path = join(path, name);
    await makeFolder(path);
  }
}

async function makeFolder(path: string): Promise<void> {
  const about = lstatSync(path, { throwIfNoEntry: false });
  if (about?.isDirectory()) return;
  if (about !== undefined) rmSync(path);
  mkdirSync(path, { mode: 0o755 });
}
