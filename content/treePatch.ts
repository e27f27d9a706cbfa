/**
 * The patch object of a delivery: one file that leads from one tree to another, list and contents.
 *
 *   "UPBP" 1   moves (one packed block)   outline (a delta, empty when it is the same)   delta
 *
 * The delta (`delta/`) makes the files whose content the old tree has under no name. The outline is
 * the new list without sizes and hashes, as lines; it comes as a delta from the outline of the old
 * one. A file of the new list has the content that the delta makes for it, or that of the old file
 * that `moves` names, or that of the old file of the same path. So no hash travels: hashes do not
 * compress, and whoever applies the patch computes them anyway. The finished list must be the one
 * that the manifest names.
 *
 * Files are named by their index among the files of their list. Errors: UPB-DELTA-MALFORMED,
 * UPB-DELTA-WRONG-BASE, and those of reading files.
 */
import { createHash } from "node:crypto";
import { isFile, PAYLOAD_MAX_BYTES } from "../protocol/fileEntry.ts";
import type { Sha256 } from "../protocol/ids.ts";
import type { FileEntry, TreeEntry } from "../protocol/payload.ts";
import { applyDelta, filesOfDelta } from "./delta/apply.ts";
import { type ByteSource, readBytes, sourceOfBytes, sourcePart } from "./delta/byteSource.ts";
import { packBlock, unpackBlock } from "./delta/compress.ts";
import { encodeDelta } from "./delta/encode.ts";
import { malformed } from "./delta/malformed.ts";
import { ByteList, VarintReader } from "./delta/varint.ts";
import { type OutlineEntry, outlineOf, parseOutline } from "./outline.ts";

/** "UPBP" and the version of the format. */
const MAGIC = [0x55, 0x50, 0x42, 0x50, 1];
/** Two numbers of at most five bytes for each of the entries that a tree may have. */
const MOVES_MAX_BYTES = 4 * 2 ** 20;
/** The magic and five numbers of at most five bytes. */
const LEAD_BYTES = 32;

export interface PatchSide {
  readonly entries: readonly TreeEntry[];
  readonly open: (file: FileEntry) => ByteSource;
}

/** What a patch leads to, as far as it is known before it is applied. */
export interface TreePatch {
  /** In the list's order. A file that the patch makes has no hash yet. */
  readonly entries: readonly PatchedEntry[];
  /** Old files that must be there, whole. */
  readonly reads: readonly number[];
  /** For `applyDelta`, with `old` and `fresh` by the same indexes. */
  readonly delta: ByteSource;
}

export type PatchedEntry =
  | Exclude<TreeEntry, FileEntry>
  | (Omit<FileEntry, "sha256"> & { readonly sha256: Sha256 | undefined });

export async function encodeTreePatch(old: PatchSide, fresh: PatchSide): Promise<Uint8Array> {
  const oldFiles = old.entries.filter(isFile);
  const freshFiles = fresh.entries.filter(isFile);
  const treeFiles = (side: PatchSide, files: readonly FileEntry[]) =>
    files.map((file) => ({ path: file.path, sha256: file.sha256, ...side.open(file) }));
  const delta = await encodeDelta({
    old: treeFiles(old, oldFiles),
    fresh: treeFiles(fresh, freshFiles),
  });
  const moves = await packBlock(writeMoves(movesOf(oldFiles, freshFiles)));
  const outline = await encodeOutline(outlineOf(old.entries), outlineOf(fresh.entries));
  const list = new ByteList();
  for (const byte of MAGIC) list.byte(byte);
  list.byte(moves.codec);
  list.varint(moves.rawBytes);
  list.varint(moves.bytes.length);
  list.varint(outline.length);
  list.append(moves.bytes);
  list.append(outline);
  list.append(delta);
  return list.view().slice();
}

export function readTreePatch(patch: ByteSource, old: readonly TreeEntry[]): TreePatch {
  const reader = new VarintReader(readBytes(patch, 0, Math.min(LEAD_BYTES, patch.sizeBytes)));
  if (MAGIC.some((byte) => reader.varint(255) !== byte)) throw malformed("it is not one");
  const codec = reader.varint(255);
  const rawBytes = reader.varint(MOVES_MAX_BYTES);
  const movesBytes = reader.varint(patch.sizeBytes);
  const outlineBytes = reader.varint(patch.sizeBytes);
  const outlineAt = reader.position + movesBytes;
  const deltaAt = outlineAt + outlineBytes;
  if (deltaAt > patch.sizeBytes) throw malformed("it ends early");
  const packed = readBytes(patch, reader.position, movesBytes);
  const moves = readMoves(unpackBlock({ codec, rawBytes, bytes: packed }));
  const delta = sourcePart(patch, deltaAt, patch.sizeBytes - deltaAt);
  const oldOutline = outlineOf(old);
  const outline =
    outlineBytes === 0
      ? oldOutline
      : applyOutline(sourcePart(patch, outlineAt, outlineBytes), oldOutline);
  const oldFiles = old.filter(isFile);
  const { old: reads, freshBytes } = filesOfDelta(delta, (file) => {
    const { sizeBytes } = oldFiles[file] ?? {};
    if (sizeBytes === undefined) throw malformed(`there is no old file ${file}`);
    return sizeBytes;
  });
  const entries = fillIn(parseOutline(outline), old, moves, freshBytes);
  return { entries, reads, delta };
}

