/**
 * Opens one GET of a range of bytes, and hands the answer over when its head has arrived.
 * Redirects are refused: content comes from the places that were agreed to.
 *
 * Errors: UPB-FETCH-UNREACHABLE, -TIMED-OUT, -SERVER-BUSY (with `Retry-After` in its detail),
 * -REFUSED, -ENCODED.
 */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { UpbeatError } from "../../../protocol/errors/upbeatError.ts";

/** 416: the part is not a beginning of what the server has; the caller starts anew. */
const ANSWERS: ReadonlySet<number> = new Set([200, 206, 416]);
const BUSY: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

export interface StreamRequest {
  readonly url: URL;
  /** The first byte. */
  readonly from: number;
  /** The last byte; undefined: to the end. */
  readonly to?: number;
  /** The rest of this very representation, or all of what there is now (RFC 9110, 13.1.5). */
  readonly etag?: string;
  readonly timeoutMs: number;
}

export function openStream(asked: StreamRequest): Promise<IncomingMessage> {
  const { url, timeoutMs } = asked;
  const object = url.href;
  return new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? httpsRequest : httpRequest;
    const call = request(url, { headers: headersOf(asked) });
    const timer = setTimeout(() => {
      const detail = `no answer within ${timeoutMs} ms`;
      call.destroy(new UpbeatError("UPB-FETCH-TIMED-OUT", { object, detail }));
    }, timeoutMs);
    call.on("error", (cause) => {
      clearTimeout(timer);
      reject(
        cause instanceof UpbeatError
          ? cause
          : new UpbeatError("UPB-FETCH-UNREACHABLE", { object, cause }),
      );
    });
    call.on("response", (response) => {
      clearTimeout(timer);
      const refusal = whyRefused(response, object);
      if (refusal === undefined) {
        resolve(response);
        return;
      }
      response.resume();
      call.destroy();
      reject(refusal);
    });
    call.end();
  });
}

function headersOf({ from, to, etag }: StreamRequest): Record<string, string> {
  const ranged = from > 0 || to !== undefined;
  return {
    // Content is compressed once, by its publisher.
    "accept-encoding": "identity",
    ...(ranged ? { range: `bytes=${from}-${to ?? ""}` } : {}),
    ...(ranged && etag !== undefined ? { "if-range": etag } : {}),
  };
}

function whyRefused(response: IncomingMessage, object: string): UpbeatError | undefined {
  const status = response.statusCode ?? 0;
  if (!ANSWERS.has(status)) {
    const retryAfter = response.headers["retry-after"];
    const code = BUSY.has(status) ? "UPB-FETCH-SERVER-BUSY" : "UPB-FETCH-REFUSED";
    const detail = `status ${status}${retryAfter === undefined ? "" : `, Retry-After: ${retryAfter}`}`;
    return new UpbeatError(code, { object, detail, nativeCode: status });
  }
  const encoding = response.headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return undefined;
  return new UpbeatError("UPB-FETCH-ENCODED", { object, detail: `Content-Encoding: ${encoding}` });
}
