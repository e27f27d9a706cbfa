/**
 * Which trees may be published and installed. Pure; the same rules on both sides, because a
 * publisher can be wrong and a device must not depend on that.
 *
 * Refused: names that could leave the tree, names that another file system would take for the same
 * (case, Unicode normalisation), links that point out of the tree, and anything ambiguous.
 */
import { posix } from "node:path";
import { UpbeatError } from "../protocol/errors/error.ts";
import type { TreeEntry } from "../protocol/payload.ts";

/** NAME_MAX of Linux's file systems. */
const MAX_NAME_BYTES = 255;
/** PATH_MAX is 4,096 with the folder that the tree is put in; the rest is left for that. */
const MAX_PATH_BYTES = 3_072;
/** Ten times the largest package seen (linux-headers, some 25,000); bounds memory and time. */
const MAX_ENTRIES = 250_000;
/** Links through links: the kernel follows at most 40 (path_resolution(7)). */
const MAX_LINK_STEPS = 40;

/** Errors: UPB-TREE-NAME, -DUPLICATE, -LINK, -ORDER, -TOO-MANY. `object` names the update. */
export function requireSafeTree(entries: readonly TreeEntry[], object: string): void {
  if (entries.length > MAX_ENTRIES) {
    throw new UpbeatError("UPB-TREE-TOO-MANY", {
      object,
      detail: `${entries.length} entries, at most ${MAX_ENTRIES}`,
    });
  }
  const byPath = new Map<string, TreeEntry>();
  const folded = new Map<string, string>();
  let before: string | undefined;
  for (const entry of entries) {
    const problem = nameProblem(entry.path);
    if (problem !== undefined)
      throw new UpbeatError("UPB-TREE-NAME", {
        object,
        detail: `${JSON.stringify(entry.path)}: ${problem}`,
      });
    requireSorted(before, entry.path, object);
    before = entry.path;
    requireDistinct(folded, entry.path, object);
    byPath.set(entry.path, entry);
  }
  for (const entry of entries) {
    requireRealParents(entry, byPath, object);
    if (entry.type === "link") requireInside(entry.path, entry.target, byPath, object);
  }
}

function nameProblem(path: string): string | undefined {
  if (path === "") return "an empty name";
  if (path.startsWith("/")) return "an absolute path";
  if (!path.isWellFormed()) return "not valid Unicode";
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `longer than ${MAX_PATH_BYTES} bytes`;
  for (const name of path.split("/")) {
    if (name === "" || name === "." || name === "..") return `the part ${JSON.stringify(name)}`;
    // Newlines and other control characters forge lines in logs and lists.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (/[\u0000-\u001f\u007f\\]/.test(name)) return "a control character or a backslash";
    if (Buffer.byteLength(name) > MAX_NAME_BYTES)
      return `a name longer than ${MAX_NAME_BYTES} bytes`;
  }
  return undefined;
}

function requireSorted(before: string | undefined, path: string, object: string): void {
  if (before === undefined || compareCodePoints(before, path) < 0) return;
  const code = before === path ? "UPB-TREE-DUPLICATE" : "UPB-TREE-ORDER";
  throw new UpbeatError(code, {
    object,
    detail: `${JSON.stringify(path)} after ${JSON.stringify(before)}`,
  });
}

/** UTF-8 bytes sort as code points do; JavaScript's own order differs beyond the BMP. */
export const compareCodePoints = (a: string, b: string): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Every folder above counts too: `A/x` and `a/y` meet in one folder where case does not matter. */
function requireDistinct(folded: Map<string, string>, path: string, object: string): void {
  for (let end = path.indexOf("/"); ; end = path.indexOf("/", end + 1)) {
    const part = end === -1 ? path : path.slice(0, end);
    const key = part.normalize("NFKC").toLowerCase().toUpperCase().normalize("NFKC");
    const other = folded.get(key);
    if (other !== undefined && other !== part) {
      throw new UpbeatError("UPB-TREE-DUPLICATE", {
        object,
        detail: `${JSON.stringify(part)} and ${JSON.stringify(other)}`,
      });
    }
    folded.set(key, part);
    if (end === -1) return;
  }
}

/** A file or a link used as a folder would send what is under it elsewhere. */
function requireRealParents(
  entry: TreeEntry,
  byPath: ReadonlyMap<string, TreeEntry>,
  object: string,
): void {
  for (let end = entry.path.indexOf("/"); end !== -1; end = entry.path.indexOf("/", end + 1)) {
    const parent = byPath.get(entry.path.slice(0, end));
    if (parent === undefined || parent.type === "folder") continue;
    throw new UpbeatError("UPB-TREE-LINK", {
      object,
      detail: `${JSON.stringify(entry.path)} goes through a ${parent.type}`,
    });
  }
}

/** Follows a link as the kernel would, part by part, and refuses as soon as it leaves the tree. */
function requireInside(
  path: string,
  target: string,
  byPath: ReadonlyMap<string, TreeEntry>,
  object: string,
): void {
  const refuse = (why: string): never => {
    throw new UpbeatError("UPB-TREE-LINK", {
      object,
      detail: `${JSON.stringify(path)} -> ${JSON.stringify(target)}: ${why}`,
    });
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (target === "" || /[\u0000-\u001f\u007f\\]/.test(target))
    refuse("an empty or unprintable target");
  if (Buffer.byteLength(target) > MAX_PATH_BYTES) refuse("too long");
  let at: string[] = folderOf(path);
  const todo = target.split("/");
  if (posix.isAbsolute(target)) refuse("it is absolute");
  for (let steps = 0; todo.length > 0; ) {
    const part = todo.shift();
    if (part === undefined || part === "" || part === ".") continue;
    if (part === "..") {
      if (at.length === 0) refuse("it leaves the tree");
      at = at.slice(0, -1);
      continue;
    }
    at = [...at, part];
    const met = byPath.get(at.join("/"));
    if (met?.type !== "link") continue;
    steps += 1;
    if (steps > MAX_LINK_STEPS) refuse("links in a circle");
    if (posix.isAbsolute(met.target)) refuse("it leads through an absolute link");
    at = at.slice(0, -1);
    todo.unshift(...met.target.split("/"));
  }
}

const folderOf = (path: string): string[] => path.split("/").slice(0, -1);
