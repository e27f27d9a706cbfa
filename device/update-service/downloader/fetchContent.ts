/**
 * Brings one object to disk, going on where an earlier try stopped.
 *
 * Steps   `SHA256.part` -> append -> size and hash -> rename to `SHA256`
 * Limits  never more than `sizeBytes` on disk; 15 s without a byte or under 5 kB/s over a minute ends
 *         a try; five tries with full jitter, honouring Retry-After up to a minute
 * Errors  UPB-FETCH-*, UPB-DOWNLOAD-WRONG-CONTENT (the part is thrown away, so that the next try starts clean)
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from "node:fs";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { serverUrl } from "../../../content/metadataSource.ts";
import { CATALOGUE } from "../../../protocol/errors/catalogue.ts";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import type { Sha256 } from "../../../protocol/ids.ts";

const TRIES = 5;
const IDLE_TIMEOUT_MS = 15_000;
const MIN_BYTES_PER_SECOND = 5_000;
const SPEED_WINDOW_MS = 60_000;
const BACKOFF_MS = 500;
const MAX_WAIT_MS = 60_000;

export interface Content {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

export async function fetchContent(
  baseUrl: URL,
  folder: string,
  content: Content,
  onProgress: (bytes: number) => void,
): Promise<void> {
  const { sha256 } = content;
  const url = serverUrl(baseUrl, `content/${sha256.slice(0, 2)}/${sha256}`);
  const part = join(folder, `${sha256}.part`);
  for (let tries = 1; ; tries++) {
    try {
      await appendRest(url, part, content, onProgress);
      await requireContent(part, content);
      renameSync(part, join(folder, sha256));
      return;
    } catch (error) {
      if (
        tries === TRIES ||
        !(error instanceof UpbeatError) ||
        CATALOGUE[error.code].retry !== "transient"
      )
        throw error;
      // Full jitter, so that machines that failed together do not come back together.
      const waitMs = retryAfterMs(error) ?? Math.random() * BACKOFF_MS * 2 ** tries;
      await sleep(Math.min(waitMs, MAX_WAIT_MS));
    }
  }
}

async function appendRest(
  url: URL,
  part: string,
  { sizeBytes }: Content,
  onProgress: (bytes: number) => void,
): Promise<void> {
  let have = statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  if (have > sizeBytes) {
    rmSync(part);
    have = 0;
  }
  if (have === sizeBytes && (have > 0 || statSync(part, { throwIfNoEntry: false }) !== undefined))
    return;
  const { response, call } = await open(url, have);
  // A server or proxy without ranges sends all of it again.
  const start = response.statusCode === 206 ? have : 0;
  onProgress(start);
  let total = start;
  let windowBytes = 0;
  const idle = setTimeout(
    () => call.destroy(new UpbeatError("UPB-FETCH-TIMED-OUT", { object: url.href })),
    IDLE_TIMEOUT_MS,
  );
  const slow = setInterval(() => {
    if (windowBytes < (MIN_BYTES_PER_SECOND * SPEED_WINDOW_MS) / 1_000) {
      call.destroy(new UpbeatError("UPB-FETCH-TOO-SLOW", { object: url.href }));
    }
    windowBytes = 0;
  }, SPEED_WINDOW_MS);
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      idle.refresh();
      total += chunk.length;
      windowBytes += chunk.length;
      if (total > sizeBytes) {
        done(
          new UpbeatError("UPB-FETCH-TOO-LONG", {
            object: url.href,
            detail: `more than ${sizeBytes} bytes`,
          }),
        );
        return;
      }
      onProgress(total);
      done(null, chunk);
    },
  });
  try {
    await pipeline(
      response,
      count,
      createWriteStream(part, { flags: start > 0 ? "a" : "w", mode: 0o600 }),
    );
  } catch (cause) {
    if (cause instanceof UpbeatError || isStorage(cause)) throw cause;
    throw new UpbeatError("UPB-FETCH-TRUNCATED", { object: url.href, cause });
  } finally {
    clearTimeout(idle);
    clearInterval(slow);
  }
  if (total < sizeBytes) {
    throw new UpbeatError("UPB-FETCH-TRUNCATED", {
      object: url.href,
      detail: `expected ${sizeBytes} bytes, found ${total}`,
    });
  }
}

function open(url: URL, from: number): Promise<{ response: IncomingMessage; call: ClientRequest }> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? httpsRequest : httpRequest;
    const call = request(url, {
      headers: { "accept-encoding": "identity", ...(from > 0 ? { range: `bytes=${from}-` } : {}) },
      timeout: IDLE_TIMEOUT_MS,
    });
    call.on("timeout", () =>
      call.destroy(new UpbeatError("UPB-FETCH-TIMED-OUT", { object: url.href })),
    );
    call.on("error", (cause) =>
      reject(
        cause instanceof UpbeatError
          ? cause
          : new UpbeatError("UPB-FETCH-UNREACHABLE", { object: url.href, cause }),
      ),
    );
    call.on("response", (response) => {
      const status = response.statusCode ?? 0;
      if (status === 200 || status === 206) {
        resolve({ response, call });
        return;
      }
      response.resume();
      call.destroy();
      const retryAfter = response.headers["retry-after"];
      const code =
        status >= 500 || status === 429 || status === 408
          ? "UPB-FETCH-SERVER-BUSY"
          : "UPB-FETCH-REFUSED";
      reject(
        new UpbeatError(code, {
          object: url.href,
          detail: `status ${status}${retryAfter === undefined ? "" : `, Retry-After: ${retryAfter}`}`,
          nativeCode: status,
        }),
      );
    });
    call.end();
  });
}

async function requireContent(part: string, { sha256 }: Content): Promise<void> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer);
  const found = hash.digest("hex");
  if (found === sha256) return;
  rmSync(part, { force: true });
  throw new UpbeatError("UPB-DOWNLOAD-WRONG-CONTENT", { object: sha256, detail: `found ${found}` });
}

function retryAfterMs(error: UpbeatError): number | undefined {
  const seconds = /Retry-After: (\d+)$/.exec(error.detail ?? "")?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}

const isStorage = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  ["ENOSPC", "EDQUOT", "EACCES", "EROFS"].includes(String(error.code));
