/**
 * Opens one GET, from byte `from` on, and hands the answer over when its head has arrived.
 * Redirects are refused: content comes from the server that was agreed to.
 *
 * Errors: UPB-FETCH-UNREACHABLE, -TIMED-OUT, -SERVER-BUSY (with `Retry-After` in its detail), -REFUSED.
 */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { UpbeatError } from "../../../protocol/errors/error.ts";

/** 416: the part is not a beginning of what the server has; the caller starts anew. */
const ANSWERS: ReadonlySet<number> = new Set([200, 206, 416]);
const BUSY: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

export function openStream(url: URL, from: number, timeoutMs: number): Promise<IncomingMessage> {
  const object = url.href;
  return new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? httpsRequest : httpRequest;
    const call = request(url, {
      headers: { "accept-encoding": "identity", ...(from > 0 ? { range: `bytes=${from}-` } : {}) },
    });
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
      const status = response.statusCode ?? 0;
      if (ANSWERS.has(status)) {
        resolve(response);
        return;
      }
      response.resume();
      call.destroy();
      const retryAfter = response.headers["retry-after"];
      const code = BUSY.has(status) ? "UPB-FETCH-SERVER-BUSY" : "UPB-FETCH-REFUSED";
      const detail = `status ${status}${retryAfter === undefined ? "" : `, Retry-After: ${retryAfter}`}`;
      reject(new UpbeatError(code, { object, detail, nativeCode: status }));
    });
    call.end();
  });
}
