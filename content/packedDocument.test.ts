import { zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { PackedDocument } from "../protocol/delivery.ts";
import type { ErrorCode } from "../protocol/errors/catalogue.ts";
import { metaOf } from "../protocol/trust/documents.ts";
import { packDocument, parseDocument, unpackDocument } from "./packedDocument.ts";

const RAW = Buffer.from(
  JSON.stringify({ names: Array.from({ length: 500 }, (_, i) => `file ${i}`) }),
);
const coded = (code: ErrorCode) => expect.objectContaining({ code });

describe("a packed document", () => {
  it("comes back, and is smaller on its way unless it is tiny", () => {
    const { bytes, packed } = packDocument(RAW);
    expect(packed).toMatchObject({ codec: "zstd", rawBytes: RAW.length, sizeBytes: bytes.length });
    expect(bytes.length).toBeLessThan(RAW.length / 2);
    expect(Buffer.from(unpackDocument(bytes, packed, "it"))).toEqual(RAW);
    const tiny = packDocument(Buffer.from("{}"));
    expect(tiny.packed.codec).toBe("none");
    expect(unpackDocument(tiny.bytes, tiny.packed, "it")).toEqual(tiny.bytes);
  });

  it("is believed only if it is the one that was named", () => {
    const { bytes, packed } = packDocument(RAW);
    const other = bytes.slice();
    other[9] = (other[9] ?? 0) ^ 1;
    expect(() => unpackDocument(other, packed, "it")).toThrow(coded("UPB-TRUST-HASH"));
    expect(() => unpackDocument(bytes.subarray(1), packed, "it")).toThrow(
      coded("UPB-TRUST-LENGTH"),
    );
  });

  it("never becomes more than it says, nor less", () => {
    const bomb = zstdCompressSync(Buffer.alloc(100_000_000));
    const named = (rawBytes: number): PackedDocument => ({
      ...packDocument(bomb).packed,
      codec: "zstd",
      rawBytes,
      sizeBytes: bomb.length,
      sha256: metaOf(bomb).hashes.sha256 as PackedDocument["sha256"],
    });
    for (const rawBytes of [0, 1000, 100_000_001])
      expect(() => unpackDocument(bomb, named(rawBytes), "it")).toThrow(
        coded("UPB-DELIVERY-INVALID"),
      );
  });

  it("that is not what it should be is refused", () => {
    const schema = z.object({ names: z.array(z.string()) });
    expect(parseDocument(RAW, schema, "it").names).toHaveLength(500);
    for (const text of ["", "no", '{"names":[1]}', "[]"])
      expect(() => parseDocument(Buffer.from(text), schema, "it")).toThrow(
        coded("UPB-DELIVERY-INVALID"),
      );
  });
});
