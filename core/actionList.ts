/**
 * The arbiter: what a manifest needs against what this machine has, as an action list.
 *
 * Pure. The same bytes are fetched once, however many paths and modes hold them. An object of the
 * store is one content under one mode, because hard links share their mode.
 */
import type { Sha256 } from "../protocol/ids.ts";
import { type FileEntry, isFile, type TreeEntry } from "../protocol/payload.ts";

export interface ContentObject {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

/** One content and the store objects to make of it: one entry for each mode that is missing. */
export interface ContentWork extends ContentObject {
  readonly files: readonly FileEntry[];
}

export interface ActionList {
  /** Brought from the server, largest first, so that the slowest transfer starts early. */
  readonly fetch: readonly ContentWork[];
  /** In the store under another mode: copied there. */
  readonly copy: readonly ContentWork[];
  readonly fetchBytes: number;
  readonly reuseBytes: number;
  /** What lies in the folder of arrivals at most, at any moment. */
  readonly incomingBytes: number;
  /** Free space that the download and the install need together, beside `incomingBytes`. */
  readonly diskNeededBytes: number;
}

/** A directory entry and an inode: 4 KiB is one block of ext4. */
const ENTRY_BYTES = 4096;

/** One entry for each content and mode. */
export function distinctFiles(payload: readonly TreeEntry[]): FileEntry[] {
  const files = new Map<string, FileEntry>();
  for (const entry of payload) {
    const name = isFile(entry) ? `${entry.sha256}.${entry.mode}` : "";
    if (isFile(entry) && !files.has(name)) files.set(name, entry);
  }
  return [...files.values()];
}

/**
 * `modesHere`: under which modes the store has that content, verified. `extraBytes`: what the
 * manifest wants free on top.
 */
export function planActions(
  payload: readonly TreeEntry[],
  extraBytes: number,
  modesHere: (content: ContentObject) => ReadonlySet<number>,
  transfersAtOnce: number,
): ActionList {
  const fetch: ContentWork[] = [];
  const copy: ContentWork[] = [];
  let reuseBytes = 0;
  for (const wanted of Map.groupBy(distinctFiles(payload), ({ sha256 }) => sha256).values()) {
    const [{ sha256, sizeBytes } = { sha256: undefined, sizeBytes: 0 }] = wanted;
    if (sha256 === undefined) continue;
    const here = modesHere({ sha256, sizeBytes });
    const files = wanted.filter(({ mode }) => !here.has(mode));
    if (here.size > 0) reuseBytes += sizeBytes;
    if (files.length > 0) (here.size > 0 ? copy : fetch).push({ sha256, sizeBytes, files });
  }
  fetch.sort((a, b) => b.sizeBytes - a.sizeBytes);
  const newObjects = [...fetch, ...copy].flatMap(({ files }) => files);
  return {
    fetch,
    copy,
    fetchBytes: sum(fetch),
    reuseBytes,
    incomingBytes: sum(fetch.slice(0, transfersAtOnce)),
    diskNeededBytes:
      sum(newObjects) + (newObjects.length + payload.length) * ENTRY_BYTES + extraBytes,
  };
}

const sum = (contents: readonly { sizeBytes: number }[]): number =>
  contents.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
