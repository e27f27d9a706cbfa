/**
 * The content-addressed store that all versions of all products share: `store/AB/SHA256.MODE`.
 *
 * Versions are made of hard links into it (or reflinks, where the file system has them), and a hard
 * link shares its mode with all others, so the mode is part of the name. Whoever can write to an
 * installed file can change the store's copy: every object is hashed again before it is used.
 */
import { createHash, type Hash } from "node:crypto";
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Sha256 } from "../../protocol/ids.ts";
import type { FileEntry } from "../../protocol/manifest.ts";

export type StoredFile = Pick<FileEntry, "sha256" | "sizeBytes" | "mode">;

/** One read: large enough for the disk, small enough for memory. */
const CHUNK_BYTES = 1024 * 1024;
/** How long file work may hold up the socket's API. */
const TURN_MS = 20;

export const objectPath = (
  store: string,
  { sha256, mode }: Pick<StoredFile, "sha256" | "mode">,
): string => join(store, sha256.slice(0, 2), `${sha256}.${mode.toString(8)}`);

/** Cheap: the size only. `linkFromStore` hashes. */
export function isStored(store: string, file: StoredFile): boolean {
  return statSync(objectPath(store, file), { throwIfNoEntry: false })?.size === file.sizeBytes;
}

/**
 * Copies what was downloaded into the store, hashing what is written, and only then gives it its
 * name. The source is opened once and never by name again: another process may own its folder.
 * Errors: UPB-VERIFY-CONTENT, UPB-DOWNLOAD-DISK-FULL.
 */
export async function adopt(store: string, source: string, file: StoredFile): Promise<void> {
  const target = objectPath(store, file);
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const beside = `${target}.new`;
  rmSync(beside, { force: true });
  const from = openUntrusted(source, file.sha256);
  try {
    const to = openSync(beside, "wx", 0o600);
    try {
      const found = await hashFile(from, file.sizeBytes, (chunk) => writeAll(to, chunk));
      requireHash(file, found);
      fchmodSync(to, file.mode);
    } finally {
      closeSync(to);
    }
    renameSync(beside, target);
  } catch (error) {
    rmSync(beside, { force: true });
    throw asDiskFull(error, target);
  } finally {
    closeSync(from);
  }
}

/**
 * The same content under another mode, from the store itself. False: there is none.
 * Errors: UPB-VERIFY-CONTENT.
 */
export async function adoptSibling(store: string, file: StoredFile): Promise<boolean> {
  const folder = dirname(objectPath(store, file));
  if (!existsSync(folder)) return false;
  const sibling = readdirSync(folder).find(
    (name) => name.startsWith(`${file.sha256}.`) && !name.endsWith(".new"),
  );
  if (sibling === undefined) return false;
  await adopt(store, join(folder, sibling), file);
  return true;
}

/**
 * Puts a stored object at `path`, after hashing it. A changed object is removed, alone.
 * Errors: UPB-VERIFY-CONTENT, UPB-VERIFY-MISSING.
 */
export async function linkFromStore(
  store: string,
  file: StoredFile,
  path: string,
  onRead: (bytes: number) => void,
): Promise<void> {
  const object = objectPath(store, file);
  let handle: number;
  try {
    handle = openSync(object, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    throw new UpbeatError("UPB-VERIFY-MISSING", { object: file.sha256, cause });
  }
  try {
    const { mode, size } = fstatSync(handle);
    const found = size === file.sizeBytes ? await hashFile(handle, size, onChunk) : undefined;
    if (found?.sha256 !== file.sha256 || (mode & 0o7777) !== file.mode) {
      rmSync(object, { force: true });
      throw new UpbeatError("UPB-VERIFY-CONTENT", {
        object: file.sha256,
        detail: "it was changed on this machine",
      });
    }
  } finally {
    closeSync(handle);
  }
  place(object, path);
  function onChunk(chunk: Uint8Array): void {
    onRead(chunk.length);
  }
}

let canReflink = true;

function place(object: string, path: string): void {
  if (canReflink) {
    try {
      copyFileSync(object, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
      return;
    } catch {
      canReflink = false; // ext4 has none; one store is on one file system, so asking once will do
      rmSync(path, { force: true });
    }
  }
  linkSync(object, path);
}

/** A regular file, not followed through a link, not waited for if it is a pipe. */
function openUntrusted(path: string, object: string): number {
  const handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if (fstatSync(handle).isFile()) return handle;
  closeSync(handle);
  throw new UpbeatError("UPB-VERIFY-CONTENT", { object, detail: "it is not a regular file" });
}

async function hashFile(
  handle: number,
  sizeBytes: number,
  onChunk: (chunk: Uint8Array) => void,
): Promise<{ sha256: string; sizeBytes: number }> {
  const hash: Hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(1, sizeBytes + 1)));
  let total = 0;
  for (;;) {
    const count = readSync(handle, buffer, 0, buffer.length, null);
    if (count === 0) break;
    total += count;
    // Never more than was signed, whatever is there.
    if (total > sizeBytes) break;
    const chunk = buffer.subarray(0, count);
    hash.update(chunk);
    onChunk(chunk);
    await breathe();
  }
  return { sha256: hash.digest("hex"), sizeBytes: total };
}

function requireHash(file: StoredFile, found: { sha256: string; sizeBytes: number }): void {
  if (found.sizeBytes === file.sizeBytes && found.sha256 === file.sha256) return;
  const detail =
    found.sizeBytes === file.sizeBytes
      ? `found ${found.sha256}`
      : `expected ${file.sizeBytes} bytes, found ${found.sizeBytes > file.sizeBytes ? "more" : found.sizeBytes}`;
  throw new UpbeatError("UPB-VERIFY-CONTENT", { object: file.sha256, detail });
}

function writeAll(handle: number, chunk: Uint8Array): void {
  for (let done = 0; done < chunk.length; ) done += writeSync(handle, chunk, done);
}

let turnStartedMs = performance.now();

/** File work is done in one thread with the API; this lets the API answer in between. */
export async function breathe(): Promise<void> {
  if (performance.now() - turnStartedMs < TURN_MS) return;
  await turn();
  turnStartedMs = performance.now();
}

export function asDiskFull(error: unknown, object: string): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  if (error.code !== "ENOSPC" && error.code !== "EDQUOT") return error;
  return new UpbeatError("UPB-INSTALL-DISK-FULL", { object, cause: error });
}

/** Removes every object that `isNeeded` does not name. Returns the bytes that it freed. */
export function collect(store: string, isNeeded: (objectName: string) => boolean): number {
  if (!existsSync(store)) return 0;
  let freedBytes = 0;
  for (const shard of readdirSync(store)) {
    for (const name of readdirSync(join(store, shard))) {
      if (isNeeded(name)) continue;
      const path = join(store, shard, name);
      freedBytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      rmSync(path, { force: true });
    }
  }
  return freedBytes;
}

export const objectName = ({ sha256, mode }: { sha256: Sha256; mode: number }): string =>
  `${sha256}.${mode.toString(8)}`;
