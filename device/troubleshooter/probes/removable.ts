/**
 * What can safely go when a disk is full, largest first: Upbeat's own leftovers, which --fix removes,
 * and what a person may remove. Never history, never what an installed version or a rollback needs.
 */
import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { DevicePaths } from "../../paths.ts";
import type { StateFacts } from "./state.ts";

export interface Removable {
  readonly path: string;
  readonly bytes: number;
  readonly ours: boolean;
  readonly what: string;
}

/** A folder of a million files must not hold the check up. */
const MAX_ENTRIES = 20_000;

export async function removableThings(paths: DevicePaths, state: StateFacts): Promise<Removable[]> {
  const found = await Promise.all([
    ownLogs(paths),
    brokenDownloads(paths, state),
    setAside(paths),
    others(),
  ]);
  return found.flat().toSorted((a, b) => b.bytes - a.bytes);
}

/** The largest files of a file system, not those of another one mounted in it; what a bounded walk finds. */
export async function largestFiles(
  mount: string,
  count: number,
): Promise<{ path: string; bytes: number }[]> {
  const files: { path: string; bytes: number }[] = [];
  const device = await lstat(mount).then((it) => it.dev);
  const open = [mount];
  let seen = 0;
  // Breadth first: what fills a disk seldom lies deep.
  for (
    let folder = open.shift();
    folder !== undefined && seen < MAX_ENTRIES;
    folder = open.shift()
  ) {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      seen += 1;
      const path = join(folder, entry.name);
      if (!entry.isDirectory() && !entry.isFile()) continue;
      const about = await lstat(path).catch(() => undefined);
      if (about === undefined || about.dev !== device) continue;
      if (about.isDirectory()) open.push(path);
      else files.push({ path, bytes: about.blocks * 512 });
    }
  }
  return files.toSorted((a, b) => b.bytes - a.bytes).slice(0, count);
}

/** `NAME.log` is being written; what was rotated away is only there to be read. */
const ownLogs = async ({ logs }: DevicePaths): Promise<Removable[]> =>
  await measured(logs, (name) => /\.log\.\d+$/.test(name), true, "an old log");

/** Parts of downloads, unless one is going on or waits to go on. */
async function brokenDownloads(paths: DevicePaths, { records }: StateFacts): Promise<Removable[]> {
  if (records.some(({ state }) => state === "downloading")) return [];
  return await measured(
    join(paths.updateServiceState, "incoming"),
    () => true,
    true,
    "part of a download that is not going on",
  );
}

/** Databases that were found damaged and replaced: kept to be looked at, not needed to run. */
async function setAside(paths: DevicePaths): Promise<Removable[]> {
  const isAside = (name: string) => /\.db\.(?:corrupt|damaged|set-aside)-/.test(name);
  const what = "a damaged database that was replaced";
  return (
    await Promise.all(
      [paths.updateServiceState, paths.orchestratorState].map((folder) =>
        measured(folder, isAside, true, what),
      ),
    )
  ).flat();
}

const OTHERS: readonly (readonly [string, string])[] = [
  ["/var/cache/apt/archives", "downloaded packages: `apt-get clean`"],
  ["/var/log/journal", "the system's journal: `journalctl --vacuum-size=100M`"],
  ["/var/lib/systemd/coredump", "memory images of crashed programs"],
  ["/var/crash", "memory images of crashed programs"],
];

const others = async (): Promise<Removable[]> =>
  (
    await Promise.all(
      OTHERS.map(async ([path, what]) => ({ path, what, ours: false, bytes: await sizeOf(path) })),
    )
  ).filter(({ bytes }) => bytes > 1_000_000);

async function measured(
  folder: string,
  wanted: (name: string) => boolean,
  ours: boolean,
  what: string,
): Promise<Removable[]> {
  const names = await readdir(folder).catch(() => []);
  return await Promise.all(
    names.filter(wanted).map(async (name) => {
      const path = join(folder, name);
      return { path, ours, what, bytes: await sizeOf(path) };
    }),
  );
}

/** What it takes on the disk; 0 when it is not there. */
async function sizeOf(path: string): Promise<number> {
  const about = await lstat(path).catch(() => undefined);
  if (about === undefined) return 0;
  if (!about.isDirectory()) return about.blocks * 512;
  let bytes = 0;
  let seen = 0;
  const open = [path];
  for (let folder = open.pop(); folder !== undefined && seen < MAX_ENTRIES; folder = open.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      seen += 1;
      const child = join(folder, entry.name);
      if (entry.isDirectory()) open.push(child);
      else
        bytes += await stat(child).then(
          (it) => it.blocks * 512,
          () => 0,
        );
    }
  }
  return bytes;
}
