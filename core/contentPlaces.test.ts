import { describe, expect, it } from "vitest";
import { ContentTable, SHARED_FRAME_MAX_BYTES } from "../protocol/delivery.ts";
import { Sha256 } from "../protocol/ids.ts";
import type { TreeEntry } from "../protocol/payload.ts";
import { contentPlaces, distinctContents } from "./contentPlaces.ts";

const sha = (digit: string) => Sha256.parse(digit.repeat(64));
const file = (path: string, digit: string, sizeBytes: number, mode = 0o644): TreeEntry => ({
  type: "file",
  path,
  sizeBytes,
  mode,
  sha256: sha(digit),
});
const LARGE = SHARED_FRAME_MAX_BYTES + 1;
const PAYLOAD: TreeEntry[] = [
  file("a", "a", 10),
  file("b", "b", LARGE),
  { type: "link", path: "c", target: "a" },
  file("d", "d", 5),
  file("e", "a", 10, 0o755),
];
const TABLE = {
  schema: "upbeat.contents/1",
  objects: [
    { sha256: sha("1"), sizeBytes: 100 },
    { sha256: sha("2"), sizeBytes: 900 },
  ],
  frames: [
    { object: 0, start: 80, storedBytes: 20, rawBytes: 40, codec: "zstd" },
    { object: 1, start: 0, storedBytes: 900, rawBytes: LARGE, codec: "zstd" },
  ],
  contents: [
    { frame: 0, start: 25 },
    { frame: 1, start: 0 },
    { frame: 0, start: 35 },
  ],
};

describe("the places of contents", () => {
  it("follow the files of the list, each content once", () => {
    expect(distinctContents(PAYLOAD).map(({ path }) => path)).toEqual(["a", "b", "d"]);
    const places = contentPlaces(PAYLOAD, ContentTable.parse(TABLE));
    expect(places.get(sha("d"))).toMatchObject({
      object: { sha256: sha("1") },
      frame: { start: 80, storedBytes: 20 },
      start: 35,
      sizeBytes: 5,
    });
    expect([...places.keys()]).toEqual([sha("a"), sha("b"), sha("d")]);
  });

  const [small, large] = TABLE.frames;
  it.each([
    ["has another number of contents", { contents: TABLE.contents.slice(1) }],
    [
      "names a frame that is not there",
      { contents: TABLE.contents.map((at) => ({ ...at, frame: 2 })) },
    ],
    ["leads out of a frame", { contents: TABLE.contents.map((at) => ({ ...at, start: 31 })) }],
    ["names an object that is not there", { frames: [{ ...small, object: 2 }, large] }],
    ["leads out of an object", { frames: [{ ...small, start: 81 }, large] }],
    ["gives two sizes to bytes as they are", { frames: [{ ...small, codec: "none" }, large] }],
    [
      "puts files together in a frame that is too large",
      { frames: [{ ...small, rawBytes: LARGE }, large] },
    ],
  ])("are refused from a table that %s", (_what, change) => {
    const table = ContentTable.parse({ ...TABLE, ...change });
    expect(() => contentPlaces(PAYLOAD, table)).toThrow(
      expect.objectContaining({ code: "UPB-DELIVERY-INVALID" }),
    );
  });
});
