/**
 * The comparison of one group. Executables are compared twice: first with all references blanked,
 * which tells roughly what moved where; then with the references written as their targets, the old
 * ones moved along, so that only what really changed differs.
 */
import { NO_MAP } from "./addressMap.ts";
import type { ByteSource } from "./byteSource.ts";
import { type ElfImage, parseElf } from "./elf.ts";
import { HashIndex } from "./hashIndex.ts";
import { type ImagePair, mapsOfPairs } from "./imagePair.ts";
import { matchBytes } from "./matcher.ts";
import { normaliseImage } from "./normalise.ts";
import type { Ops } from "./ops.ts";
import { fileAt, type Space } from "./space.ts";

export interface Comparison {
  readonly pairs: readonly ImagePair[];
  /** One for each of the asked gains. */
  readonly ops: readonly Ops[];
}

/** In code a short match is worth having: what differs in it is little. */
const FIRST_GAIN = 8;

export function compare(old: Space, fresh: Space, gains: readonly number[]): Comparison {
  const oldBytes = loadSpace(old);
  const freshBytes = loadSpace(fresh);
  const oldImages = imagesOf(old);
  const freshImages = imagesOf(fresh);
  const index = new HashIndex(oldBytes.length);
  let pairs: ImagePair[] = [];
  if (oldImages.size > 0 && freshImages.size > 0) {
    for (const [space, images, bytes] of [
      [old, oldImages, oldBytes],
      [fresh, freshImages, freshBytes],
    ] as const) {
      for (const [file, image] of images) {
        normaliseImage(image, sourceOf(space, file), "blank", partOf(space, file, bytes));
      }
    }
    index.fill(oldBytes);
    const first = matchBytes(oldBytes, freshBytes, index, FIRST_GAIN);
    pairs = pairImages(old, fresh, oldImages, freshImages, first);
    const maps = mapsOfPairs(pairs, old.starts, fresh.starts, first);
    reload(old, oldImages, oldBytes);
    reload(fresh, freshImages, freshBytes);
    pairs.forEach((pair, i) => {
      const from = sourceOf(old, pair.oldSlice);
      normaliseImage(pair.image, from, maps[i] ?? NO_MAP, partOf(old, pair.oldSlice, oldBytes));
      const image = freshImages.get(pair.freshSlice);
      if (image === undefined) return;
      const to = sourceOf(fresh, pair.freshSlice);
      normaliseImage(image, to, NO_MAP, partOf(fresh, pair.freshSlice, freshBytes));
    });
  }
  index.fill(oldBytes);
  return { pairs, ops: gains.map((gain) => matchBytes(oldBytes, freshBytes, index, gain)) };
}

/** Each new executable belongs to the old one from which most of its bytes came, under any name. */
function pairImages(
  old: Space,
  fresh: Space,
  oldImages: ReadonlyMap<number, ElfImage>,
  freshImages: ReadonlyMap<number, ElfImage>,
  ops: Ops,
): ImagePair[] {
  const shared = new Map<number, number>();
  const files = fresh.files.length;
  let made = 0;
  for (let op = 0; op < ops.count; op++) {
    const length = ops.copyLength[op] as number;
    if (length > 0) {
      const key =
        fileAt(old.starts, ops.oldStart[op] as number) * files + fileAt(fresh.starts, made);
      shared.set(key, (shared.get(key) ?? 0) + length);
    }
    made += length + (ops.extraLength[op] as number);
  }
  const taken = new Set<number>();
  const pairs: ImagePair[] = [];
  for (const [key] of [...shared].sort((a, b) => b[1] - a[1])) {
    const oldSlice = Math.floor(key / files);
    const freshSlice = key % files;
    const image = oldImages.get(oldSlice);
    const freshImage = freshImages.get(freshSlice);
    // A new file that two old ones went into is foretold from the larger part alone.
    if (image === undefined || freshImage === undefined) continue;
    if (taken.has(oldSlice) || taken.has(-1 - freshSlice)) continue;
    taken.add(oldSlice).add(-1 - freshSlice);
    pairs.push({ oldSlice, freshSlice, image, segments: freshImage.segments, hints: [] });
  }
  return pairs.sort((a, b) => a.oldSlice - b.oldSlice);
}

function imagesOf(space: Space): Map<number, ElfImage> {
  const images = new Map<number, ElfImage>();
  space.files.forEach((file, i) => {
    const image = parseElf(file);
    if (image !== undefined) images.set(i, image);
  });
  return images;
}

function loadSpace(space: Space): Uint8Array {
  const bytes = new Uint8Array(space.starts.at(-1) ?? 0);
  space.files.forEach((file, i) => {
    file.read(0, partOf(space, i, bytes));
  });
  return bytes;
}

function reload(space: Space, images: ReadonlyMap<number, ElfImage>, bytes: Uint8Array): void {
  for (const file of images.keys()) sourceOf(space, file).read(0, partOf(space, file, bytes));
}

function partOf(space: Space, file: number, bytes: Uint8Array): Uint8Array {
  return bytes.subarray(space.starts[file], space.starts[file + 1]);
}

function sourceOf(space: Space, file: number): ByteSource {
  return space.files[file] as ByteSource;
}
