/**
 * Applies one patch, in a thread of its own: it runs without a pause, and the socket is answered
 * meanwhile. Old files are read from the store by pieces, new ones go straight into it under the hash
 * that they turn out to have, so nothing in the store ever has a wrong name. Not flushed.
 *
 * In: `PatchJob` as workerData. Out: `PatchMessage`.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { applyDelta } from "../../../content/delta/apply.ts";
import type { ByteSource } from "../../../content/delta/byteSource.ts";
import { malformed } from "../../../content/delta/malformed.ts";
import { completeEntries, readTreePatch, type TreePatch } from "../../../content/treePatch.ts";
import type { ErrorReport } from "../../../protocol/errors/error.ts";
import { reportError, UpbeatError } from "../../../protocol/errors/upbeatError.ts";
import { isFile } from "../../../protocol/fileEntry.ts";
import type { Sha256 } from "../../../protocol/ids.ts";
import type { FileEntry, TreeEntry } from "../../../protocol/payload.ts";
import { killPoint } from "../../killPoint.ts";
import { passed } from "../collectGarbage.ts";
import { asDiskError, MAKING, objectPath } from "../contentStore.ts";
import { writeAll } from "../hashFile.ts";

export interface PatchJob {
  /** A file of our own, its hash verified. */
  readonly patch: string;
  readonly store: string;
  readonly old: readonly TreeEntry[];
  /** Of new files, at most: what was signed, and what there is room for. */
  readonly writeBytes: number;
}

export type PatchMessage =
  | { readonly kind: "written"; readonly bytes: number }
  | { readonly kind: "done"; readonly entries: TreeEntry[]; readonly made: number }
  | { readonly kind: "failed"; readonly error: ErrorReport };

const tell = (message: PatchMessage): void => parentPort?.postMessage(message);

/** Often enough for a progress bar. */
const TOLD_BYTES = 1024 * 1024;
/** Old files that are open at once. */
const OPEN_FILES = 64;

function apply({ patch, store, old, writeBytes }: PatchJob): {
  entries: TreeEntry[];
  made: number;
} {
  const source = fileSource(openSync(patch, constants.O_RDONLY | constants.O_NOFOLLOW));
  const read = readTreePatch(source, old);
  const fresh = freshFiles(read, writeBytes);
  const oldFiles = old.filter(isFile);
  const open = openFiles();
  const sink = storeSink(store, fresh);
  applyDelta({
    patch: read.delta,
    old: (file) => open(store, oldFiles[file]),
    fresh: (file) => fresh.get(file) && { ...(fresh.get(file) as FreshFile), sha256: undefined },
    sink,
  });
  const entries = completeEntries(read, (file) => {
    const sha256 = sink.made.get(file);
    if (sha256 === undefined) throw malformed(`it does not make file ${file}`);
    return sha256;
  });
  return { entries, made: sink.made.size };
}

interface FreshFile {
  readonly sizeBytes: number;
  readonly mode: number;
}

/** What the patch makes, by index; together no more than was signed. */
function freshFiles({ entries }: TreePatch, writeBytes: number): Map<number, FreshFile> {
  const files = entries.filter((entry) => entry.type === "file");
  const fresh = new Map<number, FreshFile>();
  let total = 0;
  for (const [index, { sizeBytes, mode, sha256 }] of files.entries()) {
    if (sha256 !== undefined) continue;
    fresh.set(index, { sizeBytes, mode });
    total += sizeBytes;
  }
  if (total > writeBytes) throw malformed(`it makes ${total} bytes, ${writeBytes} are signed`);
  return fresh;
}

function openFiles(): (store: string, file: FileEntry | undefined) => ByteSource {
  const handles = new Map<string, number>();
  return (store, file) => {
    if (file === undefined) throw malformed("it reads a file that the old list does not have");
    const path = objectPath(store, file);
    const { sizeBytes } = file;
    return {
      sizeBytes,
      read(offset, target) {
        const handle = handles.get(path) ?? openOld(path, file);
        // The one that was used last is the last to be closed.
        handles.delete(path);
        handles.set(path, handle);
        const [oldest] = handles;
        if (oldest !== undefined && handles.size > OPEN_FILES) {
          handles.delete(oldest[0]);
          closeSync(oldest[1]);
        }
        readFully(handle, offset, target, file.sha256);
      },
    };
  };
}

function openOld(path: string, { sha256 }: FileEntry): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    throw new UpbeatError("UPB-DELTA-WRONG-BASE", { object: sha256, cause });
  }
}

const fileSource = (handle: number): ByteSource => ({
  sizeBytes: fstatSync(handle).size,
  read: (offset, target) => readFully(handle, offset, target, "the patch"),
});

function readFully(handle: number, offset: number, target: Uint8Array, object: string): void {
  for (let done = 0; done < target.length; ) {
    const count = readSync(handle, target, done, target.length - done, offset + done);
    if (count === 0) {
      const detail = `it ends at byte ${offset + done}`;
      throw new UpbeatError("UPB-DELTA-WRONG-BASE", { object, detail });
    }
    done += count;
  }
}

/** One file is written at a time; one that is cut into parts is gone on with. */
function storeSink(store: string, fresh: ReadonlyMap<number, FreshFile>) {
  const folder = join(store, MAKING);
  const made = new Map<number, Sha256>();
  const begun = new Set<number>();
  let written = 0;
  let current: { file: number; handle: number } | undefined;
  const pathOf = (file: number) => join(folder, String(file));

  const close = () => {
    if (current !== undefined) closeSync(current.handle);
    current = undefined;
  };
  const handleOf = (file: number): number => {
    if (current?.file === file) return current.handle;
    close();
    const flags = begun.has(file) ? "a" : "wx";
    const handle = openSync(pathOf(file), flags, 0o600);
    begun.add(file);
    current = { file, handle };
    return handle;
  };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    made,
    write(file: number, bytes: Uint8Array) {
      writeAll(handleOf(file), bytes);
      written += bytes.length;
      if (written >= TOLD_BYTES) {
        tell({ kind: "written", bytes: written });
        written = 0;
      }
      passed(bytes.length);
    },
    finish(file: number, hash: string) {
      const sha256 = hash as Sha256; // as `node:crypto` writes it
      const { mode } = fresh.get(file) ?? { mode: 0o600 };
      fchmodSync(handleOf(file), mode);
      close();
      const target = objectPath(store, { sha256, mode });
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
      renameSync(pathOf(file), target);
      made.set(file, sha256);
      killPoint("patch:file-made");
    },
  };
}

try {
  tell({ kind: "done", ...apply(workerData as PatchJob) });
} catch (error) {
  tell({
    kind: "failed",
    error: reportError(asDiskError(error, "UPB-DOWNLOAD-DISK-FULL", "store")),
  });
}
