import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readTree, versionOf } from "./deviceTree.ts";

let folder: string;
let current: string;
let installed: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-tree-"));
  installed = join(folder, "versions/1.0.0");
  mkdirSync(join(installed, "empty"), { recursive: true });
  writeFileSync(join(installed, "file"), "content", { mode: 0o644 });
  symlinkSync("file", join(installed, "link"));
  cpSync(installed, join(folder, "published"), { recursive: true, verbatimSymlinks: true });
  current = join(folder, "current");
  symlinkSync("versions/1.0.0", current);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const found = () => versionOf(current, new Map([["1.0.0", readTree(join(folder, "published"))]]));

describe("the look at an installed version", () => {
  it("names it when it is whole", () => {
    expect(found()).toBe("1.0.0");
  });

  it("says absent when there is no current link", () => {
    rmSync(current);
    expect(found()).toBe("absent");
  });

  it.each<[string, () => void]>([
    ["a changed byte", () => writeFileSync(join(installed, "file"), "c0ntent")],
    ["a truncated file", () => writeFileSync(join(installed, "file"), "")],
    ["another mode", () => chmodSync(join(installed, "file"), 0o600)],
    ["a missing file", () => rmSync(join(installed, "file"))],
    ["a missing empty folder", () => rmSync(join(installed, "empty"), { recursive: true })],
    ["a file too many", () => writeFileSync(join(installed, "other"), "")],
    [
      "another link target",
      () => {
        rmSync(join(installed, "link"));
        symlinkSync("empty", join(installed, "link"));
      },
    ],
    ["a missing version", () => rmSync(installed, { recursive: true })],
    [
      "an unknown version",
      () => {
        rmSync(current);
        symlinkSync("versions/9.9.9", current);
      },
    ],
  ])("sees %s", (_, damage) => {
    damage();
    expect(found()).toMatch(/^broken: /);
  });
});
