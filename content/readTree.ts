/**
 * Reads a folder as the entries of a manifest: every file hashed, links as they are, folders (the
 * empty ones too), sorted by path. Says what is there, not whether it may be published: that is
 * `treeRules.ts`.
 *
 * Errors: UPB-TREE-KIND for anything that is not a file, a link or a folder, UPB-TREE-NAME for a
 * name that is not Unicode, UPB-TREE-UNREADABLE.
 */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { createReadStream, type Stats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { UpbeatError } from "../protocol/errors/error.ts";
import { Sha256 } from "../protocol/ids.ts";
import type { TreeEntry } from "../protocol/payload.ts";
import { compareCodePoints } from "./treeRules.ts";

/** `hashed` hears the bytes of each piece that was read. */
export async function readTree(
  folder: string,
  hashed: (bytes: number) => void = () => {},
): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  const visit = async (parent: string): Promise<void> => {
    for (const name of await namesIn(folder, parent)) {
      const path = parent === "" ? name : `${parent}/${name}`;
      const entry = await readEntry(folder, path, hashed);
      entries.push(entry);
      if (entry.type === "folder") await visit(path);
    }
  };
  await visit("");
  return entries.sort((one, other) => compareCodePoints(one.path, other.path));
}

async function namesIn(folder: string, parent: string): Promise<string[]> {
  const object = join(folder, parent);
  // As bytes: Node would put replacement characters for what is not UTF-8, and then not find it.
  const names = await readable(object, () => readdir(object, { encoding: "buffer" }));
  return names.map((name) => {
    if (isUtf8(name)) return name.toString("utf8");
    throw new UpbeatError("UPB-TREE-NAME", {
      object,
      detail: `${name.toString("latin1")}: not UTF-8`,
    });
  });
}

async function readEntry(
  folder: string,
  path: string,
  hashed: (bytes: number) => void,
): Promise<TreeEntry> {
  const full = join(folder, path);
  const about = await readable(full, () => lstat(full));
  // Set-uid, set-gid and sticky never travel.
  const mode = about.mode & 0o777;
  if (about.isDirectory()) return { type: "folder", path, mode };
  if (about.isSymbolicLink()) {
    return { type: "link", path, target: await readable(full, () => readlink(full)) };
  }
  if (!about.isFile()) {
    throw new UpbeatError("UPB-TREE-KIND", { object: full, detail: kindOf(about) });
  }
  const hash = createHash("sha256");
  // Counted, not taken from `lstat`: both must describe the same bytes.
  let sizeBytes = 0;
  await readable(full, async () => {
    for await (const chunk of createReadStream(full)) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      hashed(chunk.length);
    }
  });
  return { type: "file", path, sizeBytes, mode, sha256: Sha256.parse(hash.digest("hex")) };
}

async function readable<T>(object: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new UpbeatError("UPB-TREE-UNREADABLE", { object, cause });
  }
}

function kindOf(about: Stats): string {
  if (about.isFIFO()) return "a named pipe";
  if (about.isSocket()) return "a socket";
  return about.isBlockDevice() || about.isCharacterDevice() ? "a device" : "of an unknown kind";
}
