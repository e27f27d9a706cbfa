import fc from "fast-check";
import { expect, test } from "vitest";
import { testWorld } from "../../tests/support/cliWorld.ts";
import { wantsColours } from "../world.ts";
import { bytes, duration, plain, when } from "./format.ts";
import { progressOn } from "./progress.ts";
import { styleFor } from "./style.ts";
import { facts, table, width } from "./table.ts";

const style = styleFor(testWorld([]).out, {});

test("sizes are decimal, short and never show 1000 of a unit", () => {
  expect([0, 999, 1000, 24_300_000, 99_949_999, 999_600_000].map(bytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "24.3 MB",
    "99.9 MB",
    "1.0 GB",
  ]);
});

test("times read as people say them", () => {
  expect([400, 12_000, 180_000, 7_200_000, 9 * 86_400_000].map(duration)).toEqual([
    "0.4 s",
    "12 s",
    "3 min",
    "2 h",
    "9 days",
  ]);
  expect(when(1_000, 61_000)).toBe("60 s ago");
  expect(when(3_600_000 * 22, 0)).toBe("in 22 h");
});

test("nothing from outside can move the cursor, colour text or turn its direction", () => {
  expect(plain("a\u001b[2Jb\r\nc\u202ed")).toBe("a [2Jb c d");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is tested
      expect(plain(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    }),
  );
});

test("columns line up, wide characters and colours included", () => {
  const text = table(
    style,
    ["NAME", "SIZE"],
    [
      ["日本", "1"],
      ["kiosk", "22"],
    ],
  );
  expect(text.split("\n").map((line) => line.trimEnd())).toEqual([
    "NAME   SIZE",
    "日本   1",
    "kiosk  22",
  ]);
  expect(width("日本")).toBe(4);
  expect(
    facts(style, [
      ["A", "1"],
      ["Long", undefined],
      ["Bb", "2"],
    ]),
  ).toBe("A  : 1\nBb : 2");
});

test("NO_COLOR beats everything, CLICOLOR_FORCE beats a pipe", () => {
  expect(wantsColours({ NO_COLOR: "1", CLICOLOR_FORCE: "1" }, true)).toBe(false);
  expect(wantsColours({ CLICOLOR_FORCE: "1" }, false)).toBe(true);
  expect(wantsColours({ CLICOLOR_FORCE: "0" }, false)).toBe(false);
  expect(wantsColours({}, true)).toBe(true);
  expect(wantsColours({ TERM: "dumb" }, true)).toBe(false);
});

test("in a pipe, progress is one line a step, however often it is told", () => {
  const world = testWorld([]);
  const progress = progressOn(world);
  for (let doneBytes = 0; doneBytes <= 100; doneBytes++) {
    progress.show({ text: "Download", doneBytes, totalBytes: 100 });
  }
  progress.show({ text: "Verify" });
  progress.end("failed");
  expect(world.printed).toEqual({
    out: "",
    err: "  ✔ Download  100 B  0.0 s\n  ✘ Verify  0.0 s\n",
  });
});

test("on a terminal, progress shows a bar with bytes, speed and the time left", () => {
  let nowMs = 0;
  const world = testWorld([], { terminal: true, now: () => nowMs });
  const progress = progressOn(world);
  progress.show({ text: "Download", doneBytes: 0, totalBytes: 10_000_000 });
  nowMs = 2_000;
  progress.show({ text: "Download", doneBytes: 5_000_000, totalBytes: 10_000_000 });
  const last = world.printed.err.split("\r").at(-1);
  progress.end("done");
  expect(last).toContain("██████████░░░░░░░░░░");
  expect(last).toContain("50 %");
  expect(last).toContain("5.0 MB of 10.0 MB");
  expect(last).toContain("2.5 MB/s");
  expect(last).toContain("2.0 s left");
  expect(world.printed.out).toBe("");
});
