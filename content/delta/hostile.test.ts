import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { applyDelta } from "./apply.ts";
import { sourceOfBytes } from "./byteSource.ts";
import { packBlock } from "./compress.ts";
import { encodeDelta } from "./encode.ts";
import type { TreeFile } from "./groups.ts";
import { joinPatch, type PackedGroup, writeHeader } from "./patchHeader.ts";
import { randomBytes, smallProgram, treeOf } from "./testTrees.ts";
import { ByteList } from "./varint.ts";

let old: TreeFile[];
let fresh: TreeFile[];
let patch: Uint8Array;

beforeAll(async () => {
  const blob = randomBytes(3000, 5);
  old = treeOf({ run: smallProgram({ leadBytes: 64, functions: 90 }), blob });
  const edited = Buffer.concat([blob.subarray(1000), randomBytes(300, 6), blob.subarray(0, 900)]);
  fresh = treeOf({ run: smallProgram({ leadBytes: 96, functions: 99 }), blob: edited });
  patch = await encodeDelta({ old, fresh });
});

/** Applies within what the manifest allows; nothing finished may be wrong (the hash is checked). */
function attempt(bytes: Uint8Array, from: readonly TreeFile[] = old): "made" | string {
  const allowed = fresh.reduce((sum, file) => sum + file.sizeBytes, 0);
  let written = 0;
  try {
    applyDelta({
      patch: sourceOfBytes(bytes),
      old: (file) => strict(from[file] ?? sourceOfBytes(new Uint8Array(0))),
      fresh: (file) => fresh[file],
      sink: { write: (_, piece) => (written += piece.length), finish: () => {} },
    });
  } catch (error) {
    expect(error).toBeInstanceOf(UpbeatError);
    expect(written).toBeLessThanOrEqual(allowed);
    return (error as UpbeatError).code;
  }
  expect(written).toBeLessThanOrEqual(allowed);
  return "made";
}

/** Fails the test when something is read outside. */
function strict(source: { sizeBytes: number; read(offset: number, target: Uint8Array): void }) {
  return {
    sizeBytes: source.sizeBytes,
    read(offset: number, target: Uint8Array) {
      if (offset < 0 || offset + target.length > source.sizeBytes) throw new RangeError("outside");
      source.read(offset, target);
    },
  };
}

const REFUSALS = ["UPB-DELTA-MALFORMED", "UPB-DELTA-WRONG-BASE"];

