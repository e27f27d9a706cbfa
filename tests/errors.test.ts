import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CATALOGUE, type ErrorRow } from "../protocol/errors/catalogue.ts";
import { namedCodes, raisedCodes } from "./errors.ts";
import { readSources } from "./support/sourceText.ts";

const ROOT = join(import.meta.dirname, "..");
/** The catalogues themselves; a row is not a use. */
const ROWS = /^protocol\/(?:errors\/(?!error\.ts)|troubleshooting\/)/;

const sources = readSources(ROOT, ["protocol", "core", "content", "device", "server", "cli"]);
const programs = sources.filter(({ path }) => !path.endsWith(".test.ts") && !ROWS.test(path));
const rows: [string, ErrorRow][] = Object.entries(CATALOGUE);

describe("the error catalogue", () => {
  it("has no row that nobody raises", () => {
    const raised = new Set(programs.flatMap(raisedCodes));
    expect(Object.keys(CATALOGUE).filter((code) => !raised.has(code))).toEqual([]);
  });

  it("has every code that a source names", () => {
    const unknown = programs.flatMap((file) =>
      namedCodes(file)
        .filter((code) => !Object.hasOwn(CATALOGUE, code))
        .map((code) => `${file.path}: ${code}`),
    );
    expect(unknown).toEqual([]);
  });

  it.each(rows)("describes %s completely", (code, row) => {
    expect(code).toMatch(/^UPB(?:-[A-Z0-9]+){2,}$/);
    expect(row.text).toMatch(/^[A-Z].{5,}[^.!?\s]$/);
    expect(row.causes.length).toBeGreaterThan(0);
    expect(row.causes.every((cause) => cause.length > 3 && !cause.endsWith("."))).toBe(true);
    expect(row.remedy).toMatch(/^[A-Z].{5,}[^.\s]$/);
  });
});

describe("the reader of codes", () => {
  const file = (text: string) => ({ path: "x.ts", text });

  it("counts a code as raised where it is a value", () => {
    const text = `throw new UpbeatError("UPB-A-ONE", {}); const code = late ? "UPB-A-TWO" : "UPB-A-THREE";`;
    expect(raisedCodes(file(text))).toEqual(["UPB-A-ONE", "UPB-A-TWO", "UPB-A-THREE"]);
  });

  it("does not count comments, comparisons and tables", () => {
    const text = `
      // throws "UPB-A-ONE"
      if (error.code === "UPB-A-TWO") return;
      const statusOf = { "UPB-A-THREE": 404, "UPB-A-FOUR": 409 };
      log("see UPB-A-FIVE");
      switch (code) { case "UPB-A-SIX": }`;
    expect(raisedCodes(file(text))).toEqual([]);
    expect(namedCodes(file(text))).toHaveLength(6);
  });
});
