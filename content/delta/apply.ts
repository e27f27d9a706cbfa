/**
 * Makes new files out of old ones and a patch.
 *
 *   applyDelta({ patch, old, fresh, sink })   every file is checked by its SHA-256 before `finish`
 *   filesOfDelta(patch, oldSizes)             which old files it reads, which new ones it makes
 *
 * Memory does not depend on the size of the files: old ones are read in blocks of 64 KiB, new ones
 * are handed on in pieces of at most 64 KiB, the streams of the patch are unpacked in blocks of at
 * most 8 MiB. It runs without a pause, so a process that must answer meanwhile gives it a thread.
 */
import { UpbeatError } from "../../protocol/errors/upbeatError.ts";
import { BlockStream } from "./blockStream.ts";
import { type ByteSource, sourcePart } from "./byteSource.ts";
import { needsOld } from "./compress.ts";
import { type DeltaSink, type FreshFile, Output } from "./deltaOutput.ts";
import { DifferenceReader } from "./differences.ts";
import { parseElf } from "./elf.ts";
import type { ImagePair } from "./imagePair.ts";
import { malformed } from "./malformed.ts";
import { type Ops, readOps } from "./ops.ts";
import {
  type GroupHeader,
  MAX_OP_BYTES,
  type OldSizes,
  type PairHeader,
  readBlockOf,
  readHeader,
  type Slice,
} from "./patchHeader.ts";
import { oldReader } from "./predict.ts";
import { spaceOf } from "./space.ts";
import { surroundings } from "./surroundings.ts";

export interface DeltaInput {
  readonly patch: ByteSource;
  /** Old files by their index; only those that the patch reads are asked for. */
  readonly old: (file: number) => ByteSource;
  /** What the manifest says of a new file, by its index. */
  readonly fresh: (file: number) => FreshFile | undefined;
  readonly sink: DeltaSink;
}

export function filesOfDelta(
  patch: ByteSource,
  oldSizes: OldSizes,
): {
  old: number[];
  fresh: number[];
  /** Of each new file. */
  freshBytes: ReadonlyMap<number, number>;
} {
  const groups = readHeader(patch, oldSizes);
  const old = groups.flatMap((group) => group.old.map((slice) => slice.file));
  const freshBytes = new Map<number, number>();
  for (const { file, length } of groups.flatMap((group) => group.fresh))
    freshBytes.set(file, (freshBytes.get(file) ?? 0) + length);
  return { old: [...new Set(old)], fresh: [...freshBytes.keys()], freshBytes };
}

/**
 * Errors: UPB-DELTA-MALFORMED when it is not a patch or not for these files; UPB-DELTA-WRONG-BASE
 * when an old file is not what the patch was made from. What was written before is worth nothing
 * unless `finish` was called for it.
 */
export function applyDelta(input: DeltaInput): void {
  const output = new Output(input.fresh, input.sink);
  const groups = readHeader(input.patch, (file) => input.old(file).sizeBytes);
  for (const group of groups) applyGroup(input, group, output);
  output.end();
}

function applyGroup(input: DeltaInput, group: GroupHeader, output: Output): void {
  const { patch } = input;
  const old = spaceOf(group.old.map((slice) => openOld(input, slice)));
  const freshStarts = [0];
  for (const slice of group.fresh) freshStarts.push((freshStarts.at(-1) as number) + slice.length);
  const oldSize = old.starts.at(-1) as number;
  const freshSize = freshStarts.at(-1) as number;
  const ops = readGroupOps(patch, group, oldSize, freshSize);
  const pairs = group.pairs.map((pair) => openPair(pair, old.files));
  const reader = oldReader(old, freshStarts, pairs, ops);
  const differences = new DifferenceReader(
    new BlockStream(patch, group.streams.runs),
    new BlockStream(patch, group.streams.values),
  );
  const blocks = group.streams.literals;
  const around = blocks.some(({ codec }) => needsOld(codec)) ? surroundings(old, ops) : undefined;
  const literals = new BlockStream(patch, blocks, around);
  output.begin(group.fresh);
  let fresh = 0;
  for (let op = 0; op < ops.count; op++) {
    const length = ops.copyLength[op] as number;
    reader.copy(ops.oldStart[op] as number, length, fresh, (bytes) => {
      differences.applyTo(output.append(bytes));
    });
    const extra = ops.extraLength[op] as number;
    literals.take(extra, (bytes) => output.append(bytes));
    fresh += length + extra;
  }
  output.flush();
  if (!differences.done || !literals.done) throw malformed("bytes are left over");
}

function readGroupOps(
  patch: ByteSource,
  group: GroupHeader,
  oldSize: number,
  freshSize: number,
): Ops {
  const only = (name: "copies" | "extras" | "seeks") => {
    const [block, more] = group.streams[name];
    if (freshSize === 0 && block === undefined) return new Uint8Array(0);
    if (block === undefined || more !== undefined) throw malformed("steps are one block");
    if (block.rawBytes > MAX_OP_BYTES) throw malformed("there are too many steps");
    return readBlockOf(patch, block);
  };
  return readOps(
    { copies: only("copies"), extras: only("extras"), seeks: only("seeks") },
    oldSize,
    freshSize,
  );
}

function openOld(input: DeltaInput, slice: Slice): ByteSource {
  const source = input.old(slice.file);
  const end = slice.start + slice.length;
  if (slice.whole ? source.sizeBytes !== end : source.sizeBytes < end) {
    throw new UpbeatError("UPB-DELTA-WRONG-BASE", {
      object: `old file ${slice.file}`,
      detail: `expected ${end} bytes, found ${source.sizeBytes}`,
    });
  }
  return sourcePart(source, slice.start, slice.length);
}

function openPair(pair: PairHeader, old: readonly ByteSource[]): ImagePair {
  const image = parseElf(old[pair.oldSlice] as ByteSource);
  if (image === undefined) {
    throw new UpbeatError("UPB-DELTA-WRONG-BASE", {
      object: "an old file",
      detail: "expected an executable",
    });
  }
  return { ...pair, image };
}
