/**
 * Writes a delivery as a publisher does, only smaller: frames of a few kilobytes, so that small trees
 * already have packs, shared frames and files of their own; and patches from the trees it is given.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as zlib from "node:zlib";
import { sourceOfBytes } from "../../content/delta/byteSource.ts";
import { packDocument } from "../../content/packedDocument.ts";
import { encodeTreePatch, type PatchSide } from "../../content/treePatch.ts";
import { distinctContents } from "../../core/contentPlaces.ts";
import type {
  ContentTable,
  Delivery,
  Frame,
  PackedDocument,
  Patch,
} from "../../protocol/delivery.ts";
import { Sha256 } from "../../protocol/ids.ts";
import { type FileEntry, isFile, type TreeEntry, writePayload } from "../../protocol/payload.ts";
import { stableJson } from "../../protocol/trust/stableJson.ts";

export interface ReleasedTree {
  readonly folder: string;
  readonly entries: readonly TreeEntry[];
}

/** Files above this are objects of their own. */
const ALONE_BYTES = 20_000;
const FRAME_BYTES = 8_000;
const FRAMES_PER_PACK = 5;

const sha256Of = (bytes: Uint8Array): Sha256 =>
  Sha256.parse(createHash("sha256").update(bytes).digest("hex"));

/** `put` stores an object under its hash. */
export async function writeDelivery(
  tree: ReleasedTree,
  earlier: readonly ReleasedTree[],
  put: (sha256: Sha256, bytes: Uint8Array) => void,
): Promise<PackedDocument> {
  const store = (bytes: Uint8Array) => {
    const object = { sha256: sha256Of(bytes), sizeBytes: bytes.length };
    put(object.sha256, bytes);
    return object;
  };
  const document = (raw: Uint8Array) => {
    const { bytes, packed } = packDocument(raw);
    put(packed.sha256, bytes);
    return packed;
  };
  const table = writeContents(tree, store);
  const list = writePayload(tree.entries);
  const patches: Patch[] = [];
  for (const old of earlier) {
    const patch = await encodeTreePatch(sideOf(old), sideOf(tree));
    const oldContents = new Set(old.entries.filter(isFile).map(({ sha256 }) => sha256));
    const made = tree.entries.filter(isFile).filter(({ sha256 }) => !oldContents.has(sha256));
    patches.push({
      ...store(patch),
      from: writePayload(old.entries).ref.sha256,
      readBytes: sum(old.entries.filter(isFile)),
      writeBytes: sum(made),
    });
  }
  const delivery: Delivery = {
    schema: "upbeat.delivery/1",
    payload: list.ref.sha256,
    list: document(list.bytes),
    contents: document(stableJson(table)),
    whole: {
      sizeBytes: table.frames.reduce((total, { storedBytes }) => total + storedBytes, 0),
      frames: table.frames.length,
    },
    patches: patches.toSorted((a, b) => a.sizeBytes - b.sizeBytes),
  };
  return document(stableJson(delivery));
}

function writeContents(
  { folder, entries }: ReleasedTree,
  store: (bytes: Uint8Array) => { sha256: Sha256; sizeBytes: number },
): ContentTable {
  const places = new Map<Sha256, { frame: number; start: number }>();
  const table = { objects: [] as ContentTable["objects"], frames: [] as Frame[] };
  const contents = distinctContents(entries);
  const pack = (frames: readonly (readonly FileEntry[])[]) => {
    if (frames.length === 0) return;
    const packed: Uint8Array[] = [];
    let start = 0;
    for (const files of frames) {
      const raw = Buffer.concat(files.map(({ path }) => readFileSync(join(folder, path))));
      const bytes = zlib.zstdCompressSync(raw);
      const isSmaller = bytes.length < raw.length;
      const stored = isSmaller ? bytes : raw;
      let at = 0;
      for (const { sha256, sizeBytes } of files) {
        places.set(sha256, { frame: table.frames.length, start: at });
        at += sizeBytes;
      }
      table.frames.push({
        object: table.objects.length,
        start,
        storedBytes: stored.length,
        rawBytes: raw.length,
        codec: isSmaller ? "zstd" : "none",
      });
      packed.push(stored);
      start += stored.length;
    }
    table.objects.push(store(Buffer.concat(packed)));
  };
  for (const file of contents) if (file.sizeBytes > ALONE_BYTES) pack([[file]]);
  let frames: FileEntry[][] = [];
  for (const file of contents.filter(({ sizeBytes }) => sizeBytes <= ALONE_BYTES)) {
    const last = frames.at(-1);
    if (last !== undefined && sum(last) + file.sizeBytes <= FRAME_BYTES) last.push(file);
    else frames.push([file]);
    if (frames.length <= FRAMES_PER_PACK) continue;
    pack(frames.slice(0, FRAMES_PER_PACK));
    frames = frames.slice(FRAMES_PER_PACK);
  }
  pack(frames);
  return {
    schema: "upbeat.contents/1",
    ...table,
    contents: contents.map(({ sha256 }) => places.get(sha256) ?? { frame: 0, start: 0 }),
  };
}

const sideOf = ({ folder, entries }: ReleasedTree): PatchSide => ({
  entries,
  open: ({ path }) => sourceOfBytes(readFileSync(join(folder, path))),
});

const sum = (files: readonly { sizeBytes: number }[]): number =>
  files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
