/**
 * Who else holds the services' files: a second copy of a service, a backup, a database tool
 * (row 16). The kernel drops a lock with its process, so there is no lock of a dead process; there
 * may be one of a process that does not work any more.
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import type { DevicePaths } from "../../paths.ts";
import { check, type Seen } from "../check.ts";
import {
  commandLine,
  listServices,
  serviceProcesses,
  startAllAutomatic,
  stateFolderOf,
} from "../services.ts";
import { databaseFiles } from "./databases.ts";

const Facts = z.object({
  holders: z.array(
    z.object({
      service: z.string(),
      file: z.string(),
      pid: z.int(),
      program: z.string(),
      /** It is a copy of this very service that the manager did not start. */
      isStray: z.boolean(),
    }),
  ),
});

/** A backup or a look with a tool is over in a moment; whoever still holds it then is in the way. */
const PATIENCE_MS = 1_500;
const END_MS = 5_000;

export const locks = check({
  id: "locks",
  title: "Locks",
  rows: [16],
  facts: Facts,
  async look({ paths }) {
    const first = await holdersOf(paths);
    if (first.length === 0) return { holders: [] };
    await wait(PATIENCE_MS);
    const later = await holdersOf(paths);
    const still = first.filter((one) =>
      later.some((it) => it.pid === one.pid && it.file === one.file),
    );
    return { holders: still };
  },
  judge: ({ holders }) =>
    holders.map(({ service, file, pid, program, isStray }): Seen => {
      const who = `process ${pid} (${program}) holds ${file}`;
      const evidence = isStray
        ? [who, `it is a ${service} that the service manager did not start`]
        : [who];
      return { cause: "state-locked", object: `process ${pid}`, service, evidence };
    }),
  repairs: {
    "state-locked": {
      what: "End the process if it is a stray copy of the service; other programs are left alone",
      async apply({ paths }, { object }) {
        const pid = Number(object.replace("process ", ""));
        const isStray = (await strays(paths)).some((stray) => stray.pid === pid);
        if (!isStray) return [`${object} is not Upbeat's: it was left alone`];
        await endProcess(pid);
        await startAllAutomatic(paths).catch(() => undefined); // no manager: the next repair starts it
        return [`ended ${object}`];
      },
    },
  },
});

/** Asks first: a service that still can finishes what it is doing. */
async function endProcess(pid: number): Promise<void> {
  process.kill(pid, "SIGTERM");
  for (let waited = 0; waited < END_MS && commandLine(pid).length > 0; waited += 100)
    await wait(100);
  if (commandLine(pid).length > 0) process.kill(pid, "SIGKILL");
}

type Holder = z.infer<typeof Facts>["holders"][number];

async function holdersOf(paths: DevicePaths): Promise<Holder[]> {
  const stray = await strays(paths);
  const mine = new Set(serviceProcesses(paths).map(({ pid }) => pid));
  const locked = await lockedInodes();
  const found: Holder[] = [];
  for (const { service, file } of filesOf(paths)) {
    const about = await stat(file).catch(() => undefined);
    if (about === undefined) continue;
    const pids = new Set(locked.get(`${about.dev}:${about.ino}`));
    for (const pid of pids) {
      const isStray = stray.some((it) => it.pid === pid);
      if (pid === process.pid || (mine.has(pid) && !isStray)) continue;
      const program = commandLine(pid).join(" ").slice(0, 200) || "unknown";
      found.push({ service, file, pid, program, isStray });
    }
  }
  return found;
}

/** Copies of our services that are not the manager's, while a manager wants to run its own. */
async function strays(paths: DevicePaths): Promise<{ service: string; pid: number }[]> {
  const managed = await listServices(paths).catch(() => undefined);
  if (managed === undefined) return [];
  const known = new Set(managed.map(({ pid }) => pid));
  return serviceProcesses(paths).filter(({ pid }) => !known.has(pid));
}

function filesOf(paths: DevicePaths): { service: string; file: string }[] {
  return databaseFiles(paths).flatMap(({ service, file }) => [
    { service, file: join(stateFolderOf(paths, service), "instance.lock") },
    // A writer's lock is on the file itself or, with WAL, on its shared memory.
    { service, file },
    { service, file: `${file}-shm` },
  ]);
}

/**
 * Processes by `device:inode`, from /proc/locks (proc(5)): exclusive locks, and shared ones that
 * keep a database from being written (SQLite's rollback mode; WAL readers hold nobody up).
 */
async function lockedInodes(): Promise<Map<string, number[]>> {
  const text = await readFile("/proc/locks", "utf8").catch(() => "");
  const found = new Map<string, number[]>();
  for (const line of text.split("\n")) {
    const match = /^\d+: \S+\s+\S+\s+WRITE\s+(\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /.exec(line);
    if (match === null) continue;
    const [, pid, major, minor, inode] = match;
    const key = `${deviceNumber(parseInt(major ?? "0", 16), parseInt(minor ?? "0", 16))}:${inode}`;
    found.set(key, [...(found.get(key) ?? []), Number(pid)]);
  }
  return found;
}

/** makedev(3) of glibc, as far as 32 bits go. */
const deviceNumber = (major: number, minor: number): number =>
  (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12);
