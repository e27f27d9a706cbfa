/**
 * What rebuilds the new bytes from the old ones: a list of steps, each "copy so many bytes from
 * there, with differences; then so many bytes of nothing known". As three lists of numbers, because
 * each compresses better alone.
 */
import { malformed } from "./malformed.ts";
import { ByteList, VarintReader } from "./varint.ts";

export interface Ops {
  readonly count: number;
  /** Per step: the place in the old bytes, how many are copied, how many new ones follow. */
  readonly oldStart: Int32Array;
  readonly copyLength: Int32Array;
  readonly extraLength: Int32Array;
}

export interface OpStreams {
  readonly copies: Uint8Array;
  readonly extras: Uint8Array;
  readonly seeks: Uint8Array;
}

export class OpList {
  private readonly values: number[] = [];

  add(oldStart: number, copyLength: number, extraLength: number): void {
    if (copyLength + extraLength > 0) this.values.push(oldStart, copyLength, extraLength);
  }

  finish(): Ops {
    const count = this.values.length / 3;
    const column = (offset: number) =>
      Int32Array.from({ length: count }, (_, op) => this.values[op * 3 + offset] as number);
    return { count, oldStart: column(0), copyLength: column(1), extraLength: column(2) };
  }
}

export function writeOps(ops: Ops): OpStreams {
  const copies = new ByteList();
  const extras = new ByteList();
  const seeks = new ByteList();
  let expected = 0;
  for (let op = 0; op < ops.count; op++) {
    const start = ops.oldStart[op] as number;
    const length = ops.copyLength[op] as number;
    copies.varint(length);
    extras.varint(ops.extraLength[op] as number);
    // Sides of an insertion share one shift, so what counts is the change of the distance.
    seeks.signed(length === 0 ? 0 : start - expected);
    if (length > 0) expected = start + length;
  }
  return { copies: copies.view(), extras: extras.view(), seeks: seeks.view() };
}

/** Errors: UPB-DELTA-MALFORMED unless the steps make exactly `newSize` bytes out of `oldSize`. */
export function readOps(streams: OpStreams, oldSize: number, newSize: number): Ops {
  const copies = new VarintReader(streams.copies);
  const extras = new VarintReader(streams.extras);
  const seeks = new VarintReader(streams.seeks);
  const most = Math.min(streams.copies.length, streams.extras.length, streams.seeks.length);
  const oldStart = new Int32Array(most);
  const copyLength = new Int32Array(most);
  const extraLength = new Int32Array(most);
  let count = 0;
  let made = 0;
  let expected = 0;
  while (!copies.done) {
    const length = copies.varint(newSize - made);
    const extra = extras.varint(newSize - made - length);
    const start = expected + seeks.signed(oldSize);
    if (length + extra === 0) throw malformed("a step does nothing");
    if (start < 0 || start + length > oldSize) throw malformed("a copy leaves the old files");
    oldStart[count] = start;
    copyLength[count] = length;
    extraLength[count] = extra;
    if (length > 0) expected = start + length;
    made += length + extra;
    count++;
  }
  if (made !== newSize || !extras.done || !seeks.done) throw malformed("the steps do not add up");
  return { count, oldStart, copyLength, extraLength };
}
