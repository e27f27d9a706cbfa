/**
 * Brings whole contents: ranges of objects, cut into frames, unpacked, and each content hashed into
 * the store. Nothing of what arrives is believed before its hash; memory is bounded whatever it says.
 *
 * Errors: UPB-VERIFY-CONTENT, UPB-DELIVERY-INVALID, UPB-DOWNLOAD-*, UPB-FETCH-*.
 */
import { closeSync, readSync } from "node:fs";
import { pipeline, Readable } from "node:stream";
import * as zlib from "node:zlib";
import type { FrameWork, RangeWork } from "../../../core/deliveryPlan.ts";
import { type Frame, SHARED_FRAME_MAX_BYTES } from "../../../protocol/delivery.ts";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import { killPoint } from "../../killPoint.ts";
import { adoptPieces } from "../contentStore.ts";
import type { DownloadWorld } from "../download.ts";
import { storeFolder } from "../handlers/tree.ts";
import { breathe } from "../hashFile.ts";
import { openUntrusted } from "../untrustedFile.ts";
import { bringObject } from "./bringObject.ts";

/** The window that `protocol/delivery.ts` allows: 8 MiB. */
const ZSTD_READER = { params: { [zlib.constants.ZSTD_d_windowLogMax]: 23 } };
const PIECE_BYTES = 64 * 1024;

export async function bringRange(world: DownloadWorld, range: RangeWork): Promise<void> {
  const { object, start, sizeBytes, frames } = range;
  const isWhole = start === 0 && sizeBytes === object.sizeBytes;
  const content = { sha256: object.sha256, sizeBytes, ...(isWhole ? {} : { offset: start }) };
  const taken = new Set<FrameWork>();
  await bringObject(world, content, async (arrived) => {
    const { handle } = openUntrusted(arrived);
    try {
      for (const work of frames) {
        if (taken.has(work)) continue;
        await takeFrame(storeFolder(world.installed), handle, work.frame.start - start, work);
        taken.add(work);
        await breathe();
      }
    } finally {
      closeSync(handle);
    }
  });
  killPoint("download:object-in-store");
}

async function takeFrame(
  store: string,
  handle: number,
  at: number,
  { frame, contents }: FrameWork,
): Promise<void> {
  const [first] = contents;
  const isAlone = first?.start === 0 && first.file.sizeBytes === frame.rawBytes;
  if (first !== undefined && isAlone && contents.length === 1) {
    await adoptPieces(store, first.file, piecesOf(handle, at, frame));
    return;
  }
  const raw = readShared(handle, at, frame);
  for (const { file, start } of contents)
    await adoptPieces(store, file, [raw.subarray(start, start + file.sizeBytes)]);
}

/** A frame of its own may be of any size: it is unpacked as it is read. */
async function* piecesOf(handle: number, at: number, frame: Frame): AsyncGenerator<Uint8Array> {
  const { storedBytes, codec } = frame;
  if (codec === "none") {
    // One buffer for all: whoever takes a piece is done with it before asking for the next.
    const buffer = new Uint8Array(PIECE_BYTES);
    yield* readStored(handle, at, storedBytes, () => buffer);
    return;
  }
  const unpack = zlib.createZstdDecompress({ ...ZSTD_READER, chunkSize: PIECE_BYTES });
  const stored = readStored(handle, at, storedBytes, () => new Uint8Array(PIECE_BYTES));
  // What goes wrong ends both; the loop below hears of it.
  pipeline(Readable.from(stored, { highWaterMark: 1 }), unpack, () => {});
  try {
    yield* unpack as AsyncIterable<Buffer>;
  } catch (cause) {
    throw damaged(frame, cause);
  }
}

function* readStored(
  handle: number,
  at: number,
  storedBytes: number,
  bufferFor: () => Uint8Array,
): Generator<Uint8Array> {
  for (let done = 0; done < storedBytes; ) {
    const buffer = bufferFor();
    const count = readSync(
      handle,
      buffer,
      0,
      Math.min(buffer.length, storedBytes - done),
      at + done,
    );
    if (count === 0) return;
    done += count;
    yield buffer.subarray(0, count);
  }
}

/** Small files one after the other; `core/contentPlaces.ts` has checked that they are inside. */
function readShared(handle: number, at: number, frame: Frame): Uint8Array {
  const { storedBytes, rawBytes, codec } = frame;
  // A writer does not compress what would become much larger.
  if (rawBytes > SHARED_FRAME_MAX_BYTES || storedBytes > rawBytes + 1024)
    throw new UpbeatError("UPB-DELIVERY-INVALID", {
      object: "the content table",
      detail: `a frame of ${storedBytes} bytes for ${rawBytes}`,
    });
  const buffer = new Uint8Array(storedBytes);
  const [stored = buffer.subarray(0, 0)] = readStored(handle, at, storedBytes, () => buffer);
  if (codec === "none") return stored;
  try {
    const limits = { ...ZSTD_READER, maxOutputLength: Math.max(1, rawBytes) };
    return zlib.zstdDecompressSync(stored, limits);
  } catch (cause) {
    throw damaged(frame, cause);
  }
}

/** Whatever is wrong inside, it is not what was signed. */
function damaged({ start, storedBytes }: Frame, cause: unknown): UpbeatError {
  const object = `bytes ${start} to ${start + storedBytes} of an object`;
  return new UpbeatError("UPB-VERIFY-CONTENT", { object, cause });
}
