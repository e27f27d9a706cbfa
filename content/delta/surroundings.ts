/**
 * The old bytes around every place where the new ones are not known: what stands there now is often
 * an edit of them, too short to be copied, so the compressor of the literals gets them to refer to.
 * A pure function of the old files and the steps, for writer and reader alike.
 */
import type { ByteSource } from "./byteSource.ts";
import type { Ops } from "./ops.ts";
import { fileAt, type Space } from "./space.ts";

/** More makes patches hardly smaller (0.4 % on the pairs of `bench/delta`) and costs memory. */
const MAX_BYTES = 4 * 2 ** 20;
const WIDEST = 2 ** 20;
const NARROWEST = 16;
const WINDOW_BYTES = 65_536;

interface Range {
  readonly start: number;
  readonly end: number;
}

export function surroundings(old: Space, ops: Ops): Uint8Array {
  const size = old.starts.at(-1) as number;
  const places = placesOfLiterals(ops);
  for (let width = WIDEST; width >= NARROWEST; width /= 2) {
    const ranges = around(places, width, size);
    if (ranges !== undefined) return readRanges(old, ranges);
  }
  return new Uint8Array(0);
}

/** Where copies end and begin on both sides of literals, in ascending order. */
function placesOfLiterals(ops: Ops): Float64Array {
  const places: number[] = [];
  for (let op = 0; op < ops.count; op++) {
    if (ops.extraLength[op] === 0) continue;
    const length = ops.copyLength[op] as number;
    // Where a step copies nothing from does not travel, so the reader does not know it.
    if (length > 0) places.push((ops.oldStart[op] as number) + length);
    if (op + 1 < ops.count && (ops.copyLength[op + 1] as number) > 0)
      places.push(ops.oldStart[op + 1] as number);
  }
  return Float64Array.from(places).sort();
}

/** Nothing when they are too many bytes together. */
function around(places: Float64Array, width: number, size: number): Range[] | undefined {
  const ranges: Range[] = [];
  let total = 0;
  let end = 0;
  for (let at = 0; at < places.length; ) {
    const start = Math.max(end, (places[at] as number) - width);
    do end = Math.min(size, (places[at++] as number) + width);
    while (at < places.length && (places[at] as number) - width <= end);
    if (end > start) ranges.push({ start, end });
    total += end - start;
    if (total > MAX_BYTES) return undefined;
  }
  return ranges;
}

/** Ranges often lie close together, so they are read through a window. */
function readRanges(old: Space, ranges: readonly Range[]): Uint8Array {
  const bytes = new Uint8Array(ranges.reduce((sum, { start, end }) => sum + end - start, 0));
  const window = new Uint8Array(WINDOW_BYTES);
  let windowStart = 0;
  let windowEnd = 0;
  let made = 0;
  for (const { start, end } of ranges) {
    for (let at = start; at < end; ) {
      if (at < windowStart || at >= windowEnd) {
        windowStart = at;
        windowEnd = at + fillFrom(old, at, window);
      }
      const upTo = Math.min(end, windowEnd);
      bytes.set(window.subarray(at - windowStart, upTo - windowStart), made);
      made += upTo - at;
      at = upTo;
    }
  }
  return bytes;
}

/** As many bytes as there are in the file of this place. */
function fillFrom(old: Space, place: number, target: Uint8Array): number {
  const file = fileAt(old.starts, place);
  const within = place - (old.starts[file] as number);
  const source = old.files[file] as ByteSource;
  const size = Math.min(target.length, source.sizeBytes - within);
  source.read(within, target.subarray(0, size));
  return size;
}
