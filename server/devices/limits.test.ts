import { describe, expect, it } from "vitest";
import { failedTries } from "./failedTries.ts";
import { nonces } from "./nonces.ts";

describe("the nonces of signed requests", () => {
  it("are refused the second time, for as long as the signature is good", () => {
    let nowMs = 0;
    const seen = nonces(() => nowMs);
    expect(seen.isReplay("dev-1", "a")).toBe(false);
    nowMs = 600_000;
    expect(seen.isFull("dev-1")).toBe(false);
    expect(seen.isReplay("dev-1", "a")).toBe(true);
    expect(seen.isReplay("dev-2", "a")).toBe(false);
  });

  it("fill up for one device alone, and are forgotten after ten minutes", () => {
    let nowMs = 0;
    const seen = nonces(() => nowMs);
    for (let count = 0; count < 6_000; count++) seen.isReplay("dev-1", String(count));
    expect(seen.isFull("dev-1")).toBe(true);
    expect(seen.isFull("dev-2")).toBe(false);
    nowMs = 600_001;
    expect(seen.isFull("dev-1")).toBe(false);
  });
});

describe("failed enrolments", () => {
  it("block their address after ten, for an hour", () => {
    let nowMs = 0;
    const tries = failedTries(() => nowMs);
    for (let count = 0; count < 10; count++) {
      expect(tries.isBlocked("192.0.2.1")).toBe(false);
      tries.add("192.0.2.1");
    }
    expect(tries.isBlocked("192.0.2.1")).toBe(true);
    expect(tries.isBlocked("192.0.2.2")).toBe(false);
    nowMs = 3_600_000;
    expect(tries.isBlocked("192.0.2.1")).toBe(false);
  });
});
