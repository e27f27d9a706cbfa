/** A small file system of its own, so that a test can fill it: tmpfs, which only root may mount. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, statfsSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

export const canMount = process.getuid?.() === 0;

export interface SmallDisk {
  readonly path: string;
  /** Leaves so little free, or nothing; returns the file whose removal makes room again. */
  fill(leaveBytes?: number): string;
  /** Leaves no inode free, so that nothing new can be named. */
  fillNames(): string;
  setReadOnly(readOnly: boolean): void;
  unmount(): void;
}

export function smallDisk(path: string, sizeBytes: number, files: number): SmallDisk {
  mkdirSync(path, { recursive: true });
  mount("-t", "tmpfs", "-o", `size=${sizeBytes},nr_inodes=${files}`, "tmpfs", path);
  return {
    path,
    fill(leaveBytes = 0) {
      const filler = join(path, "filler");
      const file = openSync(filler, "w");
      try {
        // Others write meanwhile: what counts is what is left.
        for (let free = freeBytes(path); free > leaveBytes; free = freeBytes(path))
          writeSync(file, new Uint8Array(Math.min(free - leaveBytes, CHUNK_BYTES)));
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
      } finally {
        closeSync(file);
      }
      return filler;
    },
    fillNames() {
      const folder = join(path, "many");
      mkdirSync(folder);
      for (let at = statfsSync(path).ffree; at > 0; at--) writeFileSync(join(folder, `${at}`), "");
      return folder;
    },
    setReadOnly: (readOnly) => mount("-o", `remount,${readOnly ? "ro" : "rw"}`, path),
    // Lazily: a process that was just ended may hold a file a moment longer.
    unmount: () => void spawnSync("umount", ["-l", path]),
  };
}

const CHUNK_BYTES = 64 * 1024;

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

function mount(...args: string[]): void {
  const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}
