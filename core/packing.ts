/**
 * How a publisher lays out the contents of an update as objects. Pure.
 *
 * What earlier versions have stored is named again where it lies, so that it is neither uploaded nor
 * kept twice; unless the frame holds mostly what this update has no use for, because then every
 * machine that fetches it would fetch that too. New small files go together into packs in the order
 * of their kind and name: alike compresses well, and a pack of neighbours is one request.
 */
import { SHARED_FRAME_MAX_BYTES } from "../protocol/delivery.ts";
import type { Sha256 } from "../protocol/ids.ts";
import type { FileEntry } from "../protocol/payload.ts";
import type { ContentPlace } from "./contentPlaces.ts";

/** Unpacked; one upload that can be repeated whole. */
const PACK_MAX_BYTES = 32 * 1024 * 1024;
/** A stored frame is named again if this update wants at least so much of it. */
const WANTED_SHARE = 0.5;

export interface Packing {
  readonly reused: ReadonlyMap<Sha256, ContentPlace>;
  /** Objects to make; each is a list of frames, each frame a list of files. */
  readonly objects: readonly (readonly (readonly FileEntry[])[])[];
}

export function planPacking(
  contents: readonly FileEntry[],
  known: ReadonlyMap<Sha256, ContentPlace>,
): Packing {
  const reused = wellUsed(contents, known);
  const fresh = contents.filter(({ sha256 }) => !reused.has(sha256));
  const alone = fresh.filter(({ sizeBytes }) => sizeBytes > SHARED_FRAME_MAX_BYTES);
  const small = fresh.filter(({ sizeBytes }) => sizeBytes <= SHARED_FRAME_MAX_BYTES);
  const frames = fill(
    small.toSorted(byKindAndName),
    SHARED_FRAME_MAX_BYTES,
    (file) => file.sizeBytes,
  );
  return {
    reused,
    objects: [...fill(frames, PACK_MAX_BYTES, sizeOf), ...alone.map((file) => [[file]])],
  };
}

function wellUsed(
  contents: readonly FileEntry[],
  known: ReadonlyMap<Sha256, ContentPlace>,
): Map<Sha256, ContentPlace> {
  const frameOf = ({ object, frame }: ContentPlace) => `${object.sha256}@${frame.start}`;
  const places = contents.flatMap(({ sha256 }) => {
    const place = known.get(sha256);
    return place === undefined ? [] : [{ sha256, place }];
  });
  const byFrame = Map.groupBy(places, ({ place }) => frameOf(place));
  const reused = new Map<Sha256, ContentPlace>();
  for (const wanted of byFrame.values()) {
    const wantedBytes = wanted.reduce((sum, { place }) => sum + place.sizeBytes, 0);
    const rawBytes = wanted[0]?.place.frame.rawBytes ?? 0;
    if (wantedBytes < rawBytes * WANTED_SHARE) continue;
    for (const { sha256, place } of wanted) reused.set(sha256, place);
  }
  return reused;
}

/** In their order, each part at most `limit` in size unless one alone is larger. */
function fill<Item>(items: readonly Item[], limit: number, sizeOfItem: (item: Item) => number) {
  const parts: Item[][] = [];
  let sizeBytes = 0;
  for (const item of items) {
    const part = parts.at(-1);
    sizeBytes += sizeOfItem(item);
    if (part !== undefined && sizeBytes <= limit) part.push(item);
    else {
      parts.push([item]);
      sizeBytes = sizeOfItem(item);
    }
  }
  return parts;
}

const sizeOf = (frame: readonly FileEntry[]): number =>
  frame.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

function byKindAndName(a: FileEntry, b: FileEntry): number {
  const [one, other] = [`${kindOf(a.path)}\0${a.path}`, `${kindOf(b.path)}\0${b.path}`];
  return one < other ? -1 : one > other ? 1 : 0;
}

/** `map` of `lib/a.js.map`; nothing for a name without a dot. */
const kindOf = (path: string): string => /\.([^./]+)$/.exec(path)?.[1] ?? "";
