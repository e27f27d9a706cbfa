import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "./errors/catalogue.ts";
import { Sha256 } from "./ids.ts";
import {
  PAYLOAD_MAX_BYTES,
  PayloadRef,
  readPayload,
  type TreeEntry,
  writePayload,
} from "./payload.ts";

const SHA256 = Sha256.parse("a".repeat(64));
const ENTRIES: TreeEntry[] = [
  { type: "folder", path: "bin", mode: 0o755 },
  { type: "file", path: "bin/run", sizeBytes: 7, mode: 0o755, sha256: SHA256 },
  { type: "link", path: "bin/walk", target: "run" },
  { type: "file", path: "copy", sizeBytes: 7, mode: 0o644, sha256: SHA256 },
];
const refOf = (bytes: Uint8Array) => ({
  sha256: Sha256.parse(createHash("sha256").update(bytes).digest("hex")),
  sizeBytes: bytes.length,
});
const coded = (code: ErrorCode) => expect.objectContaining({ code });
const utf8 = (text: string) => new TextEncoder().encode(text);

describe("a payload list", () => {
  it("comes back as it was written, and says how much it stands for", () => {
    const { bytes, ref } = writePayload(ENTRIES);
    expect(ref).toMatchObject({ sizeBytes: bytes.length, files: 2, totalBytes: 14 });
    expect(readPayload(bytes, ref, "kiosk@1")).toEqual(ENTRIES);
  });

  it("has the same bytes whatever the order of an entry's members", () => {
    const turned = ENTRIES.map(
      (entry) => Object.fromEntries(Object.entries(entry).reverse()) as TreeEntry,
    );
    expect(writePayload(turned).ref).toEqual(writePayload(ENTRIES).ref);
  });

  it("is believed only if it is the one that the manifest names", () => {
    const { bytes, ref } = writePayload(ENTRIES);
    const other = bytes.slice();
    other[bytes.length - 5] = 0x20;
    expect(() => readPayload(other, ref, "kiosk@1")).toThrow(coded("UPB-TRUST-HASH"));
    expect(() => readPayload(bytes.subarray(1), ref, "kiosk@1")).toThrow(coded("UPB-TRUST-LENGTH"));
  });

  it("may not say something else than the manifest, nor be anything else", () => {
    const { bytes, ref } = writePayload(ENTRIES);
    const refuse = (of: Uint8Array, about: Partial<PayloadRef>) =>
      expect(() => readPayload(of, { ...ref, ...about }, "kiosk@1")).toThrow(
        coded("UPB-PAYLOAD-INVALID"),
      );
    refuse(bytes, { files: 1 });
    refuse(bytes, { totalBytes: 15 });
    for (const text of ["{}", "[]", "no", '{"schema":"upbeat.payload/2","entries":[]}']) {
      const { sha256, sizeBytes } = refOf(utf8(text));
      refuse(utf8(text), { sha256, sizeBytes });
    }
  });

  it("has a size that a reader is ready for", () => {
    const { ref } = writePayload(ENTRIES);
    const large = { ...ref, sizeBytes: PAYLOAD_MAX_BYTES + 1 };
    expect(PayloadRef.safeParse(large).success).toBe(false);
  });
});
