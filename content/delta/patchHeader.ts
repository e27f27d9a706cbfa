/**
 * The beginning of a patch. After the magic and the version stands one packed block, the header;
 * after it the blocks of all streams, in the order in which the header lists them.
 *
 * Paths, sizes and hashes of files are in the signed manifests and not here: files are named by
 * their index in the manifest's list.
 */

import type { MovedPiece } from "./addressMap.ts";
import { type ByteSource, readBytes } from "./byteSource.ts";
import { MAX_BLOCK_BYTES, type PackedBlock, unpackBlock } from "./compress.ts";
import type { ElfSegment } from "./elf.ts";
import { malformed } from "./malformed.ts";
import { ByteList, VarintReader } from "./varint.ts";

/** "UPBD" and the version of the format. */
const MAGIC = [0x55, 0x50, 0x42, 0x44, 1];
/** Of each of the three lists of steps: bounds what a reader keeps in memory. */
export const MAX_OP_BYTES = 2 ** 20;

const LIMITS = {
  headerBytes: 4 * 2 ** 20,
  files: 10_000_000,
  groups: 65_536,
  /** One group is addressed with 31 bits. */
  groupBytes: 2 ** 31 - 1,
  segments: 64,
  hints: 2 ** 20,
  fileBytes: 2 ** 46,
};

/** A file, or a part of one that is too large for a group. */
export interface Slice {
  readonly file: number;
  readonly start: number;
  readonly length: number;
  /** Not a part: the file has exactly this length. */
  readonly whole: boolean;
}

/** The executables whose references are foretold; places are indexes into the group's slices. */
export interface PairHeader {
  readonly oldSlice: number;
  readonly freshSlice: number;
  readonly segments: readonly ElfSegment[];
  readonly hints: readonly MovedPiece[];
}

export interface BlockHeader {
  readonly codec: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  /** Where it stands in the patch. */
  readonly at: number;
}

export const STREAMS = ["copies", "extras", "seeks", "runs", "values", "literals"] as const;
export type StreamName = (typeof STREAMS)[number];

export interface GroupHeader {
  readonly old: readonly Slice[];
  readonly fresh: readonly Slice[];
  readonly pairs: readonly PairHeader[];
  readonly streams: Readonly<Record<StreamName, readonly BlockHeader[]>>;
}

export type PackedGroup = Omit<GroupHeader, "streams"> & {
  readonly streams: Readonly<Record<StreamName, readonly PackedBlock[]>>;
};

export function writeHeader(groups: readonly PackedGroup[]): Uint8Array {
  const list = new ByteList();
  list.varint(groups.length);
  for (const group of groups) {
    writeSlices(list, group.fresh);
    writeSlices(list, group.old);
    list.varint(group.pairs.length);
    for (const pair of group.pairs) writePair(list, pair);
    for (const name of STREAMS) {
      list.varint(group.streams[name].length);
      for (const block of group.streams[name]) {
        list.byte(block.codec);
        list.varint(block.rawBytes);
        list.varint(block.bytes.length);
      }
    }
  }
  return list.view();
}

/** Magic, header and blocks as one file. */
export function joinPatch(header: PackedBlock, groups: readonly PackedGroup[]): Uint8Array {
  const list = new ByteList();
  for (const byte of MAGIC) list.byte(byte);
  list.byte(header.codec);
  list.varint(header.rawBytes);
  list.varint(header.bytes.length);
  list.append(header.bytes);
  for (const group of groups) {
    for (const name of STREAMS) for (const block of group.streams[name]) list.append(block.bytes);
  }
  return list.view();
}

