/** `memory.*`, `cpu.*` and `disk.*`, in bytes. */
import { existsSync, statfsSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { dirname } from "node:path";
import type { Facts } from "../../../protocol/deviceApi.ts";

/** Free space in steps, so that the inventory is not another one every second. */
const FREE_STEP_BYTES = 256 * 1024 * 1024;

export function memoryFacts(): Facts {
  return { "memory.totalBytes": totalmem(), "cpu.count": availableParallelism() };
}

/** Of the file system where updates are installed. */
export function diskFacts(installFolder: string): Facts {
  let folder = installFolder;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const { bsize, blocks, bavail } = statfsSync(folder);
  const freeBytes = bsize * bavail;
  return {
    "disk.totalBytes": bsize * blocks,
    "disk.freeBytes": freeBytes - (freeBytes % FREE_STEP_BYTES),
  };
}
