import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UpbeatError } from "../protocol/errors/error.ts";
import { Sha256 } from "../protocol/ids.ts";
import { type FileEntry, isFile, type TreeEntry, writePayload } from "../protocol/payload.ts";
import { applyDelta } from "./delta/apply.ts";
import { type ByteSource, sourceOfBytes } from "./delta/byteSource.ts";
import { completeEntries, encodeTreePatch, type PatchSide, readTreePatch } from "./treePatch.ts";
import { compareCodePoints } from "./treeRules.ts";

type Content = { mode: number; text: string } | { target: string } | { folder: number };
type Tree = ReadonlyMap<string, Content>;

const sha256 = (bytes: Uint8Array) =>
  Sha256.parse(createHash("sha256").update(bytes).digest("hex"));

function sideOf(tree: Tree): PatchSide & { bytes: ReadonlyMap<string, Uint8Array> } {
  const bytes = new Map<string, Uint8Array>();
  const entries = [...tree].map(([path, content]): TreeEntry => {
    if ("target" in content) return { type: "link", path, target: content.target };
    if ("folder" in content) return { type: "folder", path, mode: content.folder };
    const file = Buffer.from(content.text);
    bytes.set(path, file);
    return {
      type: "file",
      path,
      sizeBytes: file.length,
      mode: content.mode,
      sha256: sha256(file),
    };
  });
  return {
    entries: entries.sort((a, b) => compareCodePoints(a.path, b.path)),
    bytes,
    open: ({ path }) => sourceOfBytes(bytes.get(path) ?? new Uint8Array()),
  };
}

/** The tree that a patch makes of an old one: its list, and each file's bytes by hash. */
function applied(patch: ByteSource, old: PatchSide) {
  const read = readTreePatch(patch, old.entries);
  const oldFiles = old.entries.filter(isFile);
  const parts = new Map<number, Uint8Array[]>();
  const hashes = new Map<number, Sha256>();
  const files = read.entries.filter((entry) => entry.type === "file");
  applyDelta({
    patch: read.delta,
    old: (file) => old.open(oldFiles[file] as FileEntry),
    fresh: (file) => files[file] && { sizeBytes: files[file].sizeBytes, sha256: undefined },
    sink: {
      write: (file, bytes) => {
        parts.set(file, [...(parts.get(file) ?? []), bytes.slice()]);
      },
      finish: (file, hash) => {
        hashes.set(file, Sha256.parse(hash));
      },
    },
  });
  const entries = completeEntries(read, (file) => hashes.get(file) ?? Sha256.parse("0".repeat(64)));
  const made = [...hashes].map(([file, hash]) => {
    return [hash, Buffer.concat(parts.get(file) ?? [])] as const;
  });
  return { entries, made: new Map(made), reads: read.reads };
}

const LINE = "a line that is long enough to be found again, number ";
const text = fc
  .array(fc.nat(30), { maxLength: 12 })
  .map((lines) => lines.map((n) => LINE + n).join("\n"));
const mode = fc.constantFrom(0o644, 0o755, 0o600);
const content: fc.Arbitrary<Content> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ mode, text }) },
  { weight: 1, arbitrary: fc.record({ target: fc.constantFrom("a", "b/c") }) },
  { weight: 1, arbitrary: fc.record({ folder: mode }) },
);
const path = fc.constantFrom("a", "b/c", "b/d", "e é", "f", "g/h/i", "j", "k");
const tree: fc.Arbitrary<Tree> = fc
  .array(fc.tuple(path, content), { maxLength: 8 })
  .map((entries) => new Map(entries));
/** Another tree that has much of the first, under the same names and under others. */
const pair = tree.chain((old) =>
  fc
    .array(fc.tuple(path, fc.oneof(content, fc.constantFrom(...old.values(), { folder: 0o755 }))), {
      maxLength: 5,
    })
    .map((edits) => ({ old, fresh: new Map([...old, ...edits].slice(edits.length % 3)) })),
);