/** Errors: UPB-DELTA-MALFORMED for anything that a writer would not have written. */
export function readHeader(patch: ByteSource): GroupHeader[] {
  const lead = readBytes(patch, 0, Math.min(32, patch.sizeBytes));
  if (MAGIC.some((byte, i) => lead[i] !== byte)) throw malformed("it does not begin like one");
  const intro = new VarintReader(lead);
  intro.slice(MAGIC.length);
  const codec = intro.varint(255);
  const rawBytes = intro.varint(LIMITS.headerBytes);
  const storedBytes = intro.varint(patch.sizeBytes - intro.position);
  const bytes = readBytes(
    patch,
    intro.position,
    Math.min(storedBytes, patch.sizeBytes - intro.position),
  );
  const reader = new VarintReader(unpackBlock({ codec, rawBytes, bytes }));
  let at = intro.position + storedBytes;
  const groups: GroupHeader[] = [];
  const groupCount = reader.varint(LIMITS.groups);
  for (let i = 0; i < groupCount; i++) {
    const fresh = readSlices(reader);
    const old = readSlices(reader);
    if (old.some((slice) => slice.length === 0)) throw malformed("it reads an empty file");
    const pairs = times(reader.varint(old.length), () => readPair(reader, old, fresh));
    if (pairs.some((pair, i) => pair.oldSlice <= (pairs[i - 1]?.oldSlice ?? -1))) {
      throw malformed("executables are out of order");
    }
    const streams = {} as Record<StreamName, BlockHeader[]>;
    for (const name of STREAMS) {
      streams[name] = times(reader.varint(LIMITS.groupBytes), () => {
        const block = {
          codec: reader.varint(255),
          rawBytes: reader.varint(MAX_BLOCK_BYTES),
          storedBytes: reader.varint(Math.min(MAX_BLOCK_BYTES, patch.sizeBytes - at)),
          at,
        };
        at += block.storedBytes;
        return block;
      });
    }
    groups.push({ old, fresh, pairs, streams });
  }
  if (!reader.done || at !== patch.sizeBytes) throw malformed("it is longer than it says");
  return groups;
}

export function readBlockOf(patch: ByteSource, block: BlockHeader): Uint8Array {
  const bytes = readBytes(patch, block.at, block.storedBytes);
  return unpackBlock({ codec: block.codec, rawBytes: block.rawBytes, bytes });
}

function writeSlices(list: ByteList, slices: readonly Slice[]): void {
  list.varint(slices.length);
  let next = 0;
  for (const slice of slices) {
    list.signed(slice.file - next);
    next = slice.file + 1;
  }
  for (const slice of slices) list.varint(slice.length);
  const cut = slices.some((slice) => !slice.whole);
  list.byte(cut ? 1 : 0);
  if (cut) for (const slice of slices) list.varint(slice.start);
}

function readSlices(reader: VarintReader): Slice[] {
  const count = reader.varint(LIMITS.files);
  let next = 0;
  const files = times(count, () => {
    const file = next + reader.signed(LIMITS.files);
    if (file < 0 || file > LIMITS.files) throw malformed("a file has no such index");
    next = file + 1;
    return file;
  });
  let total = 0;
  const lengths = times(count, () => {
    const length = reader.varint(LIMITS.groupBytes - total);
    total += length;
    return length;
  });
  const cut = reader.varint(1) === 1;
  const starts = times(count, () => (cut ? reader.varint(LIMITS.fileBytes) : 0));
  return files.map((file, i) => ({
    file,
    start: starts[i] as number,
    length: lengths[i] as number,
    whole: !cut,
  }));
}

function writePair(list: ByteList, pair: PairHeader): void {
  list.varint(pair.oldSlice);
  list.varint(pair.freshSlice);
  list.varint(pair.segments.length);
  for (const segment of pair.segments) {
    list.varint(segment.offset);
    list.varint(segment.address);
    list.varint(segment.size);
  }
  list.varint(pair.hints.length);
  let end = 0;
  let shift = 0;
  for (const hint of pair.hints) {
    list.varint(hint.start - end);
    list.varint(hint.length);
    list.signed(hint.shift - shift);
    end = hint.start + hint.length;
    shift = hint.shift;
  }
}

function readPair(
  reader: VarintReader,
  old: readonly Slice[],
  fresh: readonly Slice[],
): PairHeader {
  const oldSlice = reader.varint(old.length - 1);
  const freshSlice = reader.varint(fresh.length - 1);
  const segments = times(reader.varint(LIMITS.segments), () => ({
    offset: reader.varint(LIMITS.groupBytes),
    address: reader.varint(2 ** 47),
    size: reader.varint(LIMITS.groupBytes),
  }));
  let end = 0;
  let shift = 0;
  const hints = times(reader.varint(LIMITS.hints), () => {
    const start = end + reader.varint(2 ** 30 * 2 - end - 1);
    const length = reader.varint(2 ** 31 - 1 - start);
    shift += reader.signed(2 ** 32);
    if (shift !== (shift | 0)) throw malformed("a hint leads too far");
    end = start + length;
    return { start, length, shift };
  });
  return { oldSlice, freshSlice, segments, hints };
}

/** A list that grows as it is read: a hostile count must not reserve anything. */
function times<T>(count: number, make: () => T): T[] {
  const list: T[] = [];
  for (let i = 0; i < count; i++) list.push(make());
  return list;
}