describe("a damaged or hostile patch", () => {
  test("is refused wherever it is cut", () => {
    for (let length = 0; length < patch.length; length++) {
      expect(REFUSALS).toContain(attempt(patch.subarray(0, length)));
    }
    expect(attempt(patch)).toBe("made");
  });

  test("never makes anything but the right bytes when bytes are changed", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(patch.length - 1), fc.integer({ min: 1, max: 255 })), {
          minLength: 1,
          maxLength: 4,
        }),
        (changes) => {
          const damaged = patch.slice();
          for (const [at, by] of changes) damaged[at] = (damaged[at] ?? 0) ^ by;
          expect(["made", ...REFUSALS]).toContain(attempt(damaged));
        },
      ),
      { numRuns: 1500 },
    );
  });

  test("is refused when any number in the header is changed", async () => {
    const group = groupOf({});
    const header = writeHeader([group]).slice();
    for (let at = 0; at < header.length; at++) {
      for (const value of [0, 1, 127, 255]) {
        const changed = header.slice();
        if (changed[at] === value) continue;
        changed[at] = value;
        const stored = { codec: 0, rawBytes: changed.length, bytes: changed };
        expect(["made", ...REFUSALS]).toContain(attempt(joinPatch(stored, [group])));
      }
    }
  });

  test("cannot announce more files, steps or bytes than there are", async () => {
    const giant = new ByteList();
    for (const number of [1, 9_999_999]) giant.varint(number);
    expect(attempt(joinPatch(await packBlock(giant.view()), []))).toBe("UPB-DELTA-MALFORMED");
    expect(attempt(await stepsPatch([[0, 0, 2 ** 31 - 1]]))).toBe("UPB-DELTA-MALFORMED");
    expect(attempt(await stepsPatch([[2 ** 31 - 1, 0, 0]]))).toBe("UPB-DELTA-MALFORMED");
    expect(attempt(await stepsPatch(Array.from({ length: 1000 }, () => [0, 0, 0])))).toBe(
      "UPB-DELTA-MALFORMED",
    );
  });

  test("cannot refer to old bytes where its steps copy none, nor ask for an unknown compression", async () => {
    for (const codec of [3, 4, 255]) {
      const size = fresh[1]?.sizeBytes ?? 0;
      const group = await stepsGroup([[0, size, 0]], size);
      const literals = group.streams.literals.map((block) => ({ ...block, codec }));
      const claimed = { ...group, old: [], streams: { ...group.streams, literals } };
      expect(attempt(await patchOf(claimed))).toBe("UPB-DELTA-MALFORMED");
    }
  });

  test("cannot read before or behind an old file", async () => {
    expect(attempt(await stepsPatch([[2200, 0, 4000]]))).toBe("UPB-DELTA-MALFORMED");
    expect(attempt(await stepsPatch([[2200, 0, -1]]))).toBe("UPB-DELTA-MALFORMED");
  });

  test("cannot make a file twice, half, or one that is not expected", async () => {
    const file = (index: number, length: number, start = 0) => ({
      file: index,
      start,
      length,
      whole: false,
    });
    const size = fresh[1]?.sizeBytes ?? 0;
    for (const slices of [
      [file(7, size)],
      [file(1, size + 1)],
      [file(1, size - 1)],
      [file(1, size - 1, 1)],
      [file(1, size), file(1, size)],
    ]) {
      const total = slices.reduce((sum, slice) => sum + slice.length, 0);
      const group = { ...(await stepsGroup([[0, total, 0]], total)), fresh: slices };
      const answer = attempt(await patchOf(group));
      expect(REFUSALS).toContain(answer);
    }
  });

  test("is not applied to other old files than its own", () => {
    const longer = treeOf({ run: new Uint8Array(9), blob: new Uint8Array(9) });
    expect(attempt(patch, longer)).toBe("UPB-DELTA-WRONG-BASE");
    const changed = old.map((file) => ({
      ...file,
      read: (offset: number, target: Uint8Array) => {
        file.read(offset, target);
        if (target.length > 500) target[333] = (target[333] ?? 0) ^ 1;
      },
    }));
    expect(attempt(patch, changed)).toBe("UPB-DELTA-WRONG-BASE");
  });
});

type Step = readonly number[];

/** A patch for the second file alone: steps of copied bytes, literal bytes and the seek before. */
async function stepsPatch(steps: readonly Step[]): Promise<Uint8Array> {
  return patchOf(await stepsGroup(steps, fresh[1]?.sizeBytes ?? 0));
}

async function stepsGroup(steps: readonly Step[], literalBytes: number): Promise<PackedGroup> {
  const lists = { copies: new ByteList(), extras: new ByteList(), seeks: new ByteList() };
  for (const [copy = 0, extra = 0, seek = 0] of steps) {
    lists.copies.varint(copy);
    lists.extras.varint(extra);
    lists.seeks.signed(seek);
  }
  const block = async (bytes: Uint8Array) => [await packBlock(bytes)];
  return groupOf({
    copies: await block(lists.copies.view()),
    extras: await block(lists.extras.view()),
    seeks: await block(lists.seeks.view()),
    literals: await block(new Uint8Array(literalBytes)),
  });
}

function groupOf(streams: Partial<PackedGroup["streams"]>): PackedGroup {
  const slice = (tree: readonly TreeFile[]) => [
    { file: 1, start: 0, length: tree[1]?.sizeBytes ?? 0, whole: true },
  ];
  const none = { copies: [], extras: [], seeks: [], runs: [], values: [], literals: [] };
  return { old: slice(old), fresh: slice(fresh), pairs: [], streams: { ...none, ...streams } };
}

async function patchOf(group: PackedGroup): Promise<Uint8Array> {
  return joinPatch(await packBlock(writeHeader([group])), [group]);
}
