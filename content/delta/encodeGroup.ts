/** One group of a patch: compared in every way that is worth trying, the smallest packed. */
import type { ByteSource } from "./byteSource.ts";
import { estimatePacked, MAX_BLOCK_BYTES, type PackedBlock, packBlock } from "./compress.ts";
import { DifferenceList } from "./differences.ts";
import { compare } from "./findOps.ts";
import type { ImagePair } from "./imagePair.ts";
import { OpList, type Ops, writeOps } from "./ops.ts";
import {
  MAX_OP_BYTES,
  type PackedGroup,
  type Slice,
  STREAMS,
  type StreamName,
} from "./patchHeader.ts";
import { oldReader } from "./predict.ts";
import { type Space, spaceOf } from "./space.ts";
import { surroundings } from "./surroundings.ts";
import { ByteList } from "./varint.ts";

type RawStreams = Readonly<Record<StreamName, Uint8Array>>;

interface Attempt {
  readonly streams: RawStreams;
  /** What the literals may refer to. */
  readonly around: Uint8Array;
}

/** What a match must bring at least: little between near versions, much between far ones. */
const TEXT_GAINS = [8, 32, 128, 512];
const BINARY_GAINS = [8, 16, 32];
/** Above this one attempt must do: each costs as much time as the comparison itself. */
const TRIAL_BYTES = 48 * 2 ** 20;
const ONE_TEXT_GAIN = [32];
const ONE_BINARY_GAIN = [8];

export async function encodeGroup(
  text: boolean,
  oldSlices: readonly Slice[],
  freshSlices: readonly Slice[],
  oldFiles: readonly ByteSource[],
  freshFiles: readonly ByteSource[],
): Promise<PackedGroup> {
  const old = spaceOf(oldFiles);
  const fresh = spaceOf(freshFiles);
  const isLarge = (fresh.starts.at(-1) as number) > TRIAL_BYTES;
  const gains = isLarge
    ? text
      ? ONE_TEXT_GAIN
      : ONE_BINARY_GAIN
    : text
      ? TEXT_GAINS
      : BINARY_GAINS;
  const found = compare(old, fresh, gains);
  const pairs = worthwhile(old, fresh, found.pairs, found.ops[0] as Ops);
  let best: Attempt | undefined;
  let bestBytes = Number.POSITIVE_INFINITY;
  const ways = distinct(found.ops);
  for (const ops of ways) {
    const streams = rawStreams(old, fresh, pairs, ops);
    if (streams === undefined) continue;
    const attempt = { streams, around: surroundings(old, ops) };
    const bytes = ways.length === 1 ? 0 : await estimate(attempt);
    if (bytes < bestBytes) {
      best = attempt;
      bestBytes = bytes;
    }
  }
  best ??= {
    streams: rawStreams(old, fresh, [], nothingKnown(fresh)) as RawStreams,
    around: new Uint8Array(0),
  };
  return {
    old: oldSlices,
    fresh: freshSlices,
    pairs,
    streams: await packStreams(best),
  };
}

/** Small changes are often found the same way, whatever a match must bring. */
function distinct(all: readonly Ops[]): Ops[] {
  const same = (a: Int32Array, b: Int32Array) =>
    Buffer.from(a.buffer).equals(Buffer.from(b.buffer));
  return all.filter((ops, i) => {
    const twin = all.findIndex(
      (other) =>
        other.count === ops.count &&
        same(other.oldStart, ops.oldStart) &&
        same(other.copyLength, ops.copyLength) &&
        same(other.extraLength, ops.extraLength),
    );
    return twin === i;
  });
}

/** No prediction at all when it makes more differences than it takes away. */
function worthwhile(
  old: Space,
  fresh: Space,
  pairs: readonly ImagePair[],
  ops: Ops,
): readonly ImagePair[] {
  if (pairs.length === 0) return pairs;
  const differing = (some: readonly ImagePair[]) =>
    rawStreams(old, fresh, some, ops)?.values.length ?? 0;
  return differing(pairs) < differing([]) ? pairs : [];
}

/** Nothing when there are more steps than a reader accepts. */
function rawStreams(
  old: Space,
  fresh: Space,
  pairs: readonly ImagePair[],
  ops: Ops,
): RawStreams | undefined {
  const steps = writeOps(ops);
  if (Object.values(steps).some((bytes) => bytes.length > MAX_OP_BYTES)) return undefined;
  const reader = oldReader(old, fresh.starts, pairs, ops);
  const actual = sequentialReader(fresh);
  const differences = new DifferenceList();
  const literals = new ByteList();
  let made = 0;
  for (let op = 0; op < ops.count; op++) {
    const length = ops.copyLength[op] as number;
    const extra = ops.extraLength[op] as number;
    reader.copy(ops.oldStart[op] as number, length, made, (expected) => {
      differences.add(expected, actual(expected.length));
    });
    for (let rest = extra; rest > 0; ) {
      const bytes = actual(Math.min(rest, WINDOW_BYTES));
      literals.append(bytes);
      rest -= bytes.length;
    }
    made += length + extra;
  }
  differences.finish();
  return {
    ...steps,
    runs: differences.runs.view(),
    values: differences.values.view(),
    literals: literals.view(),
  };
}

const WINDOW_BYTES = 65_536;

/** The bytes of a space from its beginning, at most WINDOW_BYTES at a time. */
function sequentialReader(space: Space): (count: number) => Uint8Array {
  const window = new Uint8Array(WINDOW_BYTES);
  let file = 0;
  let within = 0;
  return (count) => {
    for (let done = 0; done < count; ) {
      const source = space.files[file] as ByteSource;
      const size = Math.min(count - done, source.sizeBytes - within);
      source.read(within, window.subarray(done, done + size));
      done += size;
      within += size;
      if (within === source.sizeBytes) {
        file++;
        within = 0;
      }
    }
    return window.subarray(0, count);
  };
}

function nothingKnown(fresh: Space): Ops {
  const ops = new OpList();
  ops.add(0, 0, fresh.starts.at(-1) as number);
  return ops.finish();
}

async function estimate({ streams, around }: Attempt): Promise<number> {
  const sizes = await Promise.all(
    STREAMS.map((name) => estimatePacked(streams[name], name === "literals" ? around : undefined)),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function packStreams({
  streams,
  around,
}: Attempt): Promise<Record<StreamName, PackedBlock[]>> {
  const packed = {} as Record<StreamName, PackedBlock[]>;
  for (const name of STREAMS) {
    const raw = streams[name];
    packed[name] = [];
    for (let at = 0; at < raw.length; at += MAX_BLOCK_BYTES) {
      const block = raw.subarray(at, at + MAX_BLOCK_BYTES);
      packed[name].push(await packBlock(block, name === "literals" ? around : undefined));
    }
  }
  return packed;
}
