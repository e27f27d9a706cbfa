/**
 * Writes a body to the part file as it arrives, bounded in size, silence and slowness.
 *
 * Errors: UPB-FETCH-TIMED-OUT, -TOO-SLOW, -TOO-LONG, -TRUNCATED, and those of the disk.
 */
import { createWriteStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { UpbeatError } from "../../../protocol/errors/upbeatError.ts";
import type { TransferLimits } from "./fetchContent.ts";
import type { Throttle } from "./throttle.ts";

export interface Reception {
  readonly url: URL;
  readonly response: IncomingMessage;
  readonly path: string;
  /** So much is in the file already, and stays. */
  readonly haveBytes: number;
  readonly sizeBytes: number;
  /** Set when all of an object comes and only a part is wanted: where that begins. */
  readonly cutFrom?: number;
  readonly throttle: Throttle;
  readonly limits: TransferLimits;
  readonly onProgress: (bytes: number) => void;
}

/** Resolves to how much of it is in the file then. */
export async function receive(about: Reception): Promise<number> {
  const { url, response, sizeBytes, cutFrom, throttle, limits, onProgress } = about;
  let total = about.haveBytes;
  let skip = cutFrom ?? 0;
  let windowBytes = 0;
  const giveUp = (code: "UPB-FETCH-TIMED-OUT" | "UPB-FETCH-TOO-SLOW", detail: string) =>
    response.destroy(new UpbeatError(code, { object: url.href, detail }));
  const watchSilence = () =>
    setTimeout(
      () => giveUp("UPB-FETCH-TIMED-OUT", `nothing for ${limits.idleTimeoutMs} ms`),
      limits.idleTimeoutMs,
    );
  let silence = watchSilence();
  const slow = setInterval(() => {
    const enough = (limits.minBytesPerSecond * limits.speedWindowMs) / 1_000;
    if (windowBytes < enough && !throttle.isLimiting())
      giveUp("UPB-FETCH-TOO-SLOW", `${windowBytes} bytes in ${limits.speedWindowMs} ms`);
    windowBytes = 0;
  }, limits.speedWindowMs);

  /** What of a piece is wanted. */
  const wantedOf = (chunk: Buffer): Buffer => {
    const passed = Math.min(skip, chunk.length);
    skip -= passed;
    const rest = chunk.subarray(passed);
    if (total + rest.length <= sizeBytes) return rest;
    if (cutFrom !== undefined) return rest.subarray(0, sizeBytes - total);
    const detail = `more than ${sizeBytes} bytes`;
    throw new UpbeatError("UPB-FETCH-TOO-LONG", { object: url.href, detail });
  };

  async function* pieces(): AsyncGenerator<Buffer> {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      // While this side holds it up, the other one cannot be called silent.
      clearTimeout(silence);
      windowBytes += chunk.length;
      const wanted = wantedOf(chunk);
      total += wanted.length;
      yield wanted;
      onProgress(total);
      await throttle.passed(chunk.length);
      // Leaving the loop ends the connection: what follows is not wanted.
      if (cutFrom !== undefined && total === sizeBytes) return;
      silence = watchSilence();
    }
  }

  try {
    const flags = about.haveBytes > 0 ? "a" : "w";
    await pipeline(pieces, createWriteStream(about.path, { flags, mode: 0o600 }));
    return total;
  } catch (cause) {
    if (cause instanceof UpbeatError || isStorage(cause)) throw cause;
    throw new UpbeatError("UPB-FETCH-TRUNCATED", { object: url.href, cause });
  } finally {
    clearTimeout(silence);
    clearInterval(slow);
  }
}

const isStorage = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  ["ENOSPC", "EDQUOT", "EACCES", "EROFS"].includes(String(error.code));
