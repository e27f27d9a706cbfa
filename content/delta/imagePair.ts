/** Where the parts of an old executable lie in the new one. */
import { type AddressMap, addressMap, type MovedPiece } from "./addressMap.ts";
import { addressOf, type ElfImage, type ElfSegment } from "./elf.ts";
import type { Ops } from "./ops.ts";
import { fileAt } from "./space.ts";

/** An executable of the old space and what becomes of it. */
export interface ImagePair {
  /** Indexes into the old and the new space. */
  readonly oldSlice: number;
  readonly freshSlice: number;
  readonly image: ElfImage;
  /** Where the new one's parts lie in memory; the old one's are read from itself. */
  readonly segments: readonly ElfSegment[];
  /** What the steps do not tell: more pieces that moved. */
  readonly hints: readonly MovedPiece[];
}

/** The map of every pair, in their order. */
export function mapsOfPairs(
  pairs: readonly ImagePair[],
  oldStarts: readonly number[],
  freshStarts: readonly number[],
  ops: Ops,
): AddressMap[] {
  const pairOf = new Map(pairs.map((pair, i) => [pair.oldSlice, i]));
  const pieces: MovedPiece[][] = pairs.map((pair) => [...pair.hints, ...bssPiece(pair)]);
  let fresh = 0;
  for (let op = 0; op < ops.count && pairs.length > 0; op++) {
    const start = ops.oldStart[op] as number;
    const end = start + (ops.copyLength[op] as number);
    for (let file = fileAt(oldStarts, start); (oldStarts[file] as number) < end; file++) {
      const index = pairOf.get(file);
      const pair = index === undefined ? undefined : pairs[index];
      if (index === undefined || pair === undefined) continue;
      const oldFrom = oldStarts[file] as number;
      const freshFrom = freshStarts[pair.freshSlice] as number;
      const freshTo = freshStarts[pair.freshSlice + 1] as number;
      const from = Math.max(start, oldFrom, start + freshFrom - fresh);
      const to = Math.min(end, oldStarts[file + 1] as number, start + freshTo - fresh);
      if (to - from >= TELLING_BYTES) {
        const moved = fresh - start + oldFrom - freshFrom;
        addPieces(pieces[index] as MovedPiece[], pair, from - oldFrom, to - oldFrom, moved);
      }
    }
    fresh += end - start + (ops.extraLength[op] as number);
  }
  return pairs.map((pair, i) => {
    const sorted = (pieces[i] as MovedPiece[]).sort((a, b) => a.start - b.start);
    return addressMap(sorted, pair.image.fileSize + bssSize(pair.image));
  });
}

/** Copies shorter than this say little about where something went. */
const TELLING_BYTES = 8;

function bssPiece({ image, segments }: ImagePair): MovedPiece[] {
  const bss = image.segments.at(-1);
  const freshBss = segments.at(-1);
  if (bss?.offset !== image.fileSize || freshBss === undefined) return [];
  return [{ start: bss.offset, length: bss.size, shift: freshBss.address - bss.address }];
}

/** One copy may span parts that lie apart in memory. */
function addPieces(
  pieces: MovedPiece[],
  { image, segments }: ImagePair,
  from: number,
  to: number,
  moved: number,
): void {
  let start = from;
  while (start < to) {
    const next = image.segments
      .flatMap((segment) => [segment.offset, segment.offset + segment.size])
      .filter((edge) => edge > start && edge < to);
    const end = Math.min(to, ...next);
    const shift = addressOf(segments, start + moved) - addressOf(image.segments, start);
    pieces.push({ start, length: end - start, shift });
    start = end;
  }
}

function bssSize(image: ElfImage): number {
  const last = image.segments[image.segments.length - 1];
  return last?.offset === image.fileSize ? last.size : 0;
}
