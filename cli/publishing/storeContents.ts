/**
 * Compresses the contents of an update that no earlier version has stored, uploads what the server has
 * not got, and says where each content is.
 *
 * Errors: UPB-PUBLISH-CHANGED, UPB-CLI-FILE, those of the server.
 */
import { existsSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { type WrittenObject, writeObject } from "../../content/writeObject.ts";
import { type ContentPlace, distinctContents } from "../../core/contentPlaces.ts";
import { planPacking } from "../../core/packing.ts";
import { Frame, StoredObject } from "../../protocol/delivery.ts";
import type { Sha256 } from "../../protocol/ids.ts";
import type { FileEntry, TreeEntry } from "../../protocol/payload.ts";
import type { Progress } from "../screen/progress.ts";
import type { Uploads } from "./upload.ts";
import type { WorkFolder } from "./workFolder.ts";

type Frames = readonly (readonly FileEntry[])[];

const Written = z.object({ object: StoredObject, frames: z.array(Frame.omit({ object: true })) });

export async function storeContents(about: {
  folder: string;
  entries: readonly TreeEntry[];
  known: ReadonlyMap<Sha256, ContentPlace>;
  work: WorkFolder;
  uploads: Uploads;
  progress: Progress;
}): Promise<Map<Sha256, ContentPlace>> {
  const { folder, work, uploads, progress } = about;
  const { reused, objects } = planPacking(distinctContents(about.entries), about.known);
  const places = new Map(reused);
  const totalBytes = objects.reduce((sum, frames) => sum + rawBytes(frames), 0);
  let doneBytes = 0;
  const show = (bytes: number) => {
    doneBytes += bytes;
    progress.show({ text: "Compress and upload what is new", doneBytes, totalBytes });
  };
  show(0);
  const pathOf = (file: FileEntry) => join(folder, file.path);
  // The largest first, so that none of them is left alone at the end.
  const waiting = objects.toSorted((a, b) => rawBytes(a) - rawBytes(b));
  const failed = new AbortController();
  const worker = async (): Promise<void> => {
    for (let frames = waiting.pop(); frames !== undefined; frames = waiting.pop()) {
      failed.signal.throwIfAborted();
      const of = { object: 1, frames: frames.map((files) => files.map((file) => file.sha256)) };
      let written: WrittenObject | undefined = work.recall(of, Written);
      if (written !== undefined && (await isAtHand(written, work, uploads))) show(rawBytes(frames));
      else {
        written = await writeObject(work.folder, frames, pathOf, show);
        work.remember(of, written);
      }
      await uploads.file(work.pathOf(written.object.sha256), written.object, "contents");
      rmSync(work.pathOf(written.object.sha256), { force: true });
      for (const [sha256, place] of placesOf(frames, written)) places.set(sha256, place);
    }
  };
  try {
    await Promise.all(Array.from({ length: availableParallelism() }, worker));
  } catch (error) {
    failed.abort(error);
    throw error;
  }
  progress.end("done");
  return places;
}

/** What an interrupted publish made is still here, or on the server. */
async function isAtHand(
  { object }: WrittenObject,
  work: WorkFolder,
  uploads: Uploads,
): Promise<boolean> {
  return existsSync(work.pathOf(object.sha256)) || (await uploads.has(object.sha256));
}

function placesOf(frames: Frames, written: WrittenObject): [Sha256, ContentPlace][] {
  return frames.flatMap((files, index) => {
    const about = written.frames[index];
    if (about === undefined) throw new RangeError("a frame for each list of files");
    let start = 0;
    return files.map(({ sha256, sizeBytes }): [Sha256, ContentPlace] => {
      const place = { object: written.object, frame: { ...about, object: 0 }, start, sizeBytes };
      start += sizeBytes;
      return [sha256, place];
    });
  });
}

const rawBytes = (frames: Frames): number =>
  frames.flat().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
