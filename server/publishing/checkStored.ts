/**
 * Are the bytes of an update here, the very ones that its manifest names, by every way that its
 * delivery offers? As strict as a device: what is shown here installs there.
 *
 * Of a patch everything is checked but the result of applying it, which needs the old tree: the
 * publisher has applied it, and a device that meets a wrong one fetches files instead.
 *
 * Errors: UPB-PUBLISH-INCOMPLETE, -INCONSISTENT, UPB-PAYLOAD-INVALID, UPB-DELIVERY-INVALID,
 * UPB-DELTA-MALFORMED, UPB-TREE-*, UPB-TRUST-HASH, UPB-TRUST-LENGTH.
 */
import { createReadStream } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { z } from "zod";
import { fileSources } from "../../content/fileSource.ts";
import { parseDocument, unpackDocument } from "../../content/packedDocument.ts";
import { readFrame } from "../../content/readFrame.ts";
import { readTreePatch } from "../../content/treePatch.ts";
import { requireSafeTree } from "../../content/treeRules.ts";
import { type ContentPlace, contentPlaces } from "../../core/contentPlaces.ts";
import { usedFrames } from "../../core/deliveryCost.ts";
import {
  ContentTable,
  Delivery,
  type PackedDocument,
  type Patch,
  type StoredObject,
} from "../../protocol/delivery.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, type Sha256 } from "../../protocol/ids.ts";
import type { ProductIndex, UpdateManifest } from "../../protocol/manifest.ts";
import { isFile, type PayloadRef, readPayload, type TreeEntry } from "../../protocol/payload.ts";
import { contentPath } from "../contentUpload.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";
import { inconsistent } from "./checkMetadata.ts";

/** An update as an index lists it. */
export interface ListedUpdate {
  readonly manifest: UpdateManifest;
  readonly entry: ProductIndex["updates"][number];
}

export interface NewlyStored extends ListedUpdate {
  /** What the index said before, if it listed the update. */
  readonly before: ProductIndex["updates"][number] | undefined;
  /** The other updates of the index: what patches may start from. */
  readonly others: () => Generator<ListedUpdate>;
}

export async function checkStored(files: RepositoryFiles, stored: NewlyStored): Promise<void> {
  const { manifest, entry } = stored;
  const object = formatUpdate(manifest);
  if (manifest.payload === undefined) {
    if (entry.delivery !== undefined) throw inconsistent(object, "it has a delivery and no files");
    return;
  }
  const payload = readList(files, stored);
  requireSafeTree(payload, object);
  if (entry.delivery === undefined) {
    for (const file of payload) if (isFile(file)) requireObject(files, file, object);
    return;
  }
  const delivery = readDocument(files, entry.delivery, Delivery, object);
  const table = readDocument(files, delivery.contents, ContentTable, object);
  for (const each of table.objects) requireObject(files, each, object);
  await checkContents(files, contentPlaces(payload, table), delivery, object);
  const known = stored.before?.delivery;
  const kept = known ? readDocument(files, known, Delivery, object).patches : [];
  for (const patch of delivery.patches) {
    requireObject(files, patch, object);
    // Its base may have been retired since; it was checked when it came.
    if (!kept.some(({ sha256, from }) => sha256 === patch.sha256 && from === patch.from))
      checkPatch(files, patch, payload, stored);
  }
}

/** The list of an update's files, from wherever its index entry says it is. */
export function readList(files: RepositoryFiles, { manifest, entry }: ListedUpdate): TreeEntry[] {
  const object = formatUpdate(manifest);
  const { payload } = manifest;
  if (payload === undefined) return [];
  if (entry.delivery === undefined) {
    return readPayload(readObject(files, payload, object), payload, object);
  }
  const delivery = readDocument(files, entry.delivery, Delivery, object);
  return readPayload(
    readPacked(files, requireOwn(delivery, payload, object), object),
    payload,
    object,
  );
}

/** Where its list is, if it is the delivery of this payload at all. */
function requireOwn(delivery: Delivery, payload: PayloadRef, object: string): PackedDocument {
  if (delivery.payload === payload.sha256) return delivery.list;
  throw inconsistent(object, "its delivery is of another list of files");
}

export function readDocument<Document>(
  files: RepositoryFiles,
  packed: PackedDocument,
  schema: z.ZodType<Document>,
  object: string,
): Document {
  return parseDocument(readPacked(files, packed, object), schema, object);
}

const readPacked = (files: RepositoryFiles, packed: PackedDocument, object: string): Uint8Array =>
  unpackDocument(readObject(files, packed, object), packed, object);

function readObject(files: RepositoryFiles, stored: StoredObject, object: string): Uint8Array {
  requireObject(files, stored, object);
  return files.read(contentPath(stored.sha256)) ?? new Uint8Array();
}

/** Looked at before it is read: what is there may be of any size. */
function requireObject(files: RepositoryFiles, stored: StoredObject, object: string): void {
  const found = files.sizeOf(contentPath(stored.sha256));
  if (found === stored.sizeBytes) return;
  const detail = `expected ${stored.sizeBytes} bytes of ${stored.sha256}, found ${found ?? "none"}`;
  throw new UpbeatError("UPB-PUBLISH-INCOMPLETE", { object, detail });
}

async function checkContents(
  files: RepositoryFiles,
  places: ReadonlyMap<Sha256, ContentPlace>,
  { whole }: Delivery,
  object: string,
): Promise<void> {
  const frames = usedFrames(places);
  const sizeBytes = frames.reduce((sum, { frame }) => sum + frame.storedBytes, 0);
  if (sizeBytes !== whole.sizeBytes || frames.length !== whole.frames)
    throw inconsistent(
      object,
      `its delivery says ${whole.sizeBytes} bytes in ${whole.frames} frames, its content table ${sizeBytes} in ${frames.length}`,
    );
  for (const { object: stored, frame, parts } of frames) {
    const { start, storedBytes } = frame;
    const path = files.pathOf(contentPath(stored.sha256));
    await readFrame(createReadStream(path, { start, end: start + storedBytes - 1 }), frame, parts);
  }
}

function checkPatch(
  files: RepositoryFiles,
  patch: Patch,
  payload: readonly TreeEntry[],
  { manifest, others }: NewlyStored,
): void {
  const object = formatUpdate(manifest);
  const base = others().find((one) => one.manifest.payload?.sha256 === patch.from);
  if (base === undefined) throw inconsistent(object, `no update here has the list ${patch.from}`);
  const old = readList(files, base);
  const sources = fileSources();
  const source = sources.open(files.pathOf(contentPath(patch.sha256)), patch.sizeBytes);
  try {
    const { entries, reads } = readTreePatch(source, old);
    const oldFiles = old.filter(isFile);
    const readBytes = reads.reduce((sum, file) => sum + (oldFiles[file]?.sizeBytes ?? 0), 0);
    let writeBytes = 0;
    const isSame =
      entries.length === payload.length &&
      entries.every((entry, index) => {
        const wanted = payload[index];
        if (entry.type !== "file" || entry.sha256 !== undefined)
          return isDeepStrictEqual(entry, wanted);
        writeBytes += entry.sizeBytes;
        return (
          wanted?.type === "file" && isDeepStrictEqual({ ...entry, sha256: wanted.sha256 }, wanted)
        );
      });
    if (!isSame) throw inconsistent(object, `the patch from ${patch.from} leads to another list`);
    if (readBytes !== patch.readBytes || writeBytes !== patch.writeBytes)
      throw inconsistent(object, `the patch from ${patch.from} reads or writes another amount`);
  } finally {
    sources.close();
  }
}
