/**
 * The repository as files, laid out so that any static server can serve them:
 * `repo/metadata/N.ROLE.json`, `repo/metadata/timestamp.json`, `repo/targets/…`.
 *
 * Versioned and hashed names never change. A new set becomes visible all at once, in three durable
 * steps under `work/`: `staged` (all but snapshot and timestamp, before the signer is asked),
 * `ready` (complete: from here on it is published, whatever happens), then each file is linked into
 * place, timestamp last. A server that died in between goes on where it stopped.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { z } from "zod";
import { flushFolder, writeDurably } from "../content/durableFile.ts";
import { SnapshotMeta } from "./signer/rules.ts";

/** Files by their path below the repository, in the order in which they are to appear. */
export type FileSet = readonly (readonly [path: string, bytes: Uint8Array])[];

export interface RepositoryFiles {
  read(path: string): Uint8Array | undefined;
  sizeOf(path: string): number | undefined;
  /** Where it is on the disk: for what is too large to be read whole. */
  pathOf(path: string): string;
  /** Everything that is there. */
  list(): string[];
  remove(path: string): void;
  /** Highest N of `metadata/N.root.json`; 0: there is none. */
  rootVersion(): number;
  /** Keeps a set that nobody sees yet, and what its snapshot is to name. */
  stage(files: FileSet, meta: SnapshotMeta): void;
  staged(): { readonly meta: SnapshotMeta; read(path: string): Uint8Array | undefined } | undefined;
  dropStaged(): void;
  /** Shows what is staged, and these after it. Repeatable: call it again when it failed. */
  show(last: FileSet): void;
  /** Finishes what was ready to be shown. */
  finish(): void;
  /** New files and, last, a changed one; each whole or not at all. */
  replace(files: FileSet): void;
  /** One that may be lost: whole, but not flushed. */
  put(path: string, bytes: Uint8Array): void;
  /** Names of `metadata/after-N.bundle`. */
  bundles(): string[];
}

/** `last`: what was added when the signer had answered. */
const Plan = z.object({
  paths: z.array(z.string()),
  last: z.array(z.string()),
  meta: SnapshotMeta,
});
type Plan = z.infer<typeof Plan>;
const PLAN = "plan.json";
const MODE = 0o644;

/** `step` hears after every step that a crash could follow. */
export function repositoryFiles(
  data: string,
  step: (name: string) => void = () => {},
): RepositoryFiles {
  const repo = join(data, "repo");
  const work = join(data, "work");
  const at = (path: string) => join(repo, path);
  const [staging, staged, ready] = ["staging", "staged", "ready"].map((name) => join(work, name));
  if (staging === undefined || staged === undefined || ready === undefined)
    throw new RangeError("three names");
  mkdirSync(join(repo, "metadata"), { recursive: true, mode: 0o755 });
  mkdirSync(work, { recursive: true, mode: 0o700 });
  // Never complete, so never seen by anybody.
  rmSync(staging, { recursive: true, force: true });

  const planOf = (folder: string): Plan | undefined =>
    existsSync(join(folder, PLAN))
      ? Plan.parse(JSON.parse(readFileSync(join(folder, PLAN), "utf8")))
      : undefined;
  const writePlan = (folder: string, plan: Plan) =>
    writeDurably(join(folder, PLAN), JSON.stringify(plan), 0o600);
  const remove = (folder: string) => {
    rmSync(folder, { recursive: true, force: true });
    flushFolder(work);
  };

  const finish = (): void => {
    const plan = planOf(ready);
    if (plan === undefined) return;
    const paths = [...plan.paths, ...plan.last];
    const folders = new Set<string>();
    for (const [index, path] of paths.entries()) {
      // What the timestamp leads to must be on the disk before it.
      if (index === paths.length - 1) for (const folder of folders) flushFolder(folder);
      linkInto(join(ready, String(index)), at(path));
      for (let folder = dirname(at(path)); folder.startsWith(repo); folder = dirname(folder))
        folders.add(folder);
      step(`shown ${path}`);
    }
    flushFolder(join(repo, "metadata"));
    remove(ready);
    step("finished");
  };

  return {
    read: (path) => (existsSync(at(path)) ? readFileSync(at(path)) : undefined),
    sizeOf: (path) => statSync(at(path), { throwIfNoEntry: false })?.size,
    pathOf: at,
    list: () =>
      readdirSync(repo, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(repo, join(entry.parentPath, entry.name))),
    remove(path) {
      rmSync(at(path), { force: true });
      step(`removed ${path}`);
    },
    rootVersion: () =>
      Math.max(
        0,
        ...readdirSync(at("metadata")).map((name) =>
          Number(/^(\d+)\.root\.json$/.exec(name)?.[1] ?? 0),
        ),
      ),
    stage(files, meta) {
      remove(staging);
      mkdirSync(staging);
      for (const [index, [, bytes]] of files.entries())
        writeFlushed(join(staging, String(index)), bytes);
      step("staging");
      writePlan(staging, { paths: files.map(([path]) => path), last: [], meta });
      remove(staged);
      renameSync(staging, staged);
      flushFolder(work);
      step("staged");
    },
    staged() {
      const plan = planOf(staged);
      if (plan === undefined) return undefined;
      const read = (path: string) => {
        const index = plan.paths.indexOf(path);
        return index === -1 ? undefined : readFileSync(join(staged, String(index)));
      };
      return { meta: plan.meta, read };
    },
    dropStaged: () => remove(staged),
    show(last) {
      const plan = planOf(staged);
      if (plan === undefined) return finish();
      for (const [index, [, bytes]] of last.entries())
        writeDurably(join(staged, String(plan.paths.length + index)), bytes, MODE);
      writePlan(staged, { ...plan, last: last.map(([path]) => path) });
      step("complete");
      renameSync(staged, ready);
      flushFolder(work);
      step("ready");
      finish();
    },
    finish,
    replace(files) {
      for (const [path, bytes] of files) writeDurably(at(path), bytes, MODE);
    },
    put(path, bytes) {
      writeFileSync(`${at(path)}.new`, bytes, { mode: MODE });
      renameSync(`${at(path)}.new`, at(path));
    },
    bundles: () => readdirSync(at("metadata")).filter((name) => /^after-\d+\.bundle$/.test(name)),
  };
}

/** Into a folder that nobody looks into yet; `writePlan` flushes the folder. */
function writeFlushed(path: string, bytes: Uint8Array): void {
  const file = openSync(path, "wx", MODE);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** In place under its name at once and whole; done twice it is done. */
function linkInto(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  const beside = `${target}.new`;
  rmSync(beside, { force: true });
  linkSync(source, beside);
  renameSync(beside, target);
  // Renaming one link of a file over another of the same does nothing (rename(2)).
  rmSync(beside, { force: true });
}
