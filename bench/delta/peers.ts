/**
 * What others make of the same pair. Archive tools get both trees as tar archives, sorted and with
 * equal metadata. Their bytes are the patch alone, without requests: in their favour.
 */
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  createReadStream,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { basename, delimiter, join } from "node:path";
import { type Cost, measured, together } from "./measuredCommand.ts";
import { rangeServer } from "./rangeServer.ts";

export interface PeerInput {
  readonly oldTree: string;
  readonly newTree: string;
  readonly oldTar: string;
  readonly newTar: string;
  /** Empty, and this peer's alone. */
  readonly folder: string;
}

export interface PeerResult {
  readonly bytes: number;
  readonly requests: number;
  readonly publish: Cost;
  readonly apply: Cost;
}

export interface Peer {
  readonly name: string;
  readonly program: string;
  /** Debian's package. */
  readonly install: string;
  run(input: PeerInput): Promise<PeerResult>;
}

const sizeOf = (file: string): number => statSync(file).size;

/** One that makes a patch between the archives and rebuilds the new one from it. */
const patcher = (
  about: Pick<Peer, "name" | "program" | "install">,
  make: (input: PeerInput, patch: string) => readonly string[],
  rebuild: (input: PeerInput, patch: string, out: string) => readonly string[],
  rebuilder = about.program,
): Peer => ({
  ...about,
  async run(input) {
    const patch = join(input.folder, "patch");
    const out = join(input.folder, "out");
    const publish = await measured(about.program, make(input, patch));
    const apply = await measured(rebuilder, rebuild(input, patch, out));
    await requireEqual(input.newTar, out);
    return { bytes: sizeOf(patch), requests: 1, publish, apply };
  },
});

const zstdFrom = (oldTar: string) => ["-q", "--long=31", `--patch-from=${oldTar}`];
const zstd = (level: number): Peer =>
  patcher(
    { name: `zstd -${level} --patch-from`, program: "zstd", install: "zstd" },
    ({ oldTar, newTar }, patch) => {
      const how = ["-T1", ...(level > 19 ? ["--ultra"] : []), `-${level}`];
      return [...how, ...zstdFrom(oldTar), newTar, "-o", patch];
    },
    ({ oldTar }, patch, out) => ["-d", ...zstdFrom(oldTar), patch, "-o", out],
  );

const xdeltaFrom = (oldTar: string) => ["-B", String(sizeOf(oldTar)), "-s", oldTar];
const xdelta3 = patcher(
  { name: "xdelta3 -9 lzma", program: "xdelta3", install: "xdelta3" },
  ({ oldTar, newTar }, patch) => {
    return ["-e", "-9", "-S", "lzma", ...xdeltaFrom(oldTar), newTar, patch];
  },
  ({ oldTar }, patch, out) => ["-d", ...xdeltaFrom(oldTar), patch, out],
);

const bsdiff = patcher(
  { name: "bsdiff", program: "bsdiff", install: "bsdiff" },
  ({ oldTar, newTar }, patch) => [oldTar, newTar, patch],
  ({ oldTar }, patch, out) => [oldTar, out, patch],
  "bspatch",
);

const casync: Peer = {
  name: "casync",
  program: "casync",
  install: "casync",
  async run({ oldTar, newTar, folder }) {
    const index = join(folder, "new.caibx");
    const [oldStore, newStore] = [join(folder, "old.castr"), join(folder, "new.castr")];
    const out = join(folder, "out");
    await measured("casync", ["make", `--store=${oldStore}`, join(folder, "old.caibx"), oldTar]);
    const publish = await measured("casync", ["make", `--store=${newStore}`, index, newTar]);
    const source = [`--store=${newStore}`, `--seed=${oldTar}`, index, out];
    const apply = await measured("casync", ["extract", ...source]);
    await requireEqual(newTar, out);
    const missing = missingFiles(newStore, oldStore);
    return {
      bytes: missing.bytes + sizeOf(index),
      requests: missing.files + 1,
      publish,
      apply,
    };
  },
};

/** Of the compressed archive, as it asks for (zsyncmake(1), -z); really fetched, requests counted. */
const zsync: Peer = {
  name: "zsync",
  program: "zsync",
  install: "zsync",
  async run({ oldTar, newTar, folder }) {
    const [control, out] = [join(folder, "new.zsync"), join(folder, "out")];
    const served = join(folder, "new.tar.gz");
    // It writes the compressed archive beside the one that it is given.
    symlinkSync(newTar, join(folder, "new.tar"));
    const made = ["-z", "-e", "-u", basename(served), "-o", control, "new.tar"];
    const publish = await measured("zsyncmake", made, folder);
    const server = await rangeServer(folder);
    try {
      const from = ["-q", "-i", oldTar, "-o", out, `${server.url}${basename(control)}`];
      const apply = await measured("zsync", from, folder);
      await requireEqual(newTar, out);
      return { ...server.traffic(), publish, apply };
    } finally {
      server.close();
    }
  },
};

