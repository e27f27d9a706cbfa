import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SHARED_FRAME_MAX_BYTES } from "../protocol/delivery.ts";
import { Sha256 } from "../protocol/ids.ts";
import type { FileEntry } from "../protocol/payload.ts";
import {
  type ContentPlace,
  contentPlaces,
  contentTable,
  distinctContents,
} from "./contentPlaces.ts";
import { storedBytesOf, usedFrames } from "./deliveryCost.ts";
import { type Packing, planPacking } from "./packing.ts";

const shaOf = (number: number) => Sha256.parse(number.toString(16).padStart(64, "0"));

const size = fc.oneof(
  { weight: 8, arbitrary: fc.nat(300_000) },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: SHARED_FRAME_MAX_BYTES, max: 40_000_000 }) },
);
/** Contents are numbers: the same number is the same content, so it has the same size. */
const sizes = fc.array(size, { minLength: 1, maxLength: 80 });
const tree = (bytes: readonly number[]) =>
  fc.array(fc.nat(bytes.length - 1), { minLength: 1, maxLength: 120 }).map((contents) =>
    contents.map(
      (content, index): FileEntry => ({
        type: "file",
        path: `${index % 3}/${index}.${"abc"[content % 3]}`,
        mode: 0o644,
        sizeBytes: bytes[content] ?? 0,
        sha256: shaOf(content),
      }),
    ),
  );
const history = sizes.chain((bytes) => fc.array(tree(bytes), { minLength: 1, maxLength: 4 }));

/** As if each frame were stored as it is, after a byte. */
function storedPlaces({ reused, objects }: Packing, version: number): Map<Sha256, ContentPlace> {
  const places = new Map(reused);
  for (const [number, frames] of objects.entries()) {
    const bytes = frames.map((files) => files.reduce((sum, file) => sum + file.sizeBytes, 1));
    const object = {
      sha256: shaOf(1_000_000 + version * 1_000 + number),
      sizeBytes: bytes.reduce((sum, one) => sum + one, 0),
    };
    let frameStart = 0;
    for (const [index, files] of frames.entries()) {
      const storedBytes = bytes[index] ?? 0;
      const frame = {
        object: 0,
        start: frameStart,
        storedBytes,
        rawBytes: storedBytes - 1,
        codec: "zstd" as const,
      };
      frameStart += storedBytes;
      let start = 0;
      for (const { sha256, sizeBytes } of files) {
        places.set(sha256, { object, frame, start, sizeBytes });
        start += sizeBytes;
      }
    }
  }
  return places;
}

describe("packing", () => {
  it("gives every content of every version a place that a reader accepts, once", () => {
    fc.assert(
      fc.property(history, (versions) => {
        let known: ReadonlyMap<Sha256, ContentPlace> = new Map();
        for (const [version, entries] of versions.entries()) {
          const contents = distinctContents(entries);
          const packing = planPacking(contents, known);
          const made = packing.objects.flat(2).map((file) => file.sha256);
          expect(new Set([...made, ...packing.reused.keys()]).size).toBe(contents.length);
          expect(made.length + packing.reused.size).toBe(contents.length);
          const places = storedPlaces(packing, version);
          const read = contentPlaces(entries, contentTable(entries, places));
          for (const { sha256 } of contents) {
            const { frame, ...place } = places.get(sha256) as ContentPlace;
            expect(read.get(sha256)).toMatchObject({ ...place, frame: { start: frame.start } });
          }
          known = places;
        }
      }),
      { numRuns: 100 },
    );
  });

  it("makes nobody fetch more than twice what the files take", () => {
    fc.assert(
      fc.property(history, (versions) => {
        let known: ReadonlyMap<Sha256, ContentPlace> = new Map();
        for (const [version, entries] of versions.entries()) {
          const contents = distinctContents(entries);
          known = storedPlaces(planPacking(contents, known), version);
          const wanted = contents.reduce((sum, file) => sum + file.sizeBytes, 0);
          const frames = usedFrames(known).length;
          expect(storedBytesOf(known)).toBeLessThanOrEqual(2 * wanted + frames);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("puts ten thousand small files into a few objects, and of an unchanged tree makes none", () => {
    const entries = Array.from(
      { length: 10_000 },
      (_, index): FileEntry => ({
        type: "file",
        path: `lib/${index}.js`,
        mode: 0o644,
        sizeBytes: 5_000,
        sha256: shaOf(index),
      }),
    );
    const packing = planPacking(entries, new Map());
    expect(packing.objects).toHaveLength(2);
    const again = planPacking(entries, storedPlaces(packing, 0));
    expect(again.objects).toEqual([]);
  });
});
