/** What is really on a device: which version `current` is, whole to the hash, mode and link. */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** One line for each thing in a folder: path, kind, and mode with SHA-256 or link target. */
export type Tree = ReadonlyMap<string, string>;

export function readTree(folder: string): Tree {
  const tree = new Map<string, string>();
  const visit = (path: string) => {
    for (const name of readdirSync(join(folder, path)).toSorted()) {
      const at = path === "" ? name : `${path}/${name}`;
      const full = join(folder, at);
      const about = lstatSync(full);
      const mode = (about.mode & 0o7777).toString(8);
      if (about.isSymbolicLink()) tree.set(at, `link ${readlinkSync(full)}`);
      else if (about.isDirectory()) {
        tree.set(at, `folder ${mode}`);
        visit(at);
      } else {
        const sha256 = createHash("sha256").update(readFileSync(full)).digest("hex");
        tree.set(at, `file ${mode} ${sha256}`);
      }
    }
  };
  visit("");
  return tree;
}

/** `absent`, the name of the version that it is exactly, or what is wrong with it. */
export function versionOf(current: string, versions: ReadonlyMap<string, Tree>): string {
  let target: string;
  try {
    target = readlinkSync(current);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "absent";
    throw error;
  }
  const version = target.split("/").at(-1) ?? "";
  const expected = versions.get(version);
  if (expected === undefined) return `broken: current points to ${target}`;
  let found: Tree;
  try {
    found = readTree(current);
  } catch (error) {
    return `broken: ${version}: ${error instanceof Error ? error.message : error}`;
  }
  const wrong = differences(expected, found);
  return wrong.length === 0 ? version : `broken: ${version}: ${wrong.slice(0, 3).join("; ")}`;
}

export function differences(expected: Tree, found: Tree): string[] {
  return [...new Set([...expected.keys(), ...found.keys()])]
    .filter((path) => expected.get(path) !== found.get(path))
    .map((path) => `${path}: expected ${expected.get(path)}, found ${found.get(path)}`);
}

/**
 * All paths under a folder, with random names made equal: what a device looks like, to compare one
 * that was killed with one that was not. SQLite's side files come and go and are left out.
 */
export function shapeOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => !/-(?:wal|shm|journal)$/.test(path))
    .map((path) => path.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID"))
    .toSorted();
}
