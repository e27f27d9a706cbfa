import { describe, expect, test } from "vitest";
import { sourceOfBytes } from "./byteSource.ts";
import { OpList, readOps, writeOps } from "./ops.ts";
import { spaceOf } from "./space.ts";
import { surroundings } from "./surroundings.ts";
import { randomBytes } from "./testTrees.ts";

/** Larger than what is kept, so that it matters which places are near. */
const old = spaceOf([sourceOfBytes(randomBytes(9 * 2 ** 20, 1))]);

describe("the old bytes around literals", () => {
  test("are the same for the reader, who is not told where a step copies nothing from", () => {
    const list = new OpList();
    list.add(0, 10, 5);
    list.add(8 * 2 ** 20, 0, 20);
    list.add(3 * 2 ** 20, 50, 7);
    const ops = list.finish();
    const read = readOps(writeOps(ops), old.starts.at(-1) ?? 0, 92);
    const [written, found] = [surroundings(old, ops), surroundings(old, read)];
    expect(written.length).toBeGreaterThan(0);
    expect(Buffer.compare(written, found)).toBe(0);
  });
});
