/**
 * Brings one object, or a part of one, to disk, going on where an earlier try stopped.
 *
 * Steps   `NAME.part` -> append -> size, and hash of a whole object -> rename to `NAME`
 * Places  every source in turn, then all again after a wait with full jitter that honours Retry-After
 *         up to a minute; five rounds
 * Limits  never more than `sizeBytes` on disk; 15 s without a byte or under 5 kB/s over a minute ends
 *         a try, unless it is this side that holds it up
 * Errors  UPB-FETCH-*, UPB-DOWNLOAD-WRONG-CONTENT (the part is thrown away, so that the next try
 *         starts clean), and those of the disk
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { serverUrl } from "../../../content/metadataSource.ts";
import { CATALOGUE } from "../../../protocol/errors/catalogue.ts";
import { UpbeatError } from "../../../protocol/errors/upbeatError.ts";
import { openStream } from "./openStream.ts";
import { type PartFile, partFile } from "./partFile.ts";
import { type Content, nameOf } from "./places.ts";
import { receive } from "./receive.ts";
import type { Sources } from "./sources.ts";
import type { Throttle } from "./throttle.ts";

export interface TransferLimits {
  readonly rounds: number;
  readonly idleTimeoutMs: number;
  readonly minBytesPerSecond: number;
  readonly speedWindowMs: number;
  readonly backoffMs: number;
  readonly maxWaitMs: number;
}

const LIMITS: TransferLimits = {
  rounds: 5,
  idleTimeoutMs: 15_000,
  minBytesPerSecond: 5_000,
  speedWindowMs: 60_000,
  backoffMs: 500,
  maxWaitMs: 60_000,
};

export interface Transfer {
  readonly content: Content;
  /** How often what came was wrong although it looked whole: so many sources are passed over. */
  readonly skip: number;
  /** What is on disk of it, of `content.sizeBytes`. */
  readonly onProgress: (bytes: number) => void;
}

export interface TransferWorld {
  readonly folder: string;
  readonly sources: Sources;
  readonly throttle: Throttle;
  readonly limits?: TransferLimits;
}

export async function fetchContent(world: TransferWorld, transfer: Transfer): Promise<void> {
  const { sources, limits = LIMITS } = world;
  const part = partFile(world.folder, nameOf(transfer.content));
  part.reopen();
  for (let round = 1; ; round++) {
    let lastError: unknown;
    let waitMs = Math.random() * limits.backoffMs * 2 ** round;
    let worthAnother = false;
    for (const source of rotated(sources.inOrder(), transfer.skip)) {
      const hadBytes = part.sizeBytes();
      try {
        await bring(source, part, world, transfer);
        return;
      } catch (error) {
        if (!(error instanceof UpbeatError)) throw error;
        lastError = error;
        const askedMs = retryAfterMs(error);
        if (CATALOGUE[error.code].retry === "transient") sources.rest(source, askedMs);
        worthAnother ||= isWorthAnother(error, hadBytes);
        waitMs = Math.max(waitMs, askedMs ?? 0);
      }
    }
    if (round >= limits.rounds || !worthAnother) throw lastError;
    // Full jitter, so that machines that failed together do not come back together.
    await sleep(Math.min(waitMs, limits.maxWaitMs));
  }
}

function rotated(urls: readonly URL[], skip: number): readonly URL[] {
  const by = skip % Math.max(1, urls.length);
  return [...urls.slice(by), ...urls.slice(0, by)];
}

function isWorthAnother(error: UpbeatError, hadBytes: number): boolean {
  // The part that an earlier try left may have been the wrong one; now it is gone.
  if (error.code === "UPB-DOWNLOAD-WRONG-CONTENT") return hadBytes > 0;
  return CATALOGUE[error.code].retry === "transient";
}

async function bring(
  source: URL,
  part: PartFile,
  { throttle, limits = LIMITS }: TransferWorld,
  { content, onProgress }: Transfer,
): Promise<void> {
  const { sha256, sizeBytes, offset } = content;
  const url = serverUrl(source, `content/${sha256.slice(0, 2)}/${sha256}`);
  if (part.sizeBytes() > sizeBytes) part.discard();
  const have = part.sizeBytes();
  if (have < sizeBytes) {
    const etag = have > 0 ? part.etagAt(source.href) : undefined;
    const response = await openStream({
      url,
      from: (offset ?? 0) + have,
      ...(offset === undefined ? {} : { to: offset + sizeBytes - 1 }),
      ...(etag === undefined ? {} : { etag }),
      timeoutMs: limits.idleTimeoutMs,
    });
    const answer = answerTo((offset ?? 0) + have, response.statusCode, response.headers);
    if (answer === "other") {
      response.destroy();
      part.discard();
      const detail = `status ${response.statusCode} ${response.headers["content-range"] ?? ""}`;
      throw new UpbeatError("UPB-FETCH-TRUNCATED", { object: url.href, detail });
    }
    // A server or proxy without ranges sends all of it again, from its beginning.
    const goesOn = answer === "range" && have > 0;
    if (!goesOn) part.begin(source.href, response.headers.etag);
    const received = await receive({
      url,
      response,
      path: part.path,
      haveBytes: goesOn ? have : 0,
      sizeBytes,
      ...(answer === "all" && offset !== undefined ? { cutFrom: offset } : {}),
      throttle,
      limits,
      onProgress,
    });
    if (received < sizeBytes) {
      const detail = `expected ${sizeBytes} bytes, found ${received}`;
      throw new UpbeatError("UPB-FETCH-TRUNCATED", { object: url.href, detail });
    }
  }
  // What is in a part is known to whoever asked for it, by hashes of its own.
  if (offset === undefined) await requireContent(part, content);
  part.finish();
}

function answerTo(
  asked: number,
  status: number | undefined,
  headers: { "content-range"?: string | undefined },
): "range" | "all" | "other" {
  if (status === 200) return "all";
  const start = /^bytes (\d+)-/.exec(headers["content-range"] ?? "")?.[1];
  return status === 206 && Number(start) === asked ? "range" : "other";
}

async function requireContent(part: PartFile, { sha256 }: Content): Promise<void> {
  const hash = createHash("sha256");
  const pieces = part.sizeBytes() === 0 ? [] : createReadStream(part.path);
  for await (const chunk of pieces) hash.update(chunk as Buffer);
  const found = hash.digest("hex");
  if (found === sha256) return;
  part.discard();
  throw new UpbeatError("UPB-DOWNLOAD-WRONG-CONTENT", { object: sha256, detail: `found ${found}` });
}

function retryAfterMs(error: UpbeatError): number | undefined {
  const seconds = /Retry-After: (\d{1,9})$/.exec(error.detail ?? "")?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
