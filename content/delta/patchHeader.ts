/**
 * The beginning of a patch. After the magic and the version stands one packed block, the header;
 * after it the blocks of all streams, in the order in which the header lists them.
 *
 * Paths, sizes and hashes of files are in the signed manifests and not here: files are named by
 * their index in the manifest's list.
 */

import { UpbeatError } from "../../protocol/errors/upbeatError.ts";
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
    writeOldSlices(list, group.old);
    writeFreshSlices(list, group.fresh, group.old);
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

/** The size of an old file. */
export type OldSizes = (file: number) => number;

/**
 * Errors: UPB-DELTA-MALFORMED for anything that a writer would not have written; UPB-DELTA-WRONG-BASE
 * when the old files have other sizes than those that the patch was made from.
 */
export function readHeader(patch: ByteSource, oldSizes: OldSizes): GroupHeader[] {
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
    const old = readOldSlices(reader, oldSizes);
    const fresh = readFreshSlices(reader, old);
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

export function readBlockOf(
  patch: ByteSource,
  { codec, rawBytes, storedBytes, at }: BlockHeader,
  old?: Uint8Array,
): Uint8Array {
  return unpackBlock({ codec, rawBytes, bytes: readBytes(patch, at, storedBytes) }, old);
}

/**
 * Whoever applies the patch has the old files, so of whole ones only the sum of their sizes is
 * there, as a check. New files are written as so many bytes more or less than the old one beside.
 */
function writeOldSlices(list: ByteList, slices: readonly Slice[]): void {
  if (!writeFiles(list, slices)) {
    list.varint(slices.reduce((sum, slice) => sum + slice.length, 0));
    return;
  }
  for (const { start, length } of slices) {
    list.varint(start);
    list.varint(length);
  }
}

function readOldSlices(reader: VarintReader, oldSizes: OldSizes): Slice[] {
  const { files, cut } = readFiles(reader);
  if (cut) {
    const slices = files.map((file) => readPart(reader, file));
    requireGroupSize(slices);
    return slices;
  }
  const wanted = reader.varint(LIMITS.groupBytes);
  const slices = files.map((file) => ({ file, start: 0, length: oldSizes(file), whole: true }));
  const found = slices.reduce((sum, slice) => sum + slice.length, 0);
  if (found !== wanted) {
    throw new UpbeatError("UPB-DELTA-WRONG-BASE", {
      object: "the old files",
      detail: `expected ${wanted} bytes, found ${found}`,
    });
  }
  return slices;
}

function writeFreshSlices(list: ByteList, slices: readonly Slice[], old: readonly Slice[]): void {
  if (writeFiles(list, slices)) {
    for (const { start, length } of slices) {
      list.varint(start);
      list.varint(length);
    }
  } else slices.forEach(({ length }, i) => void list.signed(length - (old[i]?.length ?? 0)));
}

function readFreshSlices(reader: VarintReader, old: readonly Slice[]): Slice[] {
  const { files, cut } = readFiles(reader);
  const slices = files.map((file, i) => {
    if (cut) return readPart(reader, file);
    const length = (old[i]?.length ?? 0) + reader.signed(LIMITS.groupBytes);
    return { file, start: 0, length, whole: true };
  });
  requireGroupSize(slices);
  return slices;
}

function requireGroupSize(slices: readonly Slice[]): void {
  let total = 0;
  for (const { length } of slices) {
    total += length;
    if (length < 0 || total > LIMITS.groupBytes) throw malformed("a group is too large");
  }
}

/** Returns whether they are parts of files. */
function writeFiles(list: ByteList, slices: readonly Slice[]): boolean {
  list.varint(slices.length);
  let next = 0;
  for (const { file } of slices) {
    list.signed(file - next);
    next = file + 1;
  }
  const cut = slices.some((slice) => !slice.whole);
  list.byte(cut ? 1 : 0);
  return cut;
}

function readFiles(reader: VarintReader): { files: number[]; cut: boolean } {
  let next = 0;
  const files = times(reader.varint(LIMITS.files), () => {
    const file = next + reader.signed(LIMITS.files);
    if (file < 0 || file > LIMITS.files) throw malformed("a file has no such index");
    next = file + 1;
    return file;
  });
  return { files, cut: reader.varint(1) === 1 };
}

function readPart(reader: VarintReader, file: number): Slice {
  const start = reader.varint(LIMITS.fileBytes);
  return { file, start, length: reader.varint(LIMITS.groupBytes), whole: false };
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
