/** `memory.*`, `cpu.*`, `disk.*` and `partition.*`, in bytes. */
import { existsSync, readFileSync, statfsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { dirname } from "node:path";
import type { Facts } from "../../../protocol/deviceApi.ts";

/** Free space in steps, so that the inventory is not another one every second. */
const FREE_STEP_BYTES = 256 * 1024 * 1024;
const MAX_PARTITIONS = 32;

export function memoryFacts(): Facts {
  return { "memory.totalBytes": totalmem(), "cpu.count": availableParallelism() };
}

/** Of the file system where updates are installed. */
export function diskFacts(installFolder: string): Facts {
  let folder = installFolder;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return spaceFacts("disk", statfsSync(folder));
}

/** Of every mounted partition of a local disk: `partition./boot.freeBytes`. */
export async function partitionFacts(): Promise<Facts> {
  const mounts = parseMounts(readFileSync("/proc/self/mountinfo", "utf8"));
  const facts: Facts = {};
  for (const { mountPoint, type } of mounts.slice(0, MAX_PARTITIONS)) {
    const name = `partition.${mountPoint}`;
    Object.assign(facts, spaceFacts(name, await statfs(mountPoint)), { [`${name}.type`]: type });
  }
  return facts;
}

/**
 * proc_pid_mountinfo(5). Only what lies on a block device: asking a network file system whose
 * server is away would hang for ever. A device that is mounted twice counts once.
 */
export function parseMounts(text: string): { mountPoint: string; type: string }[] {
  const seen = new Set<string>();
  return text.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , device = "", , mountPoint = ""] = before.split(" ");
    const [type = "", source = ""] = after.split(" ");
    if (!source.startsWith("/dev/") || seen.has(device) || mountPoint.length > 120) return [];
    seen.add(device);
    return [{ mountPoint: unescaped(mountPoint), type }];
  });
}

/** Spaces and line ends are written in octal there. */
const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );

function spaceFacts(name: string, space: { bsize: number; blocks: number; bavail: number }): Facts {
  const freeBytes = space.bsize * space.bavail;
  return {
    [`${name}.totalBytes`]: space.bsize * space.blocks,
    [`${name}.freeBytes`]: freeBytes - (freeBytes % FREE_STEP_BYTES),
  };
}
