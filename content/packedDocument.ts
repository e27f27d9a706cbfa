/**
 * The documents of a delivery as they lie on the server: JSON with sorted members, compressed.
 * Errors: UPB-TRUST-LENGTH, UPB-TRUST-HASH, UPB-DELIVERY-INVALID.
 */
import * as zlib from "node:zlib";
import type { z } from "zod";
import type { PackedDocument } from "../protocol/delivery.ts";
import { UpbeatError } from "../protocol/errors/error.ts";
import { Sha256 } from "../protocol/ids.ts";
import { metaOf } from "../protocol/trust/documents.ts";
import { requireHashes, requireLength } from "../protocol/trust/verify.ts";

const c = zlib.constants;
/** RFC 8878, 3.1.1.1.2: what every reader should be ready for, 8 MiB. */
const WINDOW_LOG = 23;

/**
 * The same bytes whenever the same document is packed by the same zstd. `plain`: as it is, because it
 * mostly travels in a bundle, which compresses it together with what it repeats.
 */
export function packDocument(
  raw: Uint8Array,
  plain = false,
): { bytes: Uint8Array; packed: PackedDocument } {
  const params = { [c.ZSTD_c_compressionLevel]: 19, [c.ZSTD_c_windowLog]: WINDOW_LOG };
  const zstd = zlib.zstdCompressSync(raw, { params, pledgedSrcSize: raw.length });
  const isSmaller = !plain && zstd.length < raw.length;
  const bytes = isSmaller ? zstd : raw;
  const { length, hashes } = metaOf(bytes);
  return {
    bytes,
    packed: {
      sha256: Sha256.parse(hashes.sha256),
      sizeBytes: length,
      codec: isSmaller ? "zstd" : "none",
      rawBytes: raw.length,
    },
  };
}

/** Only what is exactly as it was named; never more memory than it names. */
export function unpackDocument(
  bytes: Uint8Array,
  { sha256, sizeBytes, codec, rawBytes }: PackedDocument,
  object: string,
): Uint8Array {
  requireLength(sizeBytes, bytes, object);
  requireHashes({ sha256 }, bytes, object);
  const raw = codec === "none" ? bytes : unpack(bytes, rawBytes, object);
  if (raw.length === rawBytes) return raw;
  const detail = `expected ${rawBytes} bytes, found ${raw.length}`;
  throw new UpbeatError("UPB-DELIVERY-INVALID", { object, detail });
}

/** Of bytes that `unpackDocument` gave. */
export function parseDocument<Document>(
  raw: Uint8Array,
  schema: z.ZodType<Document>,
  object: string,
): Document {
  try {
    return schema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(raw)));
  } catch (cause) {
    throw new UpbeatError("UPB-DELIVERY-INVALID", { object, cause });
  }
}

function unpack(bytes: Uint8Array, rawBytes: number, object: string): Uint8Array {
  const params = { [c.ZSTD_d_windowLogMax]: WINDOW_LOG };
  try {
    return zlib.zstdDecompressSync(bytes, { params, maxOutputLength: Math.max(1, rawBytes) });
  } catch (cause) {
    throw new UpbeatError("UPB-DELIVERY-INVALID", { object, cause });
  }
}
