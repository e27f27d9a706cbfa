/**
 * Brings one object to disk, going on where an earlier try stopped.
 *
 * Steps   `SHA256.part` -> append -> size and hash -> rename to `SHA256`
 * Limits  never more than `sizeBytes` on disk; 15 s without a byte or under 5 kB/s over a minute ends
 *         a try; five tries with full jitter, honouring Retry-After up to a minute
 * Errors  UPB-FETCH-*, UPB-DOWNLOAD-WRONG-CONTENT (the part is thrown away, so that the next try
 *         starts clean), and those of the disk
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { serverUrl } from "../../../content/metadataSource.ts";
import { CATALOGUE } from "../../../protocol/errors/catalogue.ts";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import type { Sha256 } from "../../../protocol/ids.ts";
import { openStream } from "./openStream.ts";

export interface TransferLimits {
  readonly tries: number;
  readonly idleTimeoutMs: number;
  readonly minBytesPerSecond: number;
  readonly speedWindowMs: number;
  readonly backoffMs: number;
  readonly maxWaitMs: number;
}

const LIMITS: TransferLimits = {
  tries: 5,
  idleTimeoutMs: 15_000,
  minBytesPerSecond: 5_000,
  speedWindowMs: 60_000,
  backoffMs: 500,
  maxWaitMs: 60_000,
};

export interface Content {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

export async function fetchContent(
  baseUrl: URL,
  folder: string,
  content: Content,
  onProgress: (bytes: number) => void,
  limits = LIMITS,
): Promise<void> {
  const { sha256 } = content;
  const url = serverUrl(baseUrl, `content/${sha256.slice(0, 2)}/${sha256}`);
  const part = join(folder, `${sha256}.part`);
  for (let tries = 1; ; tries++) {
    const hadBytes = sizeOf(part) ?? 0;
    try {
      await appendRest(url, part, content, onProgress, limits);
      await requireContent(part, content);
      renameSync(part, join(folder, sha256));
      return;
    } catch (error) {
      if (tries >= limits.tries || !isWorthTrying(error, hadBytes)) throw error;
      // Full jitter, so that machines that failed together do not come back together.
      const waitMs = retryAfterMs(error) ?? Math.random() * limits.backoffMs * 2 ** tries;
      await sleep(Math.min(waitMs, limits.maxWaitMs));
    }
  }
}

function isWorthTrying(error: unknown, hadBytes: number): error is UpbeatError {
  if (!(error instanceof UpbeatError)) return false;
  // The part that an earlier try left may have been the wrong one; now it is gone.
  if (error.code === "UPB-DOWNLOAD-WRONG-CONTENT") return hadBytes > 0;
  return CATALOGUE[error.code].retry === "transient";
}

async function appendRest(
  url: URL,
  part: string,
  content: Content,
  onProgress: (bytes: number) => void,
  limits: TransferLimits,
): Promise<void> {
  let have = sizeOf(part);
  if (have !== undefined && have > content.sizeBytes) {
    rmSync(part);
    have = undefined;
  }
  if (have === content.sizeBytes) return;
  const response = await openStream(url, have ?? 0, limits.idleTimeoutMs);
  const start = startOf(response, have ?? 0);
  if (start === undefined) {
    response.destroy();
    rmSync(part, { force: true });
    const detail = `status ${response.statusCode} ${response.headers["content-range"] ?? ""}`;
    throw new UpbeatError("UPB-FETCH-TRUNCATED", { object: url.href, detail });
  }
  onProgress(start);
  const received = await receive(url, response, part, start, content, onProgress, limits);
  if (received === content.sizeBytes) return;
  const detail = `expected ${content.sizeBytes} bytes, found ${received}`;
  throw new UpbeatError("UPB-FETCH-TRUNCATED", { object: url.href, detail });
}

/** A server or proxy without ranges sends all of it again. Undefined: not what was asked for. */
function startOf(response: IncomingMessage, asked: number): number | undefined {
  if (response.statusCode === 200) return 0;
  const range = /^bytes (\d+)-/.exec(response.headers["content-range"] ?? `bytes ${asked}-`);
  return response.statusCode === 206 && Number(range?.[1]) === asked ? asked : undefined;
}

async function receive(
  url: URL,
  response: IncomingMessage,
  part: string,
  start: number,
  { sizeBytes }: Content,
  onProgress: (bytes: number) => void,
  limits: TransferLimits,
): Promise<number> {
  let total = start;
  let windowBytes = 0;
  const giveUp = (code: "UPB-FETCH-TIMED-OUT" | "UPB-FETCH-TOO-SLOW", detail: string) =>
    response.destroy(new UpbeatError(code, { object: url.href, detail }));
  const idle = setTimeout(
    () => giveUp("UPB-FETCH-TIMED-OUT", `nothing for ${limits.idleTimeoutMs} ms`),
    limits.idleTimeoutMs,
  );
  const slow = setInterval(() => {
    if (windowBytes < (limits.minBytesPerSecond * limits.speedWindowMs) / 1_000)
      giveUp("UPB-FETCH-TOO-SLOW", `${windowBytes} bytes in ${limits.speedWindowMs} ms`);
    windowBytes = 0;
  }, limits.speedWindowMs);
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      idle.refresh();
      windowBytes += chunk.length;
      if (total + chunk.length > sizeBytes) {
        const detail = `more than ${sizeBytes} bytes`;
        done(new UpbeatError("UPB-FETCH-TOO-LONG", { object: url.href, detail }));
        return;
      }
      total += chunk.length;
      onProgress(total);
      done(null, chunk);
    },
  });
  try {
    const file = createWriteStream(part, { flags: start > 0 ? "a" : "w", mode: 0o600 });
    await pipeline(response, count, file);
    return total;
  } catch (cause) {
    if (cause instanceof UpbeatError || isStorage(cause)) throw cause;
    throw new UpbeatError("UPB-FETCH-TRUNCATED", { object: url.href, cause });
  } finally {
    clearTimeout(idle);
    clearInterval(slow);
  }
}

async function requireContent(part: string, { sha256 }: Content): Promise<void> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer);
  const found = hash.digest("hex");
  if (found === sha256) return;
  rmSync(part, { force: true });
  throw new UpbeatError("UPB-DOWNLOAD-WRONG-CONTENT", { object: sha256, detail: `found ${found}` });
}

const sizeOf = (path: string): number | undefined =>
  statSync(path, { throwIfNoEntry: false })?.size;

function retryAfterMs(error: UpbeatError): number | undefined {
  const seconds = /Retry-After: (\d+)$/.exec(error.detail ?? "")?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}

const isStorage = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  ["ENOSPC", "EDQUOT", "EACCES", "EROFS"].includes(String(error.code));
