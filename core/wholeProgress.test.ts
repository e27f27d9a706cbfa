import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Progress } from "../protocol/updateServiceApi.ts";
import { expectedTime, learned, type StageTimes } from "./stageTimes.ts";
import {
  type Bar,
  moved,
  PHASES_OF,
  type PlannedJob,
  shareOf,
  type Work,
  wholeProgress,
  worksOf,
} from "./wholeProgress.ts";

const START: Bar = { fraction: 0, done: {} };
const NONE = { visits: 0, bytes: 0 };
const share = fc.double({ min: -0.5, max: 1.5, noNaN: true });
const key = fc.constantFrom("a", "b", "c", "d", "e");
const works = fc.uniqueArray(
  fc.record({ key, ms: fc.double({ min: 0, max: 1e7, noNaN: true }), isGuess: fc.boolean() }),
  { selector: (work) => work.key, maxLength: 5 },
);
const looks = fc.array(fc.record({ works, done: fc.dictionary(key, share) }), { maxLength: 30 });

describe("the one bar", () => {
  it("never goes back and never passes its end, whatever is estimated anew or comes on top", () => {
    fc.assert(
      fc.property(looks, (all) => {
        let bar = START;
        for (const look of all) {
          const next = moved(bar, look.works, look.done);
          expect(next.fraction).toBeGreaterThanOrEqual(bar.fraction);
          expect(next.fraction).toBeLessThanOrEqual(1);
          bar = next;
        }
      }),
    );
  });

  it("is at its end when all is done, and not before", () => {
    fc.assert(
      fc.property(looks, fc.uniqueArray(key, { minLength: 1 }), (all, names) => {
        const sizeable: Work[] = names.map((name) => ({ key: name, ms: 1_000, isGuess: false }));
        const half = Object.fromEntries(names.map((name) => [name, 0.5]));
        let bar = START;
        for (const look of all) bar = moved(bar, sizeable, { ...look.done, ...half });
        const isOpen = names.some((name) => (bar.done[name] ?? 0) < 1);
        if (isOpen) expect(bar.fraction).toBeLessThan(1);
        const whole = moved(bar, sizeable, Object.fromEntries(names.map((name) => [name, 1])));
        expect(whole.fraction).toBeCloseTo(1);
        expect(wholeProgress(whole, sizeable).leftMs).toBeUndefined();
      }),
    );
  });

  it("weighs a part by the time that it takes", () => {
    const both: Work[] = [
      { key: "long", ms: 9_000, isGuess: false },
      { key: "short", ms: 1_000, isGuess: false },
    ];
    const bar = moved(START, both, { long: 1 });
    expect(bar.fraction).toBeCloseTo(0.9);
    expect(wholeProgress(bar, both)).toEqual({ fraction: bar.fraction, leftMs: 1_000 });
  });

  it("stays where it is when more work comes on top, and goes on more slowly", () => {
    const one: Work[] = [{ key: "a", ms: 1_000, isGuess: false }];
    const half = moved(START, one, { a: 0.5 });
    const two: Work[] = [...one, { key: "b", ms: 9_500, isGuess: false }];
    expect(moved(half, two, {}).fraction).toBe(half.fraction);
    expect(moved(half, two, { a: 1 }).fraction).toBeCloseTo(0.525);
  });

  it("says no time while most of it would be a guess", () => {
    const guess: Work[] = [{ key: "a", ms: 1_000, isGuess: true }];
    expect(wholeProgress(START, guess).leftMs).toBeUndefined();
    const mostly: Work[] = [...guess, { key: "b", ms: 2_000, isGuess: false }];
    expect(wholeProgress(START, mostly).leftMs).toBe(3_000);
  });
});

describe("the share of a phase", () => {
  const job: PlannedJob = { key: "j", kind: "download" };
  const at = (more: Partial<Progress>): Progress => ({
    jobId: "0b8b8a3e-3b52-4a39-a3a2-5ef5d3a8a001",
    phase: "download",
    doneBytes: 0,
    totalBytes: 0,
    sinceMs: 0,
    ...more,
  });
  const known = { times: {}, nowMs: 1_000 };
  const plan = (bytes: number, patches: number) => ({
    plannedMs: 1,
    way: "patches" as const,
    parts: [{ source: "patches" as const, count: patches, bytes, requests: patches }],
    bytes,
    requests: patches,
    wholeBytes: bytes,
    fellBack: [],
  });

  it("goes on over a chain of patches instead of beginning again with each", () => {
    const chain = { ...job, plan: plan(400, 2) };
    const first = at({ doneBytes: 100, totalBytes: 100 });
    expect(shareOf(chain, first, NONE, known)).toBe(0.25);
    const second = at({ doneBytes: 150, totalBytes: 300 });
    expect(shareOf(chain, second, { visits: 1, bytes: 100 }, known)).toBe(0.625);
    const applied = at({ phase: "apply", doneBytes: 5, totalBytes: 10 });
    expect(shareOf(chain, applied, { visits: 1, bytes: 10 }, known)).toBe(0.75);
  });

  it("of a phase that counts nothing follows its usual time, and leaves room for its end", () => {
    const times: StageTimes = { "health-check": { ms: 4_000 } };
    const install: PlannedJob = { key: "j", kind: "install" };
    const check = (nowMs: number) =>
      shareOf(install, at({ phase: "health-check" }), NONE, { times, nowMs });
    expect([check(1_000), check(3_600_000), check(-5_000)]).toEqual([0.25, 0.9, 0]);
  });

  it("is between 0 and 1 for whatever a service says of itself", () => {
    const bytes = fc.nat(1_000_000);
    fc.assert(
      fc.property(bytes, bytes, bytes, fc.nat(5), fc.nat(5), (done, total, before, visits, n) => {
        for (const phase of PHASES_OF.download) {
          const progress = at({ phase, doneBytes: done, totalBytes: total });
          const found = shareOf(
            { ...job, plan: plan(before, n) },
            progress,
            { visits, bytes: before },
            known,
          );
          expect(found).toBeGreaterThanOrEqual(0);
          expect(found).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe("the times of the phases", () => {
  it("are guesses until one was measured, then follow what this machine needs", () => {
    expect(expectedTime({}, "stage", 1_000_000).isGuess).toBe(true);
    let times: StageTimes = {};
    for (let run = 0; run < 30; run++) {
      times = learned(times, "stage", { tookMs: 500, bytes: 1_000_000 });
    }
    expect(expectedTime(times, "stage", 2_000_000)).toEqual({ ms: 1_000, isGuess: false });
    expect(expectedTime(times, "stage", undefined).ms).toBeCloseTo(500);
  });

  it("are not led astray by a few bytes, nor by a clock that was set back", () => {
    const times = learned({}, "download", { tookMs: 30_000, bytes: 10 });
    expect(expectedTime(times, "download", 1_000_000).ms).toBeLessThan(10_000);
    expect(learned({}, "commit", { tookMs: -5_000, bytes: 0 }).commit?.ms).toBe(0);
  });

  it("of what is not there to do are none", () => {
    const job: PlannedJob = { key: "j", kind: "download", sizeBytes: 0 };
    const apply = worksOf(job, {}).find((work) => work.key === "j/apply");
    expect(apply).toEqual({ key: "j/apply", ms: 0, isGuess: false });
  });
});
