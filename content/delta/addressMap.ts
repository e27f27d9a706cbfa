/**
 * Where things that lay at one place of an old image lie in the new one: learned from the copies
 * alone, so whoever knows the old files and the steps of a patch has the same map.
 *
 * `shiftAt(coordinate)` is what to add to an address; between two known pieces the nearer one counts.
 */

export interface AddressMap {
  shiftAt(coordinate: number): number;
}

/** A piece of the old image that is found again: its coordinate, its length, the added shift. */
export interface MovedPiece {
  readonly start: number;
  readonly length: number;
  readonly shift: number;
}

/** Coordinates are looked up by blocks of this many bytes (a power of two). */
const BUCKET_BITS = 10;

export const NO_MAP: AddressMap = { shiftAt: () => 0 };

/** Pieces in the order of their start. Where they overlap the longer one counts. */
export function addressMap(pieces: readonly MovedPiece[], size: number): AddressMap {
  const { starts, shifts, count } = layOut(pieces);
  if (count === 0) return NO_MAP;
  const buckets = new Int32Array((size >> BUCKET_BITS) + 2);
  for (let bucket = 0, piece = 0; bucket < buckets.length; bucket++) {
    const from = bucket * 2 ** BUCKET_BITS;
    while (piece + 1 < count && (starts[piece + 1] as number) <= from) piece++;
    buckets[bucket] = piece;
  }
  return {
    shiftAt(coordinate) {
      let piece = buckets[Math.min(coordinate >> BUCKET_BITS, buckets.length - 1)] as number;
      while (piece + 1 < count && (starts[piece + 1] as number) <= coordinate) piece++;
      return shifts[piece] as number;
    },
  };
}

function layOut(pieces: readonly MovedPiece[]) {
  const starts = new Int32Array(pieces.length * 2 + 1);
  const shifts = new Int32Array(pieces.length * 2 + 1);
  let count = 0;
  let end = 0;
  let last: MovedPiece | undefined;
  for (const piece of pieces) {
    let start = piece.start;
    const pieceEnd = piece.start + piece.length;
    if (last !== undefined && start < end) {
      if (piece.length <= last.length) start = end;
      if (start >= pieceEnd) continue;
    } else if (last !== undefined) {
      // The gap belongs half to each side.
      start = (start + end) >> 1;
    } else {
      start = 0;
    }
    if (count > 0 && shifts[count - 1] === piece.shift) {
      // The same move goes on.
    } else {
      starts[count] = start;
      shifts[count] = piece.shift;
      count++;
    }
    last = piece;
    end = pieceEnd;
  }
  return { starts, shifts, count };
}
