/**
 * The cheapest way from what a machine has to what it wants. Pure.
 *
 *   cheapestRoute   patches, one after the other, from any list of files that is here
 *   planRanges      which bytes of which objects hold the contents that are missing
 *
 * Cheap means bytes; a request counts as so many bytes as fit through a line meanwhile.
 */
import type { Frame, Patch, StoredObject } from "../protocol/delivery.ts";
import type { Sha256 } from "../protocol/ids.ts";
import type { FileEntry } from "../protocol/payload.ts";
import type { ContentPlace } from "./contentPlaces.ts";

/** Headers of both sides, some 500 bytes, and 2 ms of a line of 800 kB/s: rather too few than many. */
export const REQUEST_COST_BYTES = 2_048;

export interface Cost {
  readonly bytes: number;
  readonly requests: number;
}

export const costBytes = ({ bytes, requests }: Cost): number =>
  bytes + requests * REQUEST_COST_BYTES;

/** A patch and the list that it leads to. */
export interface Step {
  readonly to: Sha256;
  readonly patch: Patch;
}

/**
 * From one of `here` to `target`; undefined when no patches lead there. What is here costs nothing,
 * so the route never passes through it.
 */
export function cheapestRoute(
  steps: readonly Step[],
  here: ReadonlySet<Sha256>,
  target: Sha256,
): readonly Step[] | undefined {
  // Dijkstra's algorithm, over the few lists that an index knows.
  const best = new Map<Sha256, { cost: number; route: readonly Step[] }>();
  const open = new Set<Sha256>(here);
  for (const list of here) best.set(list, { cost: 0, route: [] });
  while (open.size > 0) {
    const next = [...open].reduce((a, b) => (costTo(best, b) < costTo(best, a) ? b : a));
    open.delete(next);
    if (next === target) break;
    const { cost, route } = best.get(next) ?? { cost: 0, route: [] };
    for (const step of steps) {
      if (step.patch.from !== next) continue;
      const total = cost + costBytes({ bytes: step.patch.sizeBytes, requests: 1 });
      if (total >= costTo(best, step.to)) continue;
      best.set(step.to, { cost: total, route: [...route, step] });
      open.add(step.to);
    }
  }
  return best.get(target)?.route;
}

const costTo = (best: ReadonlyMap<Sha256, { cost: number }>, list: Sha256): number =>
  best.get(list)?.cost ?? Number.POSITIVE_INFINITY;

export const costOfRoute = (route: readonly Step[]): Cost => ({
  bytes: route.reduce((total, { patch }) => total + patch.sizeBytes, 0),
  requests: route.length,
});

/** A frame and what of it is wanted. */
export interface FrameWork {
  readonly frame: Frame;
  readonly contents: readonly { readonly file: FileEntry; readonly start: number }[];
}

/** Bytes of one object that are fetched by one request. */
export interface RangeWork {
  readonly object: StoredObject;
  readonly start: number;
  readonly sizeBytes: number;
  readonly frames: readonly FrameWork[];
}

/**
 * One request for neighbours: what lies between two frames is fetched along when that is cheaper than
 * another request. `wanted` has each content once. Largest first, so that the slowest begins early.
 */
export function planRanges(
  wanted: readonly FileEntry[],
  places: ReadonlyMap<Sha256, ContentPlace>,
): RangeWork[] {
  const byFrame = new Map<
    Frame,
    { object: StoredObject; contents: FrameWork["contents"][number][] }
  >();
  for (const file of wanted) {
    const place = places.get(file.sha256);
    if (place === undefined) continue;
    const known = byFrame.get(place.frame) ?? { object: place.object, contents: [] };
    known.contents.push({ file, start: place.start });
    byFrame.set(place.frame, known);
  }
  const byObject = Map.groupBy(byFrame, ([, { object }]) => object.sha256);
  return [...byObject.values()]
    .flatMap((frames) => {
      const { object } = frames[0]?.[1] ?? {};
      if (object === undefined) return [];
      return rangesOf(
        object,
        frames.map(([frame, { contents }]) => ({ frame, contents })),
      );
    })
    .sort((a, b) => b.sizeBytes - a.sizeBytes);
}

function rangesOf(object: StoredObject, frames: readonly FrameWork[]): RangeWork[] {
  const ranges: { start: number; end: number; frames: FrameWork[] }[] = [];
  for (const work of frames.toSorted((a, b) => a.frame.start - b.frame.start)) {
    const { start, storedBytes } = work.frame;
    const last = ranges.at(-1);
    if (last !== undefined && start - last.end <= REQUEST_COST_BYTES) {
      last.end = Math.max(last.end, start + storedBytes);
      last.frames.push(work);
    } else ranges.push({ start, end: start + storedBytes, frames: [work] });
  }
  return ranges.map(({ start, end, frames }) => ({
    object,
    start,
    sizeBytes: end - start,
    frames,
  }));
}

export const costOfRanges = (ranges: readonly RangeWork[]): Cost => ({
  bytes: ranges.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
  requests: ranges.length,
});
