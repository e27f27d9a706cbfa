/** What fetching contents costs, from their places alone. Pure. */
import type { Frame, StoredObject } from "../protocol/delivery.ts";
import type { Sha256 } from "../protocol/ids.ts";
import type { ContentPlace } from "./contentPlaces.ts";

export interface UsedFrame {
  readonly object: StoredObject;
  readonly frame: Frame;
  readonly parts: readonly {
    readonly sha256: Sha256;
    readonly start: number;
    readonly sizeBytes: number;
  }[];
}

/** Each frame that holds one of the contents, once, with those of them that are in it. */
export function usedFrames(places: ReadonlyMap<Sha256, ContentPlace>): UsedFrame[] {
  const wanted = [...places].map(([sha256, place]) => ({ sha256, ...place }));
  const byFrame = Map.groupBy(wanted, ({ object, frame }) => `${object.sha256}@${frame.start}`);
  return [...byFrame.values()].flatMap((parts) => {
    const [first] = parts;
    return first === undefined ? [] : [{ object: first.object, frame: first.frame, parts }];
  });
}

export const storedBytesOf = (places: ReadonlyMap<Sha256, ContentPlace>): number =>
  usedFrames(places).reduce((sum, { frame }) => sum + frame.storedBytes, 0);
