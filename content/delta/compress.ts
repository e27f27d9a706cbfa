/**
 * Compression of one block of a stream: every way that Node's zlib offers is tried, the smallest
 * kept; what nothing can compress is stored as it is. A block is at most 8 MiB, so that reading one needs no more than that and its window.
 */
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { malformed } from "./malformed.ts";

export const MAX_BLOCK_BYTES = 8 * 2 ** 20;

const CODEC = { stored: 0, brotli: 1, zstd: 2, brotliWithOld: 3 } as const;

export const needsOld = (codec: number): boolean => codec === CODEC.brotliWithOld;

export interface PackedBlock {
  readonly codec: number;
  readonly rawBytes: number;
  readonly bytes: Uint8Array;
}

/** Since Node 24; `@types/node` does not know it yet. */
type BrotliOptions = zlib.BrotliOptions & { readonly dictionary?: Uint8Array };

const brotli = promisify<Uint8Array, BrotliOptions, Uint8Array>(zlib.brotliCompress);
const zstd = promisify<Uint8Array, zlib.ZstdOptions, Uint8Array>(zlib.zstdCompress);
const c = zlib.constants;

/** Below this all settings are tried, because a few bytes count and it takes no time. */
const SMALL_BYTES = 64 * 1024;
/** A compressor's own frame is about as long; a patch of small changes has many such streams. */
const NOT_WORTH_BYTES = 8;

/** `old`: bytes that the reader will have too, to which the packed ones may refer. */
export async function packBlock(raw: Uint8Array, old?: Uint8Array): Promise<PackedBlock> {
  const stored = { codec: CODEC.stored, rawBytes: raw.length, bytes: raw };
  if (raw.length <= NOT_WORTH_BYTES) return stored;
  const tries = [brotli(raw, brotliOptions(raw, 11, c.BROTLI_MODE_GENERIC))];
  if (raw.length <= SMALL_BYTES) {
    tries.push(brotli(raw, brotliOptions(raw, 11, c.BROTLI_MODE_TEXT)));
  }
  const packed: PackedBlock[] = [stored];
  if (old !== undefined && old.length > 0) {
    const options = { ...brotliOptions(raw, 11, c.BROTLI_MODE_GENERIC), dictionary: old };
    const bytes = await brotli(raw, options);
    packed.push({ codec: CODEC.brotliWithOld, rawBytes: raw.length, bytes });
  }
  for (const bytes of await Promise.all(tries)) {
    packed.push({ codec: CODEC.brotli, rawBytes: raw.length, bytes });
  }
  // With the size known it takes memory for these bytes, not for the largest there could be.
  const params = { [c.ZSTD_c_compressionLevel]: 19 };
  const bytes = await zstd(raw, { params, pledgedSrcSize: raw.length });
  packed.push({ codec: CODEC.zstd, rawBytes: raw.length, bytes });
  return packed.reduce((best, next) => (next.bytes.length < best.bytes.length ? next : best));
}

/** About how large a stream will be: for choosing between ways to make it. */
export async function estimatePacked(raw: Uint8Array, old?: Uint8Array): Promise<number> {
  if (raw.length <= NOT_WORTH_BYTES) return raw.length;
  const quality = raw.length <= SMALL_BYTES * 4 ? 11 : 9;
  const options = brotliOptions(raw, quality, c.BROTLI_MODE_GENERIC);
  const known = old !== undefined && old.length > 0 ? { dictionary: old } : {};
  return (await brotli(raw, { ...options, ...known })).length;
}

/** Errors: UPB-DELTA-MALFORMED unless exactly `rawBytes` come out. */
export function unpackBlock({ codec, rawBytes, bytes }: PackedBlock, old?: Uint8Array): Uint8Array {
  const limits = { maxOutputLength: Math.max(1, rawBytes), chunkSize: Math.max(64, rawBytes + 1) };
  let raw: Uint8Array;
  try {
    if (codec === CODEC.brotli) raw = zlib.brotliDecompressSync(bytes, limits);
    else if (codec === CODEC.brotliWithOld && old !== undefined && old.length > 0) {
      const options: BrotliOptions = { ...limits, dictionary: old };
      raw = zlib.brotliDecompressSync(bytes, options);
    } else if (codec === CODEC.zstd) {
      const params = { [c.ZSTD_d_windowLogMax]: 24 };
      raw = zlib.zstdDecompressSync(bytes, { ...limits, params });
    } else if (codec === CODEC.stored) raw = bytes;
    else throw malformed(`unknown compression ${codec}`);
  } catch (cause) {
    throw malformed(`a block cannot be unpacked: ${String(cause)}`);
  }
  if (raw.length !== rawBytes) throw malformed("a block has another length than it says");
  return raw;
}

function brotliOptions(raw: Uint8Array, quality: number, mode: number): zlib.BrotliOptions {
  const window = Math.min(24, Math.max(16, Math.ceil(Math.log2(raw.length + 16))));
  return {
    params: {
      [c.BROTLI_PARAM_QUALITY]: quality,
      [c.BROTLI_PARAM_MODE]: mode,
      [c.BROTLI_PARAM_LGWIN]: window,
      [c.BROTLI_PARAM_SIZE_HINT]: raw.length,
    },
  };
}
