import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Frame } from "../protocol/delivery.ts";
import { Sha256 } from "../protocol/ids.ts";
import type { FileEntry } from "../protocol/payload.ts";
import type { ContentPlace } from "./contentPlaces.ts";
import {
  cheapestRoute,
  costBytes,
  costOfRanges,
  costOfRoute,
  planRanges,
  REQUEST_COST_BYTES,
  type Step,
} from "./deliveryPlan.ts";

const sha256 = (number: number) => Sha256.parse(number.toString(16).padStart(64, "0"));

const step = (from: number, to: number, sizeBytes: number): Step => ({
  to: sha256(to),
  patch: {
    from: sha256(from),
    sha256: sha256(from * 100 + to),
    sizeBytes,
    readBytes: 0,
    writeBytes: 0,
  },
});

describe("the route of patches", () => {
  it("takes the direct patch, unless two others together are cheaper", () => {
    const near = [step(1, 2, 50_000), step(2, 3, 50_000)];
    const here = new Set([sha256(1)]);
    expect(cheapestRoute([...near, step(1, 3, 100_000)], here, sha256(3))).toHaveLength(1);
    expect(cheapestRoute([...near, step(1, 3, 110_000)], here, sha256(3))).toEqual(near);
    expect(cheapestRoute([step(2, 3, 1)], here, sha256(3))).toBeUndefined();
    expect(cheapestRoute([], new Set([sha256(3)]), sha256(3))).toEqual([]);
  });

  it("is never dearer than any other, and holds together", () => {
    const node = fc.nat(6);
    const edges = fc.array(
      fc
        .record({ from: node, to: node, size: fc.nat(100_000) })
        .map((e) => step(e.from, e.to, e.size)),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(edges, fc.uniqueArray(node, { maxLength: 3 }), node, (steps, here, target) => {
        const starts = new Set(here.map(sha256));
        const route = cheapestRoute(steps, starts, sha256(target));
        const cheapest = cheapestByTrial(steps, starts, sha256(target));
        if (route === undefined) {
          expect(cheapest).toBe(Number.POSITIVE_INFINITY);
          return;
        }
        expect(costBytes(costOfRoute(route))).toBe(cheapest);
        let at = route[0]?.patch.from ?? sha256(target);
        expect(starts.has(at)).toBe(true);
        for (const { to, patch } of route) {
          expect(patch.from).toBe(at);
          at = to;
        }
        expect(at).toBe(sha256(target));
      }),
    );
  });
});

/** Every way without a circle. */
function cheapestByTrial(
  steps: readonly Step[],
  here: ReadonlySet<Sha256>,
  target: Sha256,
  seen: ReadonlySet<Sha256> = new Set(),
): number {
  if (here.has(target)) return 0;
  const into = steps.filter(({ to, patch }) => to === target && !seen.has(patch.from));
  return Math.min(
    Number.POSITIVE_INFINITY,
    ...into.map(
      ({ patch }) =>
        costBytes({ bytes: patch.sizeBytes, requests: 1 }) +
        cheapestByTrial(steps, here, patch.from, new Set([...seen, target])),
    ),
  );
}

describe("the ranges of what is missing", () => {
  /** Objects of frames one after the other, each with some files. */
  const stored = fc
    .array(
      fc.array(
        fc.record({
          gap: fc.nat(5_000),
          storedBytes: fc.nat(9_000),
          files: fc.integer({ min: 1, max: 4 }),
        }),
        { minLength: 1, maxLength: 6 },
      ),
      { maxLength: 4 },
    )
    .map((objects) => {
      const places = new Map<Sha256, ContentPlace>();
      const files: FileEntry[] = [];
      for (const [number, frames] of objects.entries()) {
        let at = 0;
        const object = { sha256: sha256(1_000_000 + number), sizeBytes: 100_000 };
        for (const about of frames) {
          const frame: Frame = {
            object: number,
            start: at + about.gap,
            storedBytes: about.storedBytes,
            rawBytes: about.files * 10,
            codec: "zstd",
          };
          at = frame.start + frame.storedBytes;
          for (let index = 0; index < about.files; index++) {
            const id = sha256(files.length);
            files.push({
              type: "file",
              path: `${files.length}`,
              mode: 0o644,
              sizeBytes: 10,
              sha256: id,
            });
            places.set(id, { object, frame, start: index * 10, sizeBytes: 10 });
          }
        }
      }
      return { files, places };
    });

  it("hold every wanted content once, in as few bytes and requests as pays", () => {
    fc.assert(
      fc.property(stored, fc.infiniteStream(fc.boolean()), ({ files, places }, choice) => {
        const wanted = files.filter(() => choice.next().value);
        const ranges = planRanges(wanted, places);
        const found = ranges.flatMap(({ frames }) => frames.flatMap(({ contents }) => contents));
        expect(found.map(({ file }) => file.path).sort()).toEqual(
          wanted.map(({ path }) => path).sort(),
        );
        for (const { object, start, sizeBytes, frames } of ranges) {
          expect(start + sizeBytes).toBeLessThanOrEqual(object.sizeBytes);
          for (const { frame, contents } of frames) {
            expect(frame.start).toBeGreaterThanOrEqual(start);
            expect(frame.start + frame.storedBytes).toBeLessThanOrEqual(start + sizeBytes);
            for (const { file } of contents) expect(places.get(file.sha256)?.frame).toBe(frame);
          }
        }
        const alone = new Set(wanted.map(({ sha256: id }) => places.get(id)?.frame));
        const aloneBytes = [...alone].reduce(
          (total, frame) => total + (frame?.storedBytes ?? 0),
          0,
        );
        const cost = costOfRanges(ranges);
        expect(cost.bytes).toBeGreaterThanOrEqual(aloneBytes);
        expect(costBytes(cost)).toBeLessThanOrEqual(aloneBytes + alone.size * REQUEST_COST_BYTES);
      }),
    );
  });
});
