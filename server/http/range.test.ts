import { expect, test } from "vitest";
import { partOf } from "./range.ts";

test.each([
  [undefined, { is: "whole" }],
  ["bytes=0-", { is: "part", start: 0, end: 9 }],
  ["bytes=3-5", { is: "part", start: 3, end: 5 }],
  ["bytes=3-99", { is: "part", start: 3, end: 9 }],
  ["bytes=-4", { is: "part", start: 6, end: 9 }],
  ["bytes=-40", { is: "part", start: 0, end: 9 }],
  ["bytes=10-", { is: "unsatisfiable" }],
  ["bytes=-0", { is: "unsatisfiable" }],
  ["bytes=5-3", { is: "whole" }],
  ["bytes=-", { is: "whole" }],
  ["bytes=0-1,3-4", { is: "whole" }],
  ["lines=0-1", { is: "whole" }],
])("of ten bytes, %s is answered with %j", (range, part) => {
  expect(partOf(range, 10)).toEqual(part);
});

test("an empty file has no part", () => {
  expect(partOf("bytes=0-", 0)).toEqual({ is: "unsatisfiable" });
});
