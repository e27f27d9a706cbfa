import { describe, expect, it } from "vitest";
import { seededRandom } from "../support/random.ts";
import { crashState, imageBuilder } from "./crashStates.ts";
import type { LogEntry } from "./diskLog.ts";

const BLOCK = 4096;
const write = (block: number, value: number, blocks = 1, fua = false): LogEntry => ({
  kind: "write",
  offset: block * BLOCK,
  bytes: new Uint8Array(blocks * BLOCK).fill(value),
  fua,
});
const flush: LogEntry = { kind: "flush" };
const base = new Uint8Array(8 * BLOCK);

/** The first byte of each block, in every state that 500 tries reach. */
function reached(log: LogEntry[], from: number, to: number): Set<string> {
  const random = seededRandom(7);
  const states = new Set<string>();
  for (let i = 0; i < 500; i++) {
    const image = imageBuilder(base, log)(crashState(log, from, to, random));
    states.add(Array.from({ length: 8 }, (_, block) => image[block * BLOCK]).join(""));
  }
  return states;
}

describe("crash states", () => {
  it("never lose what was flushed", () => {
    const states = reached([write(0, 1), flush, write(1, 2)], 2, 3);
    expect(states).toEqual(new Set(["10000000", "12000000"]));
  });

  it("never lose a write with forced unit access", () => {
    expect(reached([write(0, 1), write(1, 2, 1, true)], 2, 2)).toEqual(
      new Set(["12000000", "02000000"]),
    );
  });

  it("drop, reorder and tear what was not flushed", () => {
    const states = reached([write(0, 1), write(1, 2, 2)], 2, 2);
    expect(states).toContain("00000000");
    expect(states, "the later one alone").toContain("02200000");
    expect(states, "torn").toContain("10200000");
    expect(states.size).toBe(8);
  });

  it("keep the older content of a block that was written twice, or the newer", () => {
    expect(reached([write(0, 1), write(0, 2)], 2, 2)).toEqual(
      new Set(["00000000", "10000000", "20000000"]),
    );
  });

  it("hold nothing from behind the cut", () => {
    expect(reached([write(0, 1), write(1, 2)], 0, 1)).toEqual(new Set(["00000000", "10000000"]));
  });
});
