/**
 * Makes one object of a delivery from files: frames one after the other, each compressed alone, in a
 * file that gets its SHA-256 as its name when it is whole. The same files make the same bytes with the
 * same zstd, so what was made once need not be uploaded again.
 *
 * Each file is hashed on its way, because a build may still be writing into the folder.
 * Errors: UPB-PUBLISH-CHANGED, UPB-CLI-FILE.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import {
  type Codec,
  type Frame,
  SHARED_FRAME_MAX_BYTES,
  type StoredObject,
} from "../protocol/delivery.ts";
import { UpbeatError } from "../protocol/errors/error.ts";
import { Sha256 } from "../protocol/ids.ts";
import type { FileEntry } from "../protocol/payload.ts";

const c = zlib.constants;
/** RFC 8878, 3.1.1.1.2: what every reader should be ready for, 8 MiB. */
const WINDOW_LOG = 23;
/**
 * Measured: of typescript's 9 MB level 17 makes 1.18 MB in 4.2 s of CPU, 19 makes 1.16 MB in 6.2 s, 12
 * makes 1.34 MB in 0.6 s. Of node's 150 MB level 12 takes 13 s, and 15 takes 55 s for 1 % less.
 */
const LEVEL = { small: 17, large: 12 };
const LARGE_BYTES = 16 * 1024 * 1024;

export interface WrittenObject {
  readonly object: StoredObject;
  /** Without the index of the object, which is the table's. */
  readonly frames: readonly Omit<Frame, "object">[];
}

export async function writeObject(
  folder: string,
  frames: readonly (readonly FileEntry[])[],
  pathOf: (file: FileEntry) => string,
  onRead: (bytes: number) => void,
): Promise<WrittenObject> {
  const beside = join(folder, `${crypto.randomUUID()}.new`);
  try {
    const [only] = frames.length === 1 ? (frames[0] ?? []) : [];
    const isLarge = only !== undefined && only.sizeBytes > SHARED_FRAME_MAX_BYTES;
    const written = isLarge
      ? await writeLarge(beside, only, pathOf(only), onRead)
      : await writePack(beside, frames, pathOf, onRead);
    renameSync(beside, join(folder, written.object.sha256));
    return written;
  } finally {
    rmSync(beside, { force: true });
  }
}

async function writePack(
  path: string,
  frames: readonly (readonly FileEntry[])[],
  pathOf: (file: FileEntry) => string,
  onRead: (bytes: number) => void,
): Promise<WrittenObject> {
  const written: Omit<Frame, "object">[] = [];
  const hash = createHash("sha256");
  let start = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const files of frames) {
      const raw = Buffer.concat(
        await Array.fromAsync(files, (file) => readWhole(file, pathOf(file), onRead)),
      );
      const { codec, bytes } = await packFrame(raw);
      written.push({ start, storedBytes: bytes.length, rawBytes: raw.length, codec });
      start += bytes.length;
      hash.update(bytes);
      yield bytes;
    }
  }
  await pipeline(Readable.from(chunks()), createWriteStream(path, { flags: "wx" }));
  return {
    object: { sha256: Sha256.parse(hash.digest("hex")), sizeBytes: start },
    frames: written,
  };
}

const zstd = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);

async function packFrame(raw: Uint8Array): Promise<{ codec: Codec; bytes: Uint8Array }> {
  const bytes = await zstd(raw, { params: paramsFor(raw.length), pledgedSrcSize: raw.length });
  // An empty frame stays a zstd frame, so that every object has bytes.
  return bytes.length < raw.length || raw.length === 0
    ? { codec: "zstd", bytes }
    : { codec: "none", bytes: raw };
}

const paramsFor = (sizeBytes: number) => ({
  [c.ZSTD_c_compressionLevel]: sizeBytes > LARGE_BYTES ? LEVEL.large : LEVEL.small,
  [c.ZSTD_c_windowLog]: WINDOW_LOG,
});

async function writeLarge(
  path: string,
  file: FileEntry,
  from: string,
  onRead: (bytes: number) => void,
): Promise<WrittenObject> {
  const { sizeBytes } = file;
  const compress = zlib.createZstdCompress({
    params: paramsFor(sizeBytes),
    pledgedSrcSize: sizeBytes,
  });
  const stored = hashing();
  await reading(file, from, onRead, (raw) =>
    pipeline(raw, compress, stored.transform, createWriteStream(path, { flags: "wx" })),
  );
  const storedBytes = statSync(path).size;
  if (storedBytes < sizeBytes) return alone(stored.digest(), storedBytes, sizeBytes, "zstd");
  rmSync(path);
  await reading(
    file,
    from,
    () => {},
    (raw) => pipeline(raw, createWriteStream(path, { flags: "wx" })),
  );
  return alone(file.sha256, sizeBytes, sizeBytes, "none");
}

const alone = (
  sha256: Sha256,
  storedBytes: number,
  rawBytes: number,
  codec: Codec,
): WrittenObject => ({
  object: { sha256, sizeBytes: storedBytes },
  frames: [{ start: 0, storedBytes, rawBytes, codec }],
});

async function readWhole(
  file: FileEntry,
  from: string,
  onRead: (bytes: number) => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  await reading(file, from, onRead, async (raw) => {
    for await (const chunk of raw) chunks.push(chunk as Uint8Array);
  });
  return Buffer.concat(chunks);
}

/** Gives the bytes of a file to `use`, and says so if they are not those that were listed. */
async function reading(
  { sha256, sizeBytes, path }: FileEntry,
  from: string,
  onRead: (bytes: number) => void,
  use: (raw: Readable) => Promise<void>,
): Promise<void> {
  const read = hashing(onRead, sizeBytes);
  let readError: unknown;
  const source = createReadStream(from);
  source.on("error", (error) => {
    readError = error;
    read.transform.destroy(error);
  });
  try {
    await use(source.pipe(read.transform));
  } catch (cause) {
    if (readError !== undefined) throw new UpbeatError("UPB-CLI-FILE", { object: path, cause });
    if (read.isTooLong()) throw new UpbeatError("UPB-PUBLISH-CHANGED", { object: path });
    throw cause;
  } finally {
    source.destroy();
  }
  if (read.digest() !== sha256) throw new UpbeatError("UPB-PUBLISH-CHANGED", { object: path });
}

function hashing(onBytes: (bytes: number) => void = () => {}, maxBytes = Number.POSITIVE_INFINITY) {
  const hash = createHash("sha256");
  let total = 0;
  const transform = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      total += chunk.length;
      if (total > maxBytes) return done(new Error("it grew"));
      hash.update(chunk);
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
  return {
    transform,
    digest: () => Sha256.parse(hash.digest("hex")),
    isTooLong: () => total > maxBytes,
  };
}
