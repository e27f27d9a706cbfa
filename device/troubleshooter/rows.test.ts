import { expect, it } from "vitest";
import { tableOfChecks } from "./rows.ts";

it("has all 38 rows, each looked at by a check or named as not applicable with the reason", () => {
  const table = tableOfChecks();
  expect(table.map(({ row }) => row)).toEqual(Array.from({ length: 38 }, (_, at) => at + 1));
  const open = table.filter(({ checks, because }) => checks.length > 0 === (because !== undefined));
  expect(open).toEqual([]);
});
