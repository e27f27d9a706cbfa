/**
 * The content-addressed store that all versions of all products share: `store/AB/SHA256.MODE`.
 *
 * Versions are made of hard links into it (or reflinks, where the file system has them), and a hard
 * link shares its mode with all others, so the mode is part of the name. Whoever can write to an
 * installed file can change the store's copy: every object is hashed again before it is used.
 */
import {
  chmodSync,
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
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { UpbeatError } from "../../protocol/errors/upbeatError.ts";
import type { Sha256 } from "../../protocol/ids.ts";
import type { FileEntry } from "../../protocol/payload.ts";
import { breathe, requireContent, requirePieces, writeAll } from "./hashFile.ts";
import { openUntrusted } from "./untrustedFile.ts";

export type StoredFile = Pick<FileEntry, "sha256" | "sizeBytes" | "mode">;
type Named = Pick<StoredFile, "sha256" | "mode">;

export const objectName = ({ sha256, mode }: Named): string => `${sha256}.${mode.toString(8)}`;

export const objectPath = (store: string, file: Named): string =>
  join(store, file.sha256.slice(0, 2), objectName(file));

/** Which contents are here, and under which modes. By name only: nothing of it is verified. */
export function storedModes(store: string): Map<Sha256, Set<number>> {
  const modes = new Map<Sha256, Set<number>>();
  for (const { name } of objectsOf(store)) {
    const [text = "", mode = ""] = name.split(".");
    const sha256 = text as Sha256; // only if the name is that of an object, which is asked next
    if (objectName({ sha256, mode: parseInt(mode, 8) }) !== name) continue;
    const known = modes.get(sha256);
    if (known === undefined) modes.set(sha256, new Set([parseInt(mode, 8)]));
    else known.add(parseInt(mode, 8));
  }
  return modes;
}

/** A folder of the store for files whose hash is not known yet. What is left there is tidied away. */
export const MAKING = "making";

/** Takes over what the downloader brought. Errors: UPB-VERIFY-CONTENT, UPB-DOWNLOAD-DISK-FULL. */
export async function adopt(store: string, arrived: string, file: StoredFile): Promise<void> {
  const { handle } = openUntrusted(arrived);
  try {
    await write(store, handle, file);
  } finally {
    closeSync(handle);
  }
}

/**
 * The same content under another mode, from the store itself. False: there is none (any more: one
 * that was changed is removed). Errors: UPB-DOWNLOAD-DISK-FULL.
 */
export async function adoptSibling(store: string, file: StoredFile): Promise<boolean> {
  const folder = dirname(objectPath(store, file));
  if (!existsSync(folder)) return false;
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${file.sha256}.`) || name.endsWith(".new")) continue;
    const handle = openSync(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      await write(store, handle, file);
      return true;
    } catch (error) {
      if (!isChanged(error)) throw error;
      rmSync(join(folder, name), { force: true });
    } finally {
      closeSync(handle);
    }
  }
  return false;
}

/**
 * Copies while hashing, so that what is hashed is what is kept, and only then gives it its name.
 * Not flushed: whoever relies on it flushes the store first.
 */
const write = (store: string, from: number, file: StoredFile): Promise<void> =>
  put(store, file, (to) => requireContent(from, file, (chunk) => writeAll(to, chunk)));

/** The same for what comes in pieces. Errors: UPB-VERIFY-CONTENT, UPB-DOWNLOAD-DISK-FULL. */
export const adoptPieces = (
  store: string,
  file: StoredFile,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> =>
  put(store, file, (to) => requirePieces(pieces, file, (chunk) => writeAll(to, chunk)));

async function put(
  store: string,
  file: StoredFile,
  fill: (to: number) => Promise<void>,
): Promise<void> {
  const target = objectPath(store, file);
  const beside = `${target}.new`;
  try {
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    rmSync(beside, { force: true });
    const to = openSync(beside, "wx", 0o600);
    try {
      await fill(to);
      fchmodSync(to, file.mode);
    } finally {
      closeSync(to);
    }
    renameSync(beside, target);
  } catch (error) {
    rmSync(beside, { force: true });
    throw asDiskError(error, "UPB-DOWNLOAD-DISK-FULL", target);
  }
}

/**
 * Hashes a stored object. One that was changed is removed, alone.
 * Errors: UPB-VERIFY-CONTENT, UPB-VERIFY-MISSING.
 */
export async function requireStored(
  store: string,
  file: StoredFile,
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
    const mode = fstatSync(handle).mode & 0o7777;
    if (mode !== file.mode) {
      const detail = `expected mode ${file.mode.toString(8)}, found ${mode.toString(8)}`;
      throw new UpbeatError("UPB-VERIFY-CONTENT", { object: file.sha256, detail });
    }
    await requireContent(handle, file, (chunk) => onRead(chunk.length));
  } catch (error) {
    if (isChanged(error)) rmSync(object, { force: true });
    throw error;
  } finally {
    closeSync(handle);
  }
}

/** Whether it is here and whole; what was changed is gone afterwards. */
export async function isStored(
  store: string,
  file: StoredFile,
  onRead: (bytes: number) => void,
): Promise<boolean> {
  try {
    await requireStored(store, file, onRead);
    return true;
  } catch (error) {
    if (error instanceof UpbeatError) return false;
    throw error;
  }
}

let canReflink = true;

/** Puts a stored object at `path`. Call `requireStored` first. */
export function place(store: string, file: Named, path: string): void {
  const object = objectPath(store, file);
  if (canReflink) {
    try {
      copyFileSync(object, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
      chmodSync(path, file.mode);
      return;
    } catch {
      canReflink = false; // ext4 has none; one store is on one file system, so asking once will do
      rmSync(path, { force: true });
    }
  }
  try {
    linkSync(object, path);
  } catch (error) {
    // ext4 allows 65,000 names for a file: a tree may hold more empty ones.
    if (!(error instanceof Error && "code" in error && error.code === "EMLINK")) throw error;
    copyFileSync(object, path, constants.COPYFILE_EXCL);
    chmodSync(path, file.mode);
  }
}

/** Removes every object that `isNeeded` does not name. */
export async function collect(store: string, isNeeded: (name: string) => boolean): Promise<void> {
  for (const { shard, name } of objectsOf(store)) {
    if (!isNeeded(name)) rmSync(join(store, shard, name), { force: true });
    await breathe();
  }
}

function* objectsOf(store: string): Generator<{ shard: string; name: string }> {
  if (!existsSync(store)) return;
  for (const shard of readdirSync(store))
    for (const name of readdirSync(join(store, shard))) yield { shard, name };
}

const isChanged = (error: unknown): boolean =>
  error instanceof UpbeatError && error.code === "UPB-VERIFY-CONTENT";

export function asDiskError(
  error: unknown,
  code: "UPB-DOWNLOAD-DISK-FULL" | "UPB-INSTALL-DISK-FULL",
  object: string,
): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  if (error.code === "EROFS" || error.code === "EACCES")
    return new UpbeatError("UPB-STATE-UNWRITABLE", { object, cause: error });
  if (error.code !== "ENOSPC" && error.code !== "EDQUOT") return error;
  return new UpbeatError(code, { object, cause: error });
}
