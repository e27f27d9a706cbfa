/**
 * Compares an installed version with what its list says: kind, mode, size, hash and link of every
 * entry. Changes nothing. What the list does not name is counted, and is none of its business: a
 * program may have written beside its own files.
 */
import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import type { FileEntry, TreeEntry } from "../../../protocol/payload.ts";
import { breathe, requireContent } from "../hashFile.ts";

export interface Damage {
  readonly entry: TreeEntry;
  readonly what: "missing" | "another kind" | "another mode" | "other content" | "another target";
}

export interface Inspection {
  readonly damaged: readonly Damage[];
  /** Paths that the list does not name; of a folder of them only the folder. */
  readonly unknown: readonly string[];
}

/** `onBytes` hears of everything that was read, or need not be. */
export async function inspectTree(
  folder: string,
  payload: readonly TreeEntry[],
  onBytes: (bytes: number) => void,
): Promise<Inspection> {
  const damaged: Damage[] = [];
  const isReached = folderWalk(folder);
  for (const entry of payload) {
    const what = isReached(dirname(entry.path))
      ? await damageOf(join(folder, entry.path), entry, onBytes)
      : "missing";
    if (what !== undefined) damaged.push({ entry, what });
    await breathe();
  }
  return { damaged, unknown: await unknownPaths(folder, payload) };
}

/** Whether a path leads there through folders alone: what lies behind a link is not in the tree. */
function folderWalk(folder: string): (inside: string) => boolean {
  const known = new Map<string, boolean>([[".", true]]);
  const isReached = (inside: string): boolean => {
    const before = known.get(inside);
    if (before !== undefined) return before;
    const about = lstatSync(join(folder, inside), { throwIfNoEntry: false });
    const reached = isReached(dirname(inside)) && about?.isDirectory() === true;
    known.set(inside, reached);
    return reached;
  };
  return isReached;
}

async function damageOf(
  path: string,
  entry: TreeEntry,
  onBytes: (bytes: number) => void,
): Promise<Damage["what"] | undefined> {
  const about = lstatSync(path, { throwIfNoEntry: false });
  if (about === undefined) return "missing";
  switch (entry.type) {
    case "link":
      if (!about.isSymbolicLink()) return "another kind";
      return readlinkSync(path) === entry.target ? undefined : "another target";
    case "folder":
      if (!about.isDirectory()) return "another kind";
      return (about.mode & 0o7777) === entry.mode ? undefined : "another mode";
    case "file":
      if (!about.isFile()) return "another kind";
      if ((about.mode & 0o7777) !== entry.mode) return "another mode";
      return (await hasContent(path, entry, onBytes)) ? undefined : "other content";
  }
}

async function hasContent(
  path: string,
  file: FileEntry,
  onBytes: (bytes: number) => void,
): Promise<boolean> {
  const handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await requireContent(handle, file, (chunk) => onBytes(chunk.length));
    return true;
  } catch (error) {
    // What cannot be read is damaged too: the copy that takes its place can be.
    const native = error instanceof Error && "code" in error ? error.code : undefined;
    if (error instanceof UpbeatError || native === "EIO") return false;
    throw error;
  } finally {
    closeSync(handle);
  }
}

async function unknownPaths(folder: string, payload: readonly TreeEntry[]): Promise<string[]> {
  const known = new Set<string>();
  const folders = new Set<string>([""]);
  for (const { path, type } of payload) {
    known.add(path);
    if (type === "folder") folders.add(path);
    for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1))
      folders.add(path.slice(0, end));
  }
  const unknown: string[] = [];
  for (const inside of folders) {
    const full = join(folder, inside);
    if (!lstatSync(full, { throwIfNoEntry: false })?.isDirectory()) continue;
    for (const name of readdirSync(full)) {
      const path = inside === "" ? name : `${inside}/${name}`;
      if (!known.has(path) && !folders.has(path)) unknown.push(path);
    }
    await breathe();
  }
  return unknown;
}
