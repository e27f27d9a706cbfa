/**
 * Replaces a small file so that after a power cut it holds the old bytes or the new ones, whole:
 * written beside, flushed, renamed, and the folder flushed, because a rename that is only in memory
 * is lost with the power.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** Makes missing folders. Errors: those of the system calls, with the temporary file removed. */
export function writeDurably(path: string, bytes: Uint8Array | string, mode: number): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  const beside = `${path}.${process.pid}.new`;
  rmSync(beside, { force: true });
  try {
    const file = openSync(beside, "wx", mode);
    try {
      writeFileSync(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  flushFolder(folder);
}

/**
 * Removes what a process that was killed in the middle of `writeDurably` left below a folder. Only
 * for whoever is alone there, before anything is written.
 */
export function removeUnfinished(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }))
    if (/\.\d+\.new$/.test(name)) rmSync(join(folder, name), { force: true });
}

export function flushFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
