import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BandwidthRule } from "../protocol/transfer.ts";
import { type Bucket, fullBucket, limitAt, take } from "./bandwidth.ts";

describe("the bucket", () => {
  it("lets no more through in any span of time than the rate, one burst and one piece", () => {
    const piece = fc.record({ bytes: fc.nat(70_000), pauseMs: fc.nat(3_000) });
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 10_000_000 }),
        fc.array(piece, { minLength: 1, maxLength: 60 }),
        (rate, pieces) => {
          let nowMs = 0;
          let bucket: Bucket = fullBucket(rate, nowMs);
          const arrivals: { atMs: number; bytes: number }[] = [];
          for (const { bytes, pauseMs } of pieces) {
            nowMs += pauseMs;
            arrivals.push({ atMs: nowMs, bytes });
            const taken = take(bucket, bytes, rate, nowMs);
            bucket = taken.bucket;
            nowMs += taken.waitMs;
          }
          for (const first of arrivals.keys()) {
            let sum = 0;
            for (const { atMs, bytes } of arrivals.slice(first)) {
              const spanMs = atMs - (arrivals[first]?.atMs ?? 0);
              const before = sum;
              sum += bytes;
              expect(before).toBeLessThanOrEqual((rate * (spanMs + 250)) / 1_000 + 1);
            }
          }
        },
      ),
    );
  });

  it("waits no longer than what came needs", () => {
    const { waitMs } = take(fullBucket(10_000, 0), 12_500, 10_000, 0);
    expect(waitMs).toBe(1_000);
  });

  it("does not stop when the clock is set back", () => {
    const late = take(fullBucket(10_000, 1_000_000), 5_000, 10_000, 1_000_000);
    const { waitMs } = take(late.bucket, 1_000, 10_000, 0);
    expect(waitMs).toBeLessThan(1_000);
  });
});

describe("the rules by time of day", () => {
  const rules = [
    { from: "08:00", to: "18:00", foreground: 500_000, background: 50_000 },
    { from: "22:00", to: "06:00" },
    { background: 200_000 },
  ].map((rule) => BandwidthRule.parse(rule));
  const at = (time: string, kind: "foreground" | "background") => {
    const [hours = 0, minutes = 0] = time.split(":").map(Number);
    return limitAt(rules, kind, hours * 60 + minutes);
  };

  it("take the first that holds, over midnight too, and no limit without one", () => {
    expect(at("08:00", "background")).toBe(50_000);
    expect(at("17:59", "foreground")).toBe(500_000);
    expect(at("18:00", "background")).toBe(200_000);
    expect(at("18:00", "foreground")).toBeUndefined();
    expect(at("23:30", "background")).toBeUndefined();
    expect(at("05:59", "background")).toBeUndefined();
    expect(at("06:00", "background")).toBe(200_000);
    expect(limitAt([], "background", 0)).toBeUndefined();
  });
});
