/**
 * Where on the server each content of a payload list is. Pure; publisher, server and device ask the
 * same question, so that what one writes the others accept.
 *
 * Errors: UPB-DELIVERY-INVALID for a table that is not of this list, or leads outside of what it says.
 */
import {
  type ContentTable,
  type Frame,
  SHARED_FRAME_MAX_BYTES,
  type StoredObject,
} from "../protocol/delivery.ts";
import { UpbeatError } from "../protocol/errors/error.ts";
import type { Sha256 } from "../protocol/ids.ts";
import { type FileEntry, isFile, type TreeEntry } from "../protocol/payload.ts";

export interface ContentPlace {
  readonly object: StoredObject;
  readonly frame: Frame;
  /** In the unpacked frame. */
  readonly start: number;
  readonly sizeBytes: number;
}

/** The files of a list, each content once, in the list's order: what a content table follows. */
export function distinctContents(payload: readonly TreeEntry[]): FileEntry[] {
  const seen = new Map<Sha256, FileEntry>();
  for (const entry of payload)
    if (isFile(entry) && !seen.has(entry.sha256)) seen.set(entry.sha256, entry);
  return [...seen.values()];
}

export function contentPlaces(
  payload: readonly TreeEntry[],
  table: ContentTable,
): Map<Sha256, ContentPlace> {
  const contents = distinctContents(payload);
  if (contents.length !== table.contents.length)
    throw invalid(`${table.contents.length} places for ${contents.length} contents`);
  for (const [index, frame] of table.frames.entries()) requireFrame(index, frame, table);
  const places = new Map<Sha256, ContentPlace>();
  for (const [index, { sha256, sizeBytes }] of contents.entries()) {
    const { frame: number, start } = table.contents[index] ?? { frame: -1, start: 0 };
    const frame = table.frames[number];
    if (frame === undefined) throw invalid(`content ${index} has no frame`);
    if (start + sizeBytes > frame.rawBytes) throw invalid(`content ${index} leaves its frame`);
    // A large frame is unpacked to disk as it comes, which only works for one that is one file.
    const isAlone = start === 0 && sizeBytes === frame.rawBytes;
    if (!isAlone && frame.rawBytes > SHARED_FRAME_MAX_BYTES)
      throw invalid(`frame ${number} has ${frame.rawBytes} bytes and more than one file`);
    places.set(sha256, { object: objectOf(frame, table), frame, start, sizeBytes });
  }
  return places;
}

/** The table that says so. Every content of the list has a place. */
export function contentTable(
  payload: readonly TreeEntry[],
  places: ReadonlyMap<Sha256, ContentPlace>,
): ContentTable {
  const objects = new Map<string, { index: number; object: StoredObject }>();
  const frames = new Map<string, { index: number; frame: Frame }>();
  const contents = distinctContents(payload).map(({ sha256 }) => {
    const place = places.get(sha256);
    if (place === undefined) throw invalid(`nobody says where ${sha256} is`);
    const { object, frame, start } = place;
    const owner = objects.get(object.sha256) ?? { index: objects.size, object };
    objects.set(object.sha256, owner);
    const key = `${owner.index}@${frame.start}`;
    const named = frames.get(key) ?? {
      index: frames.size,
      frame: { ...frame, object: owner.index },
    };
    frames.set(key, named);
    return { frame: named.index, start };
  });
  return {
    schema: "upbeat.contents/1",
    objects: [...objects.values()].map(({ object }) => object),
    frames: [...frames.values()].map(({ frame }) => frame),
    contents,
  };
}

function objectOf(frame: Frame, { objects }: ContentTable): StoredObject {
  const object = objects[frame.object];
  if (object === undefined) throw invalid(`there is no object ${frame.object}`);
  return object;
}

function requireFrame(index: number, frame: Frame, table: ContentTable): void {
  if (frame.start + frame.storedBytes > objectOf(frame, table).sizeBytes)
    throw invalid(`frame ${index} leaves its object`);
  if (frame.codec === "none" && frame.storedBytes !== frame.rawBytes)
    throw invalid(`frame ${index} is not compressed and has two sizes`);
}

const invalid = (detail: string): UpbeatError =>
  new UpbeatError("UPB-DELIVERY-INVALID", { object: "the content table", detail });
