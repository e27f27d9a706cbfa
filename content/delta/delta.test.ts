import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { filesOfDelta } from "./apply.ts";
import { sourceOfBytes } from "./byteSource.ts";
import { encodeDelta } from "./encode.ts";
import {
  applied,
  randomBytes,
  randomNumbers,
  smallProgram,
  treeFile,
  treeOf,
} from "./testTrees.ts";

const TEXT = new TextEncoder().encode(
  Array.from({ length: 400 }, (_, i) => `line ${i} of a text that is long enough to match\n`).join(
    "",
  ),
);

type Tree = Map<string, Uint8Array>;

/** One change of a tree: what publishers' builds do to files. */
const edit = fc.record({
  kind: fc.constantFrom(
    "insert",
    "remove",
    "overwrite",
    "swap",
    "rename",
    "copy",
    "add",
    "delete",
    "empty",
  ),
  file: fc.nat(),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 1, max: 700 }),
  seed: fc.nat(),
});
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

function edited(tree: Tree, { kind, file, at, length, seed }: Edit): Tree {
  const result = new Map(tree);
  const path = [...tree.keys()][file % Math.max(1, tree.size)];
  if (path === undefined || kind === "add") {
    return result.set(`added-${seed}`, randomBytes(length, seed));
  }
  const bytes = Buffer.from(tree.get(path) ?? []);
  const place = Math.floor(bytes.length * at);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  const noise = randomBytes(length, seed);
  switch (kind) {
    case "insert":
      return result.set(path, Buffer.concat([before, noise, after]));
    case "remove":
      return result.set(path, Buffer.concat([before, after.subarray(length)]));
    case "overwrite":
      return result.set(path, Buffer.concat([before, noise, after.subarray(length)]));
    case "swap":
      return result.set(path, Buffer.concat([after, before]));
    case "copy":
      return result.set(`copy-${seed}`, Buffer.concat([bytes, noise]));
    case "empty":
      return result.set(path, new Uint8Array(0));
    case "rename":
      result.set(`renamed-${seed}`, Buffer.concat([noise, bytes]));
  }
  result.delete(path);
  return result;
}

function someTree(seed: number): Tree {
  const next = randomNumbers(seed);
  const tree: Tree = new Map();
  tree.set(
    "bin/program",
    smallProgram({ leadBytes: 64 + Math.floor(next() * 9) * 16, functions: 60 }),
  );
  tree.set("lib/text", TEXT.subarray(Math.floor(next() * 500)));
  tree.set("lib/blob", randomBytes(Math.floor(next() * 5000), seed));
  tree.set("lib/zeros", new Uint8Array(Math.floor(next() * 3000)));
  tree.set("empty", new Uint8Array(0));
  return tree;
}

async function expectRoundTrip(old: Tree, fresh: Tree, limits?: Parameters<typeof encodeDelta>[1]) {
  const oldTree = treeOf(Object.fromEntries(old));
  const freshTree = treeOf(Object.fromEntries(fresh));
  const patch = await encodeDelta({ old: oldTree, fresh: freshTree }, limits);
  const made = applied(patch, oldTree, freshTree);
  const known = new Set(oldTree.map((file) => file.sha256));
  const changed = freshTree.filter((file) => !known.has(file.sha256));
  expect([...made.keys()].sort()).toEqual(changed.map((file) => file.path).sort());
  for (const file of changed) {
    expect(
      Buffer.compare(
        made.get(file.path) ?? new Uint8Array(1),
        fresh.get(file.path) ?? new Uint8Array(0),
      ),
    ).toBe(0);
  }
}

describe("a patch between two trees", () => {
  test("makes every changed file exactly, whatever was edited, from every base", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.array(edit, { maxLength: 8 }), async (seed, edits) => {
        const old = someTree(seed);
        const fresh = edits.reduce(edited, old);
        await expectRoundTrip(old, fresh);
        await expectRoundTrip(fresh, old);
        await expectRoundTrip(new Map(), fresh);
      }),
      { numRuns: 25 },
    );
  });

  test("makes files that are cut into several groups", async () => {
    const limits = { groupBytes: 8000, overlapBytes: 1000 };
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.array(edit, { maxLength: 5 }), async (seed, edits) => {
        const old = someTree(seed).set("large", randomBytes(20_000, seed));
        await expectRoundTrip(old, edits.reduce(edited, old), limits);
      }),
      { numRuns: 15 },
    );
  });

  test("says which files it reads and makes, and leaves unchanged and renamed ones out", async () => {
    const old = treeOf({ a: TEXT, b: randomBytes(900, 1), c: randomBytes(900, 2) });
    const fresh = [
      treeFile("renamed", randomBytes(900, 1)),
      treeFile("a", Buffer.concat([TEXT, TEXT.subarray(0, 9)])),
    ];
    const patch = await encodeDelta({ old, fresh });
    expect(filesOfDelta(sourceOfBytes(patch), (file) => old[file]?.sizeBytes ?? 0).fresh).toEqual([
      1,
    ]);
    expect(filesOfDelta(sourceOfBytes(patch), (file) => old[file]?.sizeBytes ?? 0).old).toContain(
      0,
    );
  });

  test("costs nearly nothing for a file that was moved and edited", async () => {
    const blob = randomBytes(40_000, 7);
    const old = treeOf({ "a/one": blob });
    const moved = Buffer.concat([
      blob.subarray(20_000),
      Buffer.from("new"),
      blob.subarray(0, 20_000),
    ]);
    expect((await encodeDelta({ old, fresh: treeOf({ "b/two": moved }) })).length).toBeLessThan(
      120,
    );
  });

  test("costs less where new text is made of old pieces that are too short to copy", async () => {
    const old = Buffer.from(randomBytes(6000, 3)).toString("base64");
    const pieces = old.slice(3000, 5000).match(/.{10}/g) ?? [];
    const shuffled = pieces.map((_, i) => pieces[(i * 77) % pieces.length]).join("");
    const fresh = old.slice(0, 3000) + shuffled + old.slice(5000);
    const from = treeOf({ text: Buffer.from(old) });
    const to = treeOf({ text: Buffer.from(fresh) });
    const patch = await encodeDelta({ old: from, fresh: to });
    expect(applied(patch, from, to).size).toBe(1);
    // 1,500 bytes of entropy; each piece can be named in some three bytes instead.
    expect(patch.length).toBeLessThan(1000);
  });

  test("costs nearly nothing for a program whose every reference moved", async () => {
    const old = treeOf({ run: smallProgram({ leadBytes: 64, functions: 3000 }) });
    const fresh = treeOf({ run: smallProgram({ leadBytes: 64 + 80, functions: 3000 }) });
    const patch = await encodeDelta({ old, fresh });
    expect(applied(patch, old, fresh).size).toBe(1);
    expect(patch.length).toBeLessThan(600);
  });

  test("is empty of files between equal trees", async () => {
    const tree = treeOf({ a: TEXT });
    const patch = await encodeDelta({ old: tree, fresh: tree });
    expect(filesOfDelta(sourceOfBytes(patch), (file) => tree[file]?.sizeBytes ?? 0)).toMatchObject({
      old: [],
      fresh: [],
    });
    expect(patch.length).toBeLessThan(16);
  });
});
