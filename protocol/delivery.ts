/**
 * How the bytes of one update lie on the server, and by which ways they can be had.
 *
 *   index entry  -> delivery        small: how much the ways cost, and where the two lists are
 *   delivery     -> payload list    packed; or made by a patch from the list that a device has
 *                -> content table   where each content of the list is: read only when files are fetched
 *                -> patches         from the trees of other versions
 *
 * Objects are named by their SHA-256 (`content/AB/SHA256`) and never change, so any static server,
 * cache or bucket can hold them. The index names the delivery and is signed, so patches can be added
 * to a published version without another id for it. An update without a delivery lies there plainly:
 * its payload list and each of its contents as an object of its own, not compressed.
 *
 * Sizes are bytes. Normative: docs/content.md.
 */
import { z } from "zod";
import { Sha256 } from "./ids.ts";
import { PAYLOAD_MAX_BYTES } from "./payload.ts";

/** Some 220 bytes for each patch. */
export const DELIVERY_MAX_BYTES = 64 * 1024;
/** Some 130 bytes for each of the 250,000 contents that a tree may have. */
export const CONTENT_TABLE_MAX_BYTES = 64 * 1024 * 1024;
/** What must be unpacked to get at one small file among others. */
export const SHARED_FRAME_MAX_BYTES = 1024 * 1024;

const Bytes = z.int().nonnegative();

export const StoredObject = z.object({ sha256: Sha256, sizeBytes: Bytes });
export type StoredObject = z.infer<typeof StoredObject>;

/** zstd: one frame (RFC 8878) with a window of at most 8 MiB, as its recommendation for readers is. */
export const Codec = z.enum(["none", "zstd"]);
export type Codec = z.infer<typeof Codec>;

/** A document as an object; `rawBytes` when it is unpacked. */
const packedDocument = (maxBytes: number) =>
  StoredObject.extend({ codec: Codec, rawBytes: Bytes.max(maxBytes) });
export const PackedDelivery = packedDocument(DELIVERY_MAX_BYTES);
export type PackedDocument = z.infer<typeof PackedDelivery>;

/** Made by `content/treePatch.ts`: files, and the new payload list, out of the old ones. */
export const Patch = StoredObject.extend({
  /** The payload list of the tree that it starts from. */
  from: Sha256,
  /** Of old files that must be there whole. */
  readBytes: Bytes,
  /** Of new files that it makes. */
  writeBytes: Bytes,
});
export type Patch = z.infer<typeof Patch>;

export const Delivery = z.object({
  schema: z.literal("upbeat.delivery/1"),
  /** SHA-256 of the payload list that all of this leads to. */
  payload: Sha256,
  list: packedDocument(PAYLOAD_MAX_BYTES),
  contents: packedDocument(CONTENT_TABLE_MAX_BYTES),
  /** What a device that has nothing fetches: the frames of the content table, and in how many pieces. */
  whole: z.object({ sizeBytes: Bytes, frames: Bytes }),
  /** Smallest first. */
  patches: z.array(Patch).max(200),
});
export type Delivery = z.infer<typeof Delivery>;

/**
 * A part of an object that can be fetched and unpacked alone: one large file, or small ones one after
 * the other.
 */
export const Frame = z.object({
  /** Index into `objects`. */
  object: z.int().nonnegative(),
  start: Bytes,
  /** At least one, so that it can be asked for: nothing packed is not nothing. */
  storedBytes: z.int().positive(),
  rawBytes: Bytes,
  codec: Codec,
});
export type Frame = z.infer<typeof Frame>;

export const ContentTable = z.object({
  schema: z.literal("upbeat.contents/1"),
  objects: z.array(StoredObject),
  frames: z.array(Frame),
  /**
   * For each content, in the order of the payload list's files, each once: index into `frames`, and
   * where in the unpacked frame it begins. Its size and its hash are in the payload list.
   */
  contents: z.array(z.object({ frame: z.int().nonnegative(), start: Bytes })),
});
export type ContentTable = z.infer<typeof ContentTable>;
