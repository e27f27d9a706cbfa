/**
 * The arbiter: what a manifest needs against what this machine has, as an action list.
 *
 * Pure. The same bytes are fetched once, however many paths hold them.
 */
import type { Sha256 } from "../protocol/ids.ts";
import type { FileEntry, TreeEntry, UpdateManifest } from "../protocol/manifest.ts";

export interface ContentObject {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

export interface ActionList {
  /** Brought from the server, largest first, so that the slowest transfer starts early. */
  readonly fetch: readonly ContentObject[];
  readonly fetchBytes: number;
  readonly reuseBytes: number;
  /** Free space that the download and the install need together. */
  readonly diskNeededBytes: number;
}

/** A directory entry and an inode: 4 KiB is one block of ext4. */
const ENTRY_BYTES = 4096;

export const isFile = (entry: TreeEntry): entry is FileEntry => entry.type === "file";

export function planActions(
  manifest: UpdateManifest,
  isHere: (content: ContentObject) => boolean,
): ActionList {
  const wanted = new Map<Sha256, ContentObject>();
  for (const entry of manifest.payload) {
    if (isFile(entry))
      wanted.set(entry.sha256, { sha256: entry.sha256, sizeBytes: entry.sizeBytes });
  }
  const fetch: ContentObject[] = [];
  let reuseBytes = 0;
  for (const content of wanted.values()) {
    if (isHere(content)) reuseBytes += content.sizeBytes;
    else fetch.push(content);
  }
  fetch.sort((a, b) => b.sizeBytes - a.sizeBytes);
  const fetchBytes = sum(fetch);
  // One object at a time is here twice: as it arrived, and as the store's own copy.
  const twice = fetch[0]?.sizeBytes ?? 0;
  const entriesBytes = manifest.payload.length * ENTRY_BYTES;
  return {
    fetch,
    fetchBytes,
    reuseBytes,
    diskNeededBytes: fetchBytes + twice + entriesBytes + manifest.diskNeededBytes,
  };
}

const sum = (contents: readonly ContentObject[]): number =>
  contents.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
