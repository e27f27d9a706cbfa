import type { ByteSource } from "./byteSource.ts";

/** Files one after the other, as one space of bytes. */
export interface Space {
  readonly files: readonly ByteSource[];
  /** Where each file begins, and the whole size at the end. */
  readonly starts: readonly number[];
}

export function spaceOf(files: readonly ByteSource[]): Space {
  const starts = [0];
  for (const file of files) starts.push((starts[starts.length - 1] as number) + file.sizeBytes);
  return { files, starts };
}

/** The file in which a place of a space lies; the last one when it lies behind all. */
export function fileAt(starts: readonly number[], place: number): number {
  let low = 0;
  let high = starts.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}
