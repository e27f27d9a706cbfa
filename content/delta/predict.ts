/**
 * Reads old bytes as the new file will hold them: references in executables are moved along with
 * what they refer to. A pure function of the old files and the steps, for writer and reader alike.
 */
import type { AddressMap } from "./addressMap.ts";
import { type ByteSource, viewOf } from "./byteSource.ts";
import { addressOf, type ElfSegment } from "./elf.ts";
import { BLOCK_BYTES, BLOCK_MARGIN, FieldList, FORM, SCANNED_BYTES } from "./fieldList.ts";
import { type FieldScanner, fieldScanner } from "./fields.ts";
import { type ImagePair, mapsOfPairs } from "./imagePair.ts";
import type { Ops } from "./ops.ts";
import { fileAt, type Space } from "./space.ts";

export interface OldReader {
  /** Gives the bytes that a copy foretells, in pieces of at most BLOCK_BYTES, valid during the call. */
  copy(
    oldStart: number,
    length: number,
    freshStart: number,
    use: (bytes: Uint8Array) => void,
  ): void;
}

interface Block {
  readonly bytes: Uint8Array;
  readonly fields: FieldList;
}

/** How many blocks are kept, with their fields some 3 MiB: a device has 120 MB for all it does. */
const KEPT_BLOCKS = 256;
/** A field may end so many bytes behind the block in which it begins. */
const SPILL_BYTES = 8;

interface LivePair {
  readonly scanner: FieldScanner;
  readonly segments: readonly ElfSegment[];
  readonly freshStart: number;
  readonly freshEnd: number;
}

export function oldReader(
  old: Space,
  freshStarts: readonly number[],
  pairs: readonly ImagePair[],
  ops: Ops,
): OldReader {
  const live = new Map<number, LivePair>();
  const maps = mapsOfPairs(pairs, old.starts, freshStarts, ops);
  pairs.forEach((pair, i) => {
    live.set(pair.oldSlice, {
      scanner: fieldScanner(
        pair.image,
        old.files[pair.oldSlice] as ByteSource,
        maps[i] as AddressMap,
      ),
      segments: pair.segments,
      freshStart: freshStarts[pair.freshSlice] as number,
      freshEnd: freshStarts[pair.freshSlice + 1] as number,
    });
  });
  const cache = new Map<number, Block>();
  const scratch = new Uint8Array(BLOCK_BYTES + SPILL_BYTES);
  const scratchView = viewOf(scratch);

  function blockOf(file: number, block: number): Block {
    const key = file * 2 ** 20 + block;
    let kept = cache.get(key);
    if (kept !== undefined) {
      cache.delete(key);
    } else {
      kept = oldestOf(cache);
      readBlock(old.files[file] as ByteSource, block, kept.bytes);
      live.get(file)?.scanner.scan(block, kept.bytes, kept.fields);
    }
    cache.set(key, kept);
    return kept;
  }

  return {
    copy(oldStart, length, freshStart, use) {
      let done = 0;
      let spilled = 0;
      let file = length > 0 ? fileAt(old.starts, oldStart) : 0;
      while (done < length) {
        for (; oldStart + done >= (old.starts[file + 1] as number); file++) spilled = 0;
        const within = oldStart + done - (old.starts[file] as number);
        const at = within % BLOCK_BYTES;
        const size = Math.min(
          length - done,
          BLOCK_BYTES - at,
          (old.starts[file + 1] as number) - oldStart - done,
        );
        const block = blockOf(file, (within - at) / BLOCK_BYTES);
        const from = BLOCK_MARGIN + at;
        const fresh = freshStart + done;
        const pair = live.get(file);
        if (pair === undefined || fresh < pair.freshStart || fresh >= pair.freshEnd) {
          use(block.bytes.subarray(from, from + size));
          spilled = 0;
        } else {
          scratch.set(block.bytes.subarray(from + spilled, from + size + SPILL_BYTES), spilled);
          const shift =
            addressOf(pair.segments, fresh - pair.freshStart) -
            addressOf(pair.scanner.image.segments, within);
          spilled = moveFields(scratchView, block.fields, at, size, shift);
          use(scratch.subarray(0, size));
          scratch.copyWithin(0, size, size + spilled);
        }
        done += size;
      }
    },
  };
}

/** Memory for one more block: the one that was not asked for longest is used again. */
function oldestOf(cache: Map<number, Block>): Block {
  const [oldest] = cache;
  if (oldest === undefined || cache.size < KEPT_BLOCKS) {
    return { bytes: new Uint8Array(SCANNED_BYTES), fields: new FieldList() };
  }
  cache.delete(oldest[0]);
  return oldest[1];
}

/** A block of a file between its margins; zeros outside the file. */
export function readBlock(source: ByteSource, block: number, bytes: Uint8Array): void {
  const start = block * BLOCK_BYTES - BLOCK_MARGIN;
  const from = Math.max(0, -start);
  const to = Math.min(SCANNED_BYTES, source.sizeBytes - start);
  source.read(start + from, bytes.subarray(from, to));
  bytes.fill(0, 0, from);
  bytes.fill(0, to);
}

/**
 * The shift of a copy applies to the distance between a field and what it refers to. Returns how
 * many bytes behind `size` belong to the last field.
 */
function moveFields(
  view: DataView,
  fields: FieldList,
  from: number,
  size: number,
  shift: number,
): number {
  let end = 0;
  for (let i = firstAt(fields, from); i < fields.count; i++) {
    const at = (fields.at[i] as number) - from;
    const form = fields.form[i] as number;
    if (at >= size) break;
    end = at + ((form & FORM.wide) !== 0 ? 8 : 4);
    const adjust = fields.adjust[i] as number;
    if (form === FORM.relative) view.setInt32(at, view.getInt32(at, true) + adjust - shift, true);
    else if (form === FORM.absolute) view.setInt32(at, view.getInt32(at, true) + adjust, true);
    else if (form === FORM.backward)
      view.setInt32(at, view.getInt32(at, true) + shift - adjust, true);
    else addWide(view, at, adjust);
  }
  return Math.max(0, end - size);
}

export function addWide(view: DataView, at: number, add: number): void {
  const low = view.getUint32(at, true) + add;
  const carry = Math.floor(low / 2 ** 32);
  view.setUint32(at, low, true);
  if (carry !== 0) view.setInt32(at + 4, view.getInt32(at + 4, true) + carry, true);
}

function firstAt(fields: FieldList, from: number): number {
  let low = 0;
  let high = fields.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((fields.at[middle] as number) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