describe("a patch between two trees", () => {
  it("makes the new list and every new content, from every base", async () => {
    await fc.assert(
      fc.asyncProperty(pair, async ({ old, fresh }) => {
        for (const [from, to] of [
          [sideOf(old), sideOf(fresh)],
          [sideOf(fresh), sideOf(old)],
          [sideOf(new Map()), sideOf(fresh)],
        ] as const) {
          const patch = await encodeTreePatch(from, to);
          const { entries, made } = applied(sourceOfBytes(patch), from);
          expect(writePayload(entries).ref).toEqual(writePayload(to.entries).ref);
          const here = new Set(from.entries.filter(isFile).map((file) => file.sha256));
          for (const file of to.entries.filter(isFile)) {
            if (here.has(file.sha256)) continue;
            expect(made.get(file.sha256)).toEqual(to.bytes.get(file.path));
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("carries no hash: what only moved costs a few bytes, what changed nothing in the list", async () => {
    const files = Array.from({ length: 300 }, (_, i): [string, Content] => [
      `lib/module-${i}.js`,
      { mode: 0o644, text: `${LINE}${i}` },
    ]);
    const old = sideOf(new Map(files));
    const moved = new Map(
      files.map(([name, file]) => [`${name.slice(0, 3)}2${name.slice(3)}`, file]),
    );
    expect((await encodeTreePatch(old, sideOf(moved))).length).toBeLessThan(150);
    const changed = new Map(
      files.map(([name], i) => [name, { mode: 0o644, text: `${LINE}${i}!` }]),
    );
    expect((await encodeTreePatch(old, sideOf(changed))).length).toBeLessThan(450);
  });

  it("says which old files it needs", async () => {
    const old = sideOf(
      new Map<string, Content>([
        ["a", { mode: 0o644, text: LINE }],
        ["b", { mode: 0o644, text: "not needed" }],
        ["c", { mode: 0o644, text: LINE.repeat(3) }],
      ]),
    );
    const fresh = sideOf(
      new Map<string, Content>([
        ["b", { mode: 0o755, text: "not needed" }],
        ["c", { mode: 0o644, text: `${LINE.repeat(3)}!` }],
        ["d", { mode: 0o644, text: LINE }],
      ]),
    );
    const patch = sourceOfBytes(await encodeTreePatch(old, fresh));
    const { entries, reads } = readTreePatch(patch, old.entries);
    expect(reads).toContain(2);
    expect(reads).not.toContain(1);
    expect(entries.map((entry) => entry.type === "file" && entry.sha256 !== undefined)).toEqual([
      true,
      false,
      true,
    ]);
  });

  it("that is damaged or hostile is refused with a code, or makes another list", async () => {
    const old = sideOf(new Map([["a", { mode: 0o644, text: LINE.repeat(20) }]]));
    const fresh = sideOf(
      new Map<string, Content>([
        ["b", { mode: 0o644, text: LINE.repeat(20) }],
        ["c", { mode: 0o644, text: LINE.repeat(19) }],
      ]),
    );
    const patch = await encodeTreePatch(old, fresh);
    const wanted = writePayload(fresh.entries).ref.sha256;
    const outcome = (damaged: Uint8Array): string => {
      try {
        const { entries } = applied(sourceOfBytes(damaged), old);
        return writePayload(entries).ref.sha256 === wanted ? "the same list" : "another list";
      } catch (error) {
        return error instanceof UpbeatError ? error.code : String(error);
      }
    };
    expect(outcome(patch)).toBe("the same list");
    for (let at = 0; at < patch.length; at++) {
      expect(outcome(patch.subarray(0, at))).toMatch(/^UPB-DELTA-/);
      expect(outcome(flipped(patch, at))).toMatch(/^UPB-DELTA-|list$/);
    }
  });
});

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const other = bytes.slice();
  other[at] = (other[at] ?? 0) ^ (1 << (at % 8));
  return other;
}
