import fc from "fast-check";
import { expect, it } from "vitest";
import { isDiagnosisDue, kindsOfTrouble, type LastRun, triedNow } from "./diagnosisDue.ts";

const DAY_MS = 24 * 60 * 60_000;
const NOW_MS = Date.UTC(2026, 5, 1);
const fine = { updates: [], givenUp: [], lastSuccessMs: NOW_MS };

it("says nothing of a machine on which all went well", () => {
  expect(kindsOfTrouble(fine, NOW_MS)).toEqual([]);
  expect(isDiagnosisDue([], undefined, NOW_MS)).toBe(false);
});

it("runs when nothing has worked for over 30 days", () => {
  const old = { ...fine, lastSuccessMs: NOW_MS - 31 * DAY_MS };
  expect(isDiagnosisDue(kindsOfTrouble(old, NOW_MS), undefined, NOW_MS)).toBe(true);
});

it("runs for a failure of another kind at once, and once more when the trouble is over", () => {
  const one = kindsOfTrouble({ ...fine, checkError: "UPB-FETCH-UNREACHABLE" }, NOW_MS);
  const last = { about: one, triedMs: triedNow(one, undefined, NOW_MS) };
  expect(isDiagnosisDue(one, last, NOW_MS + 60_000)).toBe(false);
  const other = kindsOfTrouble({ ...fine, givenUp: ["orchestrator"] }, NOW_MS);
  expect(isDiagnosisDue([...one, ...other], last, NOW_MS + 60_000)).toBe(true);
  expect(isDiagnosisDue([], last, NOW_MS + 60_000)).toBe(true);
  const settled = { about: [], triedMs: triedNow([], last, NOW_MS) };
  expect(isDiagnosisDue([], settled, NOW_MS + 60_000)).toBe(false);
  expect(isDiagnosisDue(one, settled, NOW_MS + 60_000)).toBe(false);
});

it("runs for each kind at most once a day and once after it, however trouble comes and goes", () => {
  const kind = fc.constantFrom("a", "b", "c");
  const moment = fc.record({
    afterMs: fc.integer({ min: 1, max: DAY_MS / 4 }),
    kinds: fc.uniqueArray(kind),
  });
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 200 }), (moments) => {
      let last: LastRun | undefined;
      let nowMs = NOW_MS;
      let runs = 0;
      for (const { afterMs, kinds } of moments) {
        nowMs += afterMs;
        if (!isDiagnosisDue(kinds, last, nowMs)) continue;
        runs += 1;
        last = { about: kinds, triedMs: triedNow(kinds, last, nowMs) };
      }
      const days = Math.ceil((nowMs - NOW_MS) / DAY_MS) + 1;
      expect(runs).toBeLessThanOrEqual(2 * 3 * days);
    }),
  );
});
