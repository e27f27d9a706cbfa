import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runRandomMachine } from "../../tests/support/randomMachines.ts";

/** Seeds run some 480 simulated hours each; `npm run bench -- restarts` runs millions. */
const RUNS = 120;

describe("on every machine, in ten time zones, through nights on which the clock jumps", () => {
  it("a restart keeps its promises: good moments before the deadline, none missed, one for all", () => {
    let restarts = 0;
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), (seed) => {
        const run = runRandomMachine(seed);
        restarts += run.restarts;
        expect(run.broken).toEqual([]);
      }),
      { numRuns: RUNS },
    );
    // The promises of machines that never restart would be easy to keep.
    expect(restarts).toBeGreaterThan(RUNS / 2);
  }, 60_000);
});