const BRANCH = "bench";

/** Both trees as commits of an archive, as a server has them. */
async function ostreeCommits({ oldTree, newTree, folder }: PeerInput) {
  const repo = `--repo=${join(folder, "repo")}`;
  mkdirSync(join(folder, "repo"));
  await measured("ostree", [repo, "init", "--mode=archive"]);
  const plain = ["--owner-uid=0", "--owner-gid=0", "--no-xattrs", "--canonical-permissions"];
  const commit = async (tree: string) => {
    const args = [repo, "commit", ...plain, "-b", BRANCH, `--tree=dir=${tree}`];
    const done = await measured("ostree", args);
    return { id: done.output.trim(), cost: done };
  };
  const old = await commit(oldTree);
  const before = missingFiles(join(folder, "repo/objects"), join(folder, "nothing"));
  const fresh = await commit(newTree);
  const after = missingFiles(join(folder, "repo/objects"), join(folder, "nothing"));
  return {
    repo,
    old,
    fresh,
    added: { bytes: after.bytes - before.bytes, files: after.files - before.files },
  };
}

/** The commit's new objects; pulled over a local path, so its time is in its favour. */
const ostreePull: Peer = {
  name: "ostree pull",
  program: "ostree",
  install: "ostree",
  async run(input) {
    const { repo, old, fresh, added } = await ostreeCommits(input);
    const device = `--repo=${join(input.folder, "device")}`;
    mkdirSync(join(input.folder, "device"));
    await measured("ostree", [device, "init", "--mode=bare-user"]);
    const source = repo.slice("--repo=".length);
    await measured("ostree", [device, "pull-local", source, old.id]);
    const apply = await measured("ostree", [device, "pull-local", source, fresh.id]);
    return { bytes: added.bytes, requests: added.files, publish: fresh.cost, apply };
  },
};

/** Without the limit above which it leaves files out, which would be in our favour. */
const ostreeDelta: Peer = {
  name: "ostree static delta",
  program: "ostree",
  install: "ostree",
  async run(input) {
    const { repo, old, fresh } = await ostreeCommits(input);
    const file = join(input.folder, "delta");
    const limits = ["--min-fallback-size=0", "--max-bsdiff-size=400", "--inline"];
    const made = await measured("ostree", [
      ...[repo, "static-delta", "generate", ...limits],
      ...[`--filename=${file}`, `--from=${old.id}`, `--to=${fresh.id}`],
    ]);
    const device = `--repo=${join(input.folder, "device")}`;
    mkdirSync(join(input.folder, "device"));
    await measured("ostree", [device, "init", "--mode=bare-user"]);
    await measured("ostree", [device, "pull-local", repo.slice("--repo=".length), old.id]);
    const apply = await measured("ostree", [device, "static-delta", "apply-offline", file]);
    await measured("ostree", [device, "ls", "-R", fresh.id]);
    return { bytes: sizeOf(file), requests: 1, publish: together([fresh.cost, made]), apply };
  },
};

/** The slowest last. zstd at three levels: its default for this, its best, and its very best. */
export const PEERS: readonly Peer[] = [
  xdelta3,
  zstd(9),
  zstd(19),
  zstd(22),
  casync,
  zsync,
  ostreePull,
  ostreeDelta,
  bsdiff,
];

export function isInstalled({ program }: Peer): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function missingFiles(folder: string, other: string): { bytes: number; files: number } {
  const inFolder = (at: string) => {
    try {
      return readdirSync(at, { recursive: true, encoding: "utf8" });
    } catch {
      return [];
    }
  };
  const known = new Set(inFolder(other));
  const missing = inFolder(folder).filter((name) => !known.has(name));
  const files = missing.filter((name) => statSync(join(folder, name)).isFile());
  return {
    bytes: files.reduce((sum, name) => sum + sizeOf(join(folder, name)), 0),
    files: files.length,
  };
}

async function requireEqual(expected: string, found: string): Promise<void> {
  const [a, b] = [await hashOf(expected), await hashOf(found)];
  if (a !== b) throw new Error(`${found} is not ${expected}`);
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}
