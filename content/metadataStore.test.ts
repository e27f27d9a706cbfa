import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Marks, MetadataStore } from "../protocol/trust/ports.ts";
import { metadataStore } from "./metadataStore.ts";

describe("the metadata store", () => {
  let folder: string;
  let store: MetadataStore;
  const bytes = Buffer.from("some metadata");
  const marks: Marks = {
    roles: Object.fromEntries([
      ["stable", { version: 3, keys: "k" }],
      ["__proto__", { version: 4, keys: "" }],
    ]),
    timeFloorMs: 1_780_000_000_000,
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "upbeat-store-"));
    store = metadataStore(join(folder, "new/folder"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const files = () => readdirSync(join(folder, "new/folder"), { recursive: true }).sort();

  it("gives back what was written, and nothing for what was not", () => {
    expect(store.read("stable")).toBeUndefined();
    store.write("stable", bytes);
    store.writeRoot(7, bytes);
    store.writeMarks(marks);
    expect(store.read("stable")).toEqual(bytes);
    expect(store.readRoot(7)).toEqual(bytes);
    expect(store.readRoot(8)).toBeUndefined();
    expect(store.readMarks()).toEqual(marks);
    expect(Object.keys(store.readMarks()?.roles ?? {})).toContain("__proto__");
    expect(files()).toEqual(["marks.state", "roots", "roots/7.root.json", "stable.json"]);
    expect(statSync(join(folder, "new/folder/stable.json")).mode & 0o777).toBe(0o600);
    store.remove("stable");
    expect(store.read("stable")).toBeUndefined();
    store.remove("stable");
  });

  it("replaces a symbolic link instead of writing through it, and never reads one", () => {
    const victim = join(folder, "victim");
    writeFileSync(victim, "mine");
    store.write("beta", bytes);
    symlinkSync(victim, join(folder, "new/folder/stable.json"));
    expect(store.read("stable")).toBeUndefined();
    store.write("stable", bytes);
    expect(readFileSync(victim, "utf8")).toBe("mine");
    expect(store.read("stable")).toEqual(bytes);
  });

  it("counts a folder in a file's place as absent", () => {
    mkdirSync(join(folder, "new/folder/stable.json"), { recursive: true });
    expect(store.read("stable")).toBeUndefined();
  });

  it("counts marks as absent when one byte of them changed or is missing", () => {
    store.writeMarks(marks);
    const path = join(folder, "new/folder/marks.state");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace('"version":3', '"version":2'));
    expect(store.readMarks()).toBeUndefined();
    writeFileSync(path, text);
    expect(store.readMarks()).toEqual(marks);
    truncateSync(path, text.length - 1);
    expect(store.readMarks()).toBeUndefined();
  });

  it("says that the disk is full, and leaves the old file and nothing beside it", (context) => {
    const small = join(folder, "small");
    mkdirSync(small);
    const size = "size=64k";
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", size, "none", small]).status === 0;
    if (!mounted) context.skip("a small file system can only be mounted by root");
    try {
      const full = metadataStore(small);
      full.write("stable", bytes);
      expect(() => full.write("stable", Buffer.alloc(100_000))).toThrow(
        expect.objectContaining({ code: "UPB-TRUST-STORE-FULL", nativeCode: "ENOSPC" }),
      );
      expect(full.read("stable")).toEqual(bytes);
      expect(readdirSync(small)).toEqual(["stable.json"]);
    } finally {
      spawnSync("umount", [small]);
    }
  });

  it("says that the folder can't be written", () => {
    const nowhere = metadataStore(join(folder, "file/below"));
    writeFileSync(join(folder, "file"), "");
    expect(() => nowhere.write("stable", bytes)).toThrow(
      expect.objectContaining({ code: "UPB-TRUST-STORE-UNWRITABLE", nativeCode: "ENOTDIR" }),
    );
  });

  it.skipIf(process.getuid?.() === 0)("says that the folder is read-only", () => {
    store.write("stable", bytes);
    chmodSync(join(folder, "new/folder"), 0o500);
    expect(() => store.write("stable", Buffer.from("new"))).toThrow(
      expect.objectContaining({ code: "UPB-TRUST-STORE-UNWRITABLE", nativeCode: "EACCES" }),
    );
    chmodSync(join(folder, "new/folder"), 0o700);
    expect(store.read("stable")).toEqual(bytes);
  });
});
