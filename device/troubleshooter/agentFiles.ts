/**
 * Upbeat's own files against the list that its build made of them. It finds damage and edits, not an
 * attacker: whoever may write these files may write the list too.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";

/** Beside the root folders of the programs. */
const LIST = "files.json";
/** Where programs of ours stand; a build has no others. */
const FOLDERS = ["protocol", "core", "content", "device", "cli", "web"];

const FileList = z.object({ files: z.record(z.string(), z.string()) });

/** Writes the list of what stands in `folder` now: the last step of a build. */
export async function listAgentFiles(folder: string): Promise<void> {
  const files: Record<string, string> = {};
  for (const name of await namesIn(folder)) files[name] = await sha256Of(join(folder, name));
  await writeFile(join(folder, LIST), `${JSON.stringify({ files }, undefined, 1)}\n`);
}

/** Undefined: there is no list. Of at most `limitMs`; what was not reached is not judged. */
export async function changedAgentFiles(
  folder: string,
  limitMs: number,
): Promise<{ checked: number; all: number; changed: { path: string; why: string }[] } | undefined> {
  const text = await readFile(join(folder, LIST), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const listed = Object.entries(FileList.parse(JSON.parse(text)).files);
  const untilMs = performance.now() + limitMs;
  const changed: { path: string; why: string }[] = [];
  let checked = 0;
  for (const [name, sha256] of listed) {
    if (performance.now() > untilMs) break;
    const path = join(folder, name);
    const found = await sha256Of(path).catch((error: unknown) =>
      error instanceof Error && "code" in error ? String(error.code) : String(error),
    );
    if (found === "ENOENT") changed.push({ path, why: "it is missing" });
    else if (found !== sha256) changed.push({ path, why: "its content is another one" });
    checked += 1;
  }
  return { checked, all: listed.length, changed };
}

async function namesIn(folder: string): Promise<string[]> {
  const found = await Promise.all(
    FOLDERS.map(async (top) => {
      const entries = await readdir(join(folder, top), {
        recursive: true,
        withFileTypes: true,
      }).catch(() => []);
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
    }),
  );
  return found.flat().toSorted();
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
