/**
 * One GET with a bound on everything: bytes, silence, slowness, redirects.
 *
 * `node:http` and not the global fetch: that costs 20 ms of CPU to load, two thirds of what a check
 * may use. Bodies are never decompressed, so there are no bombs; what arrives is just bytes, and
 * whether they are the right ones is for the caller to verify.
 * Errors: UPB-FETCH-*.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { UpbeatError } from "../protocol/errors/upbeatError.ts";
import { type Clocked, isTooSlow } from "./transferSpeed.ts";

export interface FetchLimits {
  readonly maxBytes: number;
  /** No byte for this long: given up. */
  readonly idleTimeoutMs?: number;
  readonly minBytesPerSecond?: number;
  /** How long a transfer may be slower than that. */
  readonly graceMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Fetched {
  /** 200, 206, 304 or 404. */
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly bytes: Uint8Array;
}

/** Against slow retrieval (TUF specification 1.5.2), for metadata; payloads pass their own. */
const IDLE_TIMEOUT_MS = 15_000;
const MIN_BYTES_PER_SECOND = 1_000;
const GRACE_MS = 10_000;
const MAX_REDIRECTS = 3;
const MAX_HEADER_BYTES = 8_192;

const ANSWERS: ReadonlySet<number> = new Set([200, 206, 304, 404]);
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const BUSY: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

export async function boundedFetch(url: URL, limits: FetchLimits): Promise<Fetched> {
  let target = url;
  for (let count = 0; count <= MAX_REDIRECTS; count++) {
    const answer = await exchange(target, limits);
    if (!REDIRECTS.has(answer.status)) return accepted(target, answer);
    target = redirectTarget(target, answer.headers.get("location"));
  }
  const detail = `more than ${MAX_REDIRECTS} redirects`;
  throw new UpbeatError("UPB-FETCH-REDIRECT", { object: url.href, detail });
}

function accepted(url: URL, answer: Fetched): Fetched {
  if (ANSWERS.has(answer.status)) return answer;
  const retryAfter = answer.headers.get("retry-after");
  const detail = `status ${answer.status}${retryAfter === null ? "" : `, Retry-After: ${retryAfter}`}`;
  const code = BUSY.has(answer.status) ? "UPB-FETCH-SERVER-BUSY" : "UPB-FETCH-REFUSED";
  throw new UpbeatError(code, { object: url.href, detail, nativeCode: answer.status });
}

/** Same origin only: another one was never agreed to, and https never becomes http. */
function redirectTarget(from: URL, location: string | null): URL {
  const to = location === null ? null : URL.parse(location, from);
  if (to?.origin === from.origin) return to;
  const detail = `to ${location ?? "nowhere"}`;
  throw new UpbeatError("UPB-FETCH-REDIRECT", { object: from.href, detail });
}

function exchange(url: URL, limits: FetchLimits): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? httpsRequest : httpRequest;
    const options = {
      maxHeaderSize: MAX_HEADER_BYTES,
      headers: { "accept-encoding": "identity", ...limits.headers },
      ...(limits.signal === undefined ? {} : { signal: limits.signal }),
    };
    let call: ClientRequest;
    try {
      call = request(url, options);
    } catch (cause) {
      reject(new UpbeatError("UPB-FETCH-UNREACHABLE", { object: url.href, cause }));
      return;
    }
    const watch = watchSpeed(url, limits, (error) => call.destroy(error));
    const fail = (cause: unknown, code: "UPB-FETCH-UNREACHABLE" | "UPB-FETCH-TRUNCATED") => {
      watch.stop();
      reject(
        cause instanceof UpbeatError ? cause : new UpbeatError(code, { object: url.href, cause }),
      );
    };
    call.on("error", (cause) => {
      // The server closed an idle connection just when it was used again: no answer was begun.
      if (call.reusedSocket && "code" in cause && cause.code === "ECONNRESET") {
        watch.stop();
        resolve(exchange(url, limits));
      } else fail(cause, "UPB-FETCH-UNREACHABLE");
    });
    call.on("response", (response) => {
      receive(url, response, limits.maxBytes, watch.received).then(
        (answer) => {
          watch.stop();
          resolve(answer);
        },
        (cause: unknown) => {
          call.destroy();
          fail(cause, "UPB-FETCH-TRUNCATED");
        },
      );
    });
    call.end();
  });
}

async function receive(
  url: URL,
  response: IncomingMessage,
  maxBytes: number,
  received: (bytes: number) => void,
): Promise<Fetched> {
  const status = response.statusCode ?? 0;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      // An error page may be longer than the file that was asked for: its status says more.
      if (status !== 200 && status !== 206) break;
      const detail = `more than ${maxBytes} bytes`;
      throw new UpbeatError("UPB-FETCH-TOO-LONG", { object: url.href, detail });
    }
    received(chunk.length);
    chunks.push(chunk);
  }
  const { headers } = response;
  const get = (name: string) => {
    const value = headers[name.toLowerCase()];
    return value === undefined ? null : String(value);
  };
  return { status, headers: { get }, bytes: Buffer.concat(chunks) };
}

/** Ends the transfer when nothing arrives for too long, or too little. */
function watchSpeed(url: URL, limits: FetchLimits, end: (error: UpbeatError) => void) {
  const { idleTimeoutMs = IDLE_TIMEOUT_MS, graceMs = GRACE_MS } = limits;
  const minBytesPerSecond = limits.minBytesPerSecond ?? MIN_BYTES_PER_SECOND;
  const transfer: Clocked = { startedMs: performance.now(), bytes: 0 };
  const idle = setTimeout(() => {
    const detail = `nothing for ${idleTimeoutMs} ms`;
    end(new UpbeatError("UPB-FETCH-TIMED-OUT", { object: url.href, detail }));
  }, idleTimeoutMs);
  const slow = setInterval(
    () => {
      if (!isTooSlow(transfer, performance.now(), minBytesPerSecond, graceMs)) return;
      const detail = `less than ${minBytesPerSecond} bytes a second`;
      end(new UpbeatError("UPB-FETCH-TOO-SLOW", { object: url.href, detail }));
    },
    Math.max(10, Math.min(1_000, graceMs)),
  );
  return {
    received: (bytes: number) => {
      transfer.bytes += bytes;
      idle.refresh();
    },
    stop: () => {
      clearTimeout(idle);
      clearInterval(slow);
    },
  };
}
