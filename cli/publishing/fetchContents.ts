/**
 * Brings contents of an earlier version to this machine, because a patch is made from both trees.
 *
 * Errors: UPB-DELIVERY-INVALID for what is not what was published, UPB-CLI-SERVER-AWAY, UPB-TRUST-MISSING.
 */
import { closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { type FramePart, readFrame } from "../../content/readFrame.ts";
import type { ContentPlace } from "../../core/contentPlaces.ts";
import { type UsedFrame, usedFrames } from "../../core/deliveryCost.ts";
import type { Sha256 } from "../../protocol/ids.ts";
import type { ContentReader } from "./contentReader.ts";
import type { WorkFolder } from "./workFolder.ts";

/** Enough to hide the round trips of small frames. */
const AT_ONCE = 6;

export async function fetchContents(
  reader: ContentReader,
  work: WorkFolder,
  places: ReadonlyMap<Sha256, ContentPlace>,
): Promise<void> {
  const missing = [...places].filter(([sha256]) => !existsSync(work.pathOf(sha256)));
  const waiting = usedFrames(new Map(missing));
  const worker = async (): Promise<void> => {
    for (let used = waiting.pop(); used !== undefined; used = waiting.pop())
      await fetchFrame(reader, work, used);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function fetchFrame(
  reader: ContentReader,
  work: WorkFolder,
  { object, frame, parts }: UsedFrame,
): Promise<void> {
  const besideOf = ({ sha256 }: FramePart) => `${work.pathOf(sha256)}.new`;
  const files = new Map(parts.map((part) => [part, openSync(besideOf(part), "w", 0o600)]));
  try {
    await readFrame(await reader.frame(object, frame), frame, parts, (part, chunk) => {
      const handle = files.get(part);
      for (let done = 0; handle !== undefined && done < chunk.length; )
        done += writeSync(handle, chunk, done);
    });
    for (const part of parts) renameSync(besideOf(part), work.pathOf(part.sha256));
  } finally {
    for (const [part, handle] of files) {
      closeSync(handle);
      rmSync(besideOf(part), { force: true });
    }
  }
}
