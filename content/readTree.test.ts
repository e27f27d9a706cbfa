import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UpbeatError } from "../protocol/errors/error.ts";
import { readTree } from "./readTree.ts";
import { requireSafeTree } from "./treeRules.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-tree-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error) => (error instanceof UpbeatError ? error.code : Promise.reject(error)),
  );

test("files, links, modes, empty folders and long names are all there, sorted as bytes sort", async () => {
  const long = "n".repeat(255);
  mkdirSync(join(folder, "empty"), { mode: 0o750 });
  mkdirSync(join(folder, "a"));
  writeFileSync(join(folder, "a", long), "text");
  chmodSync(join(folder, "a", long), 0o4755);
  writeFileSync(join(folder, "a.b"), "");
  symlinkSync("a.b", join(folder, "link"));
  chmodSync(join(folder, "a"), 0o755);
  chmodSync(join(folder, "a.b"), 0o600);
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const entries = await readTree(folder);
  expect(entries).toEqual([
    { type: "folder", path: "a", mode: 0o755 },
    { type: "file", path: "a.b", sizeBytes: 0, mode: 0o600, sha256: sha256("") },
    { type: "file", path: `a/${long}`, sizeBytes: 4, mode: 0o755, sha256: sha256("text") },
    { type: "folder", path: "empty", mode: 0o750 },
    { type: "link", path: "link", target: "a.b" },
  ]);
  requireSafeTree(entries, "sample@1.0.0");
});

test("a named pipe is refused by its kind, without waiting for its other end", async () => {
  execFileSync("mkfifo", [join(folder, "pipe")]);
  expect(await codeOf(readTree(folder))).toBe("UPB-TREE-KIND");
});

test("a name that is not Unicode is refused", async () => {
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x66, 0xff])]), "");
  expect(await codeOf(readTree(folder))).toBe("UPB-TREE-NAME");
});

test("a folder that is not there is named", async () => {
  expect(await codeOf(readTree(join(folder, "none")))).toBe("UPB-TREE-UNREADABLE");
});
