import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { removeUnfinished, writeDurably } from "./durableFile.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-durable-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("what a killed process left beside a file is removed, and nothing else", () => {
  writeDurably(join(folder, "kept.json"), "{}", 0o600);
  mkdirSync(join(folder, "below"));
  writeFileSync(join(folder, "kept.json.4711.new"), "{");
  writeFileSync(join(folder, "below/list.json.12.new"), "");
  writeFileSync(join(folder, "what-is.new"), "a name of somebody's own");
  removeUnfinished(folder);
  expect(readdirSync(folder).toSorted()).toEqual(["below", "kept.json", "what-is.new"]);
  expect(readdirSync(join(folder, "below"))).toEqual([]);
});

it("a folder that is not there has nothing unfinished", () => {
  removeUnfinished(join(folder, "none"));
  expect(existsSync(join(folder, "none"))).toBe(false);
});
