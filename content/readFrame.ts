/**
 * Unpacks one frame of a stored object and checks each content in it by its own SHA-256.
 *
 * Memory does not depend on the size of the frame. Errors: UPB-DELIVERY-INVALID when the bytes are not
 * what the content table says; those of the stream.
 */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import type { Frame } from "../protocol/delivery.ts";
import { UpbeatError } from "../protocol/errors/error.ts";
import type { Sha256 } from "../protocol/ids.ts";

/** A window of 8 MiB (`delivery.ts`). */
const PARAMS = { [zlib.constants.ZSTD_d_windowLogMax]: 23 };

export interface FramePart {
  readonly sha256: Sha256;
  /** In the unpacked frame. */
  readonly start: number;
  readonly sizeBytes: number;
}

/** `stored`: exactly the frame's bytes. `onBytes` is done with a chunk when it returns. */
export async function readFrame(
  stored: Readable,
  frame: Pick<Frame, "rawBytes" | "codec">,
  parts: readonly FramePart[],
  onBytes: (part: FramePart, chunk: Uint8Array) => void = () => {},
): Promise<void> {
  const open = parts.map((part) => ({ part, hash: createHash("sha256") }));
  let at = 0;
  const take = async (raw: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of raw) {
      if (at + chunk.length > frame.rawBytes) throw invalid(`more than ${frame.rawBytes} bytes`);
      for (const { part, hash } of open) {
        const from = Math.max(0, part.start - at);
        const to = Math.min(chunk.length, part.start + part.sizeBytes - at);
        if (from >= to) continue;
        const own = chunk.subarray(from, to);
        hash.update(own);
        onBytes(part, own);
      }
      at += chunk.length;
    }
  };
  try {
    if (frame.codec === "none") await pipeline(stored, take);
    else await pipeline(stored, zlib.createZstdDecompress({ params: PARAMS }), take);
  } catch (cause) {
    const isDecoder =
      cause instanceof Error && "code" in cause && /^Z(STD)?_/.test(String(cause.code));
    throw isDecoder ? invalid("it cannot be unpacked", cause) : cause;
  }
  if (at !== frame.rawBytes) throw invalid(`expected ${frame.rawBytes} bytes, found ${at}`);
  for (const { part, hash } of open) {
    const found = hash.digest("hex");
    if (found !== part.sha256) throw invalid(`expected ${part.sha256}, found ${found}`);
  }
}

const invalid = (detail: string, cause?: unknown): UpbeatError =>
  new UpbeatError("UPB-DELIVERY-INVALID", { object: "a frame", detail, cause });
