/**
 * Uploads the files that the server has not got, several at a time.
 *
 * Each file is hashed again on its way, because a build may still be writing into the folder.
 * Errors: UPB-PUBLISH-CHANGED, UPB-CLI-FILE, those of the server. Nothing is offered to anybody by
 * an upload: only signed metadata does that.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Sha256 } from "../../protocol/ids.ts";
import type { FileEntry } from "../../protocol/payload.ts";
import type { Progress } from "../screen/progress.ts";
import type { ServerClient } from "../serverClient.ts";

/** Enough to hide the round trips of small files, few enough for a small server. */
const AT_ONCE = 8;

export interface Uploaded {
  newFiles: number;
  newBytes: number;
}

export async function uploadFiles(
  client: ServerClient,
  folder: string,
  files: readonly FileEntry[],
  progress: Progress,
): Promise<Uploaded> {
  const waiting = [...new Map(files.map((file) => [file.sha256, file])).values()];
  const totalBytes = waiting.reduce((sum, file) => sum + file.sizeBytes, 0);
  const uploaded: Uploaded = { newFiles: 0, newBytes: 0 };
  let doneBytes = 0;
  const show = (bytes: number) => {
    doneBytes += bytes;
    progress.show({ text: "Upload what is new", doneBytes, totalBytes });
  };
  show(0);
  const failed = new AbortController();
  const worker = async (): Promise<void> => {
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      failed.signal.throwIfAborted();
      if (await client.hasContent(file.sha256)) {
        show(file.sizeBytes);
        continue;
      }
      await uploadFile(client, folder, file, failed.signal, show);
      uploaded.newFiles += 1;
      uploaded.newBytes += file.sizeBytes;
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } catch (error) {
    failed.abort(error);
    throw error;
  }
  progress.end("done");
  return uploaded;
}

export async function uploadBytes(
  client: ServerClient,
  sha256: Sha256,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  if (await client.hasContent(sha256)) return;
  await client.putContent(sha256, ReadableStream.from([bytes]), signal);
}

async function uploadFile(
  client: ServerClient,
  folder: string,
  file: FileEntry,
  signal: AbortSignal,
  sent: (bytes: number) => void,
): Promise<void> {
  const hash = createHash("sha256");
  let readError: unknown;
  let isReadWhole = false;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of createReadStream(join(folder, file.path))) {
        hash.update(chunk);
        sent(chunk.length);
        yield chunk;
      }
      isReadWhole = true;
    } catch (error) {
      readError = error;
      throw error;
    }
  }
  try {
    await client.putContent(file.sha256, ReadableStream.from(chunks()), signal);
  } catch (cause) {
    if (readError !== undefined) {
      throw new UpbeatError("UPB-CLI-FILE", { object: file.path, cause: readError });
    }
    if (isReadWhole && hash.digest("hex") !== file.sha256) {
      throw new UpbeatError("UPB-PUBLISH-CHANGED", { object: file.path, cause });
    }
    throw cause;
  }
}
