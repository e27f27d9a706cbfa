/** Every file system that Upbeat writes to: space, inodes, writable (rows 12 and 13). */
import { access, constants, rm, statfs } from "node:fs/promises";
import { basename } from "node:path";
import { z } from "zod";
import type { DevicePaths } from "../../paths.ts";
import { check, type Seen } from "../check.ts";
import { mountOf, nearestExisting, readMounts } from "../probes/mounts.ts";
import { largestFiles, type Removable, removableThings } from "../probes/removable.ts";

const Volume = z.object({
  mount: z.string(),
  device: z.string(),
  type: z.string(),
  /** Which of our folders are on it. */
  folders: z.array(z.string()),
  readOnly: z.boolean(),
  /** What writing there says, if it says anything. */
  error: z.string().optional(),
  freeBytes: z.number(),
  sizeBytes: z.number(),
  freeInodes: z.number(),
  inodes: z.number(),
  /** Of those that are nobody's of ours, when space is short. */
  largest: z.array(z.object({ path: z.string(), bytes: z.number() })),
  removable: z.array(
    z.object({ path: z.string(), bytes: z.number(), ours: z.boolean(), what: z.string() }),
  ),
});

const Facts = z.object({
  volumes: z.array(Volume),
  /** The newest failure for want of space: how much the update service asked for. */
  wantedBytes: z.number().optional(),
});

/** The update service's own reserve: `device/update-service/space.ts`. */
const RESERVE_BYTES = 64 * 1024 * 1024;
const RESERVE_SHARE = 0.02;
/** Less than any small update makes. */
const FEW_INODES = 200;
const SHOWN = 5;

export const fileSystems = check({
  id: "file-systems",
  title: "Disk space and file systems",
  rows: [12, 13],
  facts: Facts,
  async look(machine) {
    const { paths } = machine;
    const volumes: z.infer<typeof Volume>[] = [];
    const mounts = await readMounts();
    for (const folder of foldersOf(paths)) {
      const there = await nearestExisting(folder);
      const mount = mountOf(mounts, there);
      const known = volumes.find((volume) => volume.mount === mount.mount);
      if (known !== undefined) {
        known.folders.push(folder);
        known.error ??= await writeError(there);
        continue;
      }
      const { bavail, blocks, bsize, ffree, files } = await statfs(there);
      const error = await writeError(there);
      volumes.push({
        ...mount,
        folders: [folder],
        ...(error === undefined ? {} : { error }),
        freeBytes: bavail * bsize,
        sizeBytes: blocks * bsize,
        freeInodes: ffree,
        inodes: files,
        largest: [],
        removable: [],
      });
    }
    const removable = await removableThings(paths, machine.state());
    for (const thing of removable) {
      const { mount } = mountOf(mounts, thing.path);
      volumes.find((volume) => volume.mount === mount)?.removable.push(thing);
    }
    const wantedBytes = spaceWanted(machine.state().records);
    for (const volume of volumes) {
      if (volume.freeBytes >= neededOn(volume, wantedBytes)) continue;
      volume.largest = await largestFiles(volume.mount, SHOWN);
    }
    return { volumes, ...(wantedBytes === undefined ? {} : { wantedBytes }) };
  },
  judge: ({ volumes, wantedBytes }) =>
    volumes.flatMap((volume) => seenOn(volume, neededOn(volume, wantedBytes))),
  repairs: {
    "disk-full": {
      what: "Remove what Upbeat itself no longer needs: old logs, other servers' caches, broken downloads",
      byItself: true,
      async apply(machine, symptom) {
        const mounts = await readMounts();
        const gone: string[] = [];
        for (const thing of await removableThings(machine.paths, machine.state())) {
          if (!thing.ours || mountOf(mounts, thing.path).mount !== symptom.object) continue;
          await rm(thing.path, { recursive: true, force: true });
          gone.push(`removed ${thing.path} (${size(thing.bytes)}): ${thing.what}`);
        }
        return gone.length > 0 ? gone : ["nothing of Upbeat's own could go"];
      },
    },
  },
});

type Volume = z.infer<typeof Volume>;

/** The reserve, and what an update that failed for want of space asked for. */
function neededOn({ sizeBytes, folders }: Volume, wantedBytes = 0): number {
  const reserve = Math.min(RESERVE_BYTES, sizeBytes * RESERVE_SHARE);
  const holdsUpdates = folders.some((folder) => basename(folder) === "installed");
  return Math.max(reserve, holdsUpdates ? wantedBytes : 0);
}

function seenOn(volume: Volume, needed: number): Seen[] {
  const object = volume.mount;
  const where = `${volume.device} (${volume.type}) holds ${volume.folders.join(", ")}`;
  if (volume.readOnly || volume.error === "EROFS") {
    return [{ cause: "read-only-mount", object, evidence: [where, "it is mounted read-only"] }];
  }
  const seen: Seen[] = [];
  // tmpfs without a limit and some others count neither blocks nor inodes.
  if (volume.sizeBytes > 0 && volume.freeBytes < needed) {
    const evidence = [
      where,
      `${size(volume.freeBytes)} of ${size(volume.sizeBytes)} are free, ${size(needed)} are needed`,
      ...safeToRemove(volume.removable),
      ...volume.largest.map(({ path, bytes }) => `largest files there: ${path}, ${size(bytes)}`),
    ];
    seen.push({ cause: "disk-full", object, evidence });
  }
  if (
    volume.inodes > 0 &&
    volume.freeInodes < Math.min(FEW_INODES, volume.inodes * RESERVE_SHARE)
  ) {
    const evidence = [where, `${volume.freeInodes} of ${volume.inodes} inodes are free`];
    seen.push({ cause: "inodes-full", object, evidence });
  }
  return seen;
}

const safeToRemove = (things: readonly Removable[]): string[] =>
  things
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, SHOWN)
    .map((it) => `can go: ${it.path}, ${size(it.bytes)}, ${it.what}`);

function spaceWanted(
  records: readonly {
    state: string;
    error?: { code: string; detail?: string | undefined } | undefined;
  }[],
) {
  const wanted = records
    .filter((it) => it.state === "failed" && it.error?.code === "UPB-DOWNLOAD-NO-SPACE")
    .map((it) => Number(/needs (\d+) bytes/.exec(it.error?.detail ?? "")?.[1] ?? 0));
  return wanted.length === 0 ? undefined : Math.max(...wanted);
}

const foldersOf = (paths: DevicePaths): string[] => [
  paths.updateServiceState,
  paths.orchestratorState,
  paths.managerState,
  paths.installed,
  paths.logs,
  paths.run,
];

async function writeError(folder: string): Promise<string | undefined> {
  try {
    await access(folder, constants.W_OK);
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

function size(bytes: number): string {
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
