/**
 * Fetches an object, or a part of one, and hands it to whoever verifies it. What turns out to be
 * wrong is thrown away, that object alone, and fetched again from another source.
 *
 * Errors: those of the downloader, and of `take`.
 */
import { rmSync } from "node:fs";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import { killPoint } from "../../killPoint.ts";
import type { DownloadWorld } from "../download.ts";
import type { Content } from "../downloader/places.ts";

/** Each from another source, if there are so many. */
const TRIES = 3;

/** `take` gets the path of what arrived, unverified, and throws UPB-VERIFY-CONTENT if it is wrong. */
export async function bringObject<Result>(
  { downloader, onBytes }: Pick<DownloadWorld, "downloader" | "onBytes">,
  { sha256, sizeBytes, offset }: Content,
  take: (arrived: string) => Promise<Result>,
): Promise<Result> {
  for (let skip = 0; ; skip++) {
    let had = 0;
    const arrived = await downloader.content(
      { sha256, sizeBytes, offset },
      (bytes) => {
        onBytes(bytes - had);
        had = bytes;
      },
      skip,
    );
    killPoint("download:object-arrived");
    try {
      return await take(arrived);
    } catch (error) {
      const isWrong = error instanceof UpbeatError && error.code === "UPB-VERIFY-CONTENT";
      if (!isWrong || skip + 1 >= TRIES) throw error;
      onBytes(-had);
    } finally {
      // Taken over, or wrong: either way it has no more use, and only this one object is lost.
      rmSync(arrived, { force: true });
    }
  }
}