/** The list when all hashes are known; `sha256Of` is asked for the files that the patch makes. */
export function completeEntries(
  { entries }: TreePatch,
  sha256Of: (file: number) => Sha256,
): TreeEntry[] {
  let file = 0;
  return entries.map((entry) => {
    if (entry.type !== "file") return entry;
    const index = file++;
    return { ...entry, sha256: entry.sha256 ?? sha256Of(index) };
  });
}

/** Which old file has the content of a new one, where that is not the one of the same path. */
type Moves = ReadonlyMap<number, number>;

function movesOf(oldFiles: readonly FileEntry[], freshFiles: readonly FileEntry[]): Moves {
  const byPath = new Map(oldFiles.map((file) => [file.path, file.sha256]));
  // From the end, so that of several with the same content the first stays.
  const byContent = new Map(oldFiles.map((file, index) => [file.sha256, index] as const).reverse());
  const moves = new Map<number, number>();
  for (const [index, { path, sha256 }] of freshFiles.entries()) {
    const from = byContent.get(sha256);
    if (from !== undefined && byPath.get(path) !== sha256) moves.set(index, from);
  }
  return moves;
}

function writeMoves(moves: Moves): Uint8Array {
  const list = new ByteList();
  let [nextFresh, nextOld] = [0, 0];
  for (const [fresh, old] of moves) {
    list.varint(fresh - nextFresh);
    list.signed(old - nextOld);
    [nextFresh, nextOld] = [fresh + 1, old + 1];
  }
  return list.view();
}

function readMoves(bytes: Uint8Array): Moves {
  const reader = new VarintReader(bytes);
  const moves = new Map<number, number>();
  let [nextFresh, nextOld] = [0, 0];
  while (!reader.done) {
    const fresh = nextFresh + reader.varint(2 ** 24);
    const old = nextOld + reader.signed(2 ** 24);
    moves.set(fresh, old);
    [nextFresh, nextOld] = [fresh + 1, old + 1];
  }
  return moves;
}

async function encodeOutline(old: Uint8Array, fresh: Uint8Array): Promise<Uint8Array> {
  if (Buffer.from(old).equals(fresh)) return new Uint8Array();
  return encodeDelta({ old: [textFile(old)], fresh: [textFile(fresh)] });
}

const textFile = (bytes: Uint8Array) => ({
  path: "outline",
  sha256: createHash("sha256").update(bytes).digest("hex"),
  ...sourceOfBytes(bytes),
});

function applyOutline(patch: ByteSource, old: Uint8Array): Uint8Array {
  const sizeBytes = filesOfDelta(patch, () => old.length).freshBytes.get(0);
  if (sizeBytes === undefined || sizeBytes > PAYLOAD_MAX_BYTES)
    throw malformed("its outline is none");
  const fresh = new Uint8Array(sizeBytes);
  let at = 0;
  applyDelta({
    patch,
    old: (file) => {
      if (file !== 0) throw malformed("an outline is made from one");
      return sourceOfBytes(old);
    },
    fresh: (file) => (file === 0 ? { sizeBytes, sha256: undefined } : undefined),
    sink: {
      write: (_file, bytes) => {
        fresh.set(bytes, at);
        at += bytes.length;
      },
      finish: () => {},
    },
  });
  return fresh;
}

function fillIn(
  outline: readonly OutlineEntry[],
  old: readonly TreeEntry[],
  moves: Moves,
  madeBytes: ReadonlyMap<number, number>,
): PatchedEntry[] {
  const oldFiles = old.filter(isFile);
  const byPath = new Map(oldFiles.map((file) => [file.path, file]));
  let files = 0;
  const entries = outline.map((entry): PatchedEntry => {
    if (entry.type !== "file") return entry;
    const index = files++;
    const sizeBytes = madeBytes.get(index);
    if (sizeBytes !== undefined) return { ...entry, sizeBytes, sha256: undefined };
    const moved = moves.get(index);
    const from = moved === undefined ? byPath.get(entry.path) : oldFiles[moved];
    if (from === undefined) throw malformed(`it does not say what ${entry.path} holds`);
    return { ...entry, sizeBytes: from.sizeBytes, sha256: from.sha256 };
  });
  for (const index of [...madeBytes.keys(), ...moves.keys()])
    if (index >= files) throw malformed(`it has no file ${index}`);
  return entries;
}
