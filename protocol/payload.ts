/**
 * The payload list: what the tree of one update holds. A document of its own that the manifest names
 * by hash, so that a device decides about an update on a kilobyte, however many files it has, and so
 * that the list can come as an edit of the one that the device has already (`delivery.ts`).
 *
 * Its bytes are JSON with sorted members and nothing else: whoever makes the same list makes the
 * same bytes.
 */
import { z } from "zod";
import { UpbeatError } from "./errors/error.ts";
import { isFile, PAYLOAD_MAX_BYTES } from "./fileEntry.ts";
import { Sha256 } from "./ids.ts";
import { metaOf } from "./trust/documents.ts";
import { stableJson } from "./trust/stableJson.ts";
import { requireHashes, requireLength } from "./trust/verify.ts";

export { isFile, PAYLOAD_MAX_BYTES };

/** Only the nine permission bits: set-uid, set-gid and sticky never travel. */
const Mode = z.int().min(0).max(0o777);

/** What a tree may hold. Paths are relative, `/`-separated; `content/treeRules.ts` says which. */
export const TreeEntry = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("file"),
    path: z.string(),
    sizeBytes: z.int().nonnegative(),
    mode: Mode,
    sha256: Sha256,
  }),
  z.object({ type: z.literal("link"), path: z.string(), target: z.string() }),
  z.object({ type: z.literal("folder"), path: z.string(), mode: Mode }),
]);
export type TreeEntry = z.infer<typeof TreeEntry>;
export type FileEntry = Extract<TreeEntry, { type: "file" }>;

const PayloadList = z.object({
  schema: z.literal("upbeat.payload/1"),
  /** Sorted by path (code points). */
  entries: z.array(TreeEntry),
});

/** What the manifest says of the list, so that nobody has to read the list to know how much it is. */
export const PayloadRef = z.object({
  /** Of the list, not of the files. */
  sha256: Sha256,
  sizeBytes: z.int().nonnegative().max(PAYLOAD_MAX_BYTES),
  files: z.int().nonnegative(),
  /** Of all files together; one that is there twice counts twice. */
  totalBytes: z.int().nonnegative(),
});
export type PayloadRef = z.infer<typeof PayloadRef>;

export function writePayload(entries: readonly TreeEntry[]): {
  bytes: Uint8Array;
  ref: PayloadRef;
} {
  const bytes = stableJson({ schema: "upbeat.payload/1", entries });
  const { length, hashes } = metaOf(bytes);
  const sha256 = Sha256.parse(hashes.sha256);
  return { bytes, ref: { sha256, sizeBytes: length, ...countFiles(entries) } };
}

/**
 * Believes a list only if it is the very one that the manifest names. `object` names the update.
 * Errors: UPB-TRUST-LENGTH, UPB-TRUST-HASH, UPB-PAYLOAD-INVALID.
 */
export function readPayload(bytes: Uint8Array, ref: PayloadRef, object: string): TreeEntry[] {
  requireLength(ref.sizeBytes, bytes, object);
  requireHashes({ sha256: ref.sha256 }, bytes, object);
  const entries = parsePayload(bytes, object);
  const found = countFiles(entries);
  if (found.files !== ref.files || found.totalBytes !== ref.totalBytes) {
    const detail = `the manifest says ${ref.files} files of ${ref.totalBytes} bytes, it lists ${found.files} of ${found.totalBytes}`;
    throw new UpbeatError("UPB-PAYLOAD-INVALID", { object, detail });
  }
  return entries;
}

/** Of bytes that were verified before. Errors: UPB-PAYLOAD-INVALID. */
export function parsePayload(bytes: Uint8Array, object: string): TreeEntry[] {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return PayloadList.parse(JSON.parse(text)).entries;
  } catch (cause) {
    throw new UpbeatError("UPB-PAYLOAD-INVALID", { object, cause });
  }
}

function countFiles(entries: readonly TreeEntry[]): { files: number; totalBytes: number } {
  const files = entries.filter(isFile);
  return { files: files.length, totalBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0) };
}
