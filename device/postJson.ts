/**
 * One POST of JSON to the server, bounded in time and in the answer's size. Redirects are not
 * followed: a body that is signed for one address must not travel to another.
 *
 * Errors: the server's own `ErrorReport`; UPB-FETCH-UNREACHABLE, -TIMED-OUT, -TOO-LONG,
 * -SERVER-BUSY (with Retry-After in its detail), -REFUSED; UPB-DEVICE-BAD-ANSWER.
 */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { z } from "zod";
import { ErrorReport, errorFromReport, UpbeatError } from "../protocol/errors/error.ts";

const MAX_ANSWER_BYTES = 1024 * 1024;
const TIMEOUT_MS = 30_000;
const BUSY: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

export interface JsonPost<Answer> {
  readonly url: URL;
  /** Exactly these bytes are sent: the caller may have signed them. */
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly answer: z.ZodType<Answer>;
}

export async function postJson<Answer>(post: JsonPost<Answer>): Promise<Answer> {
  const object = post.url.href;
  const { status, retryAfter, text } = await exchange(post);
  const json = parsed(text);
  if (status >= 200 && status < 300) {
    const answer = post.answer.safeParse(json);
    if (answer.success) return answer.data;
    throw new UpbeatError("UPB-DEVICE-BAD-ANSWER", { object, cause: answer.error });
  }
  const detail = `status ${status}${retryAfter === undefined ? "" : `, Retry-After: ${retryAfter}`}`;
  if (BUSY.has(status)) {
    throw new UpbeatError("UPB-FETCH-SERVER-BUSY", { object, detail, nativeCode: status });
  }
  const report = ErrorReport.safeParse(json);
  if (report.success) throw errorFromReport(report.data);
  throw new UpbeatError("UPB-FETCH-REFUSED", { object, detail, nativeCode: status });
}

/** Undefined when it is not JSON, which no schema accepts. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function exchange(
  post: JsonPost<unknown>,
): Promise<{ status: number; retryAfter: string | undefined; text: string }> {
  const object = post.url.href;
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      const late = cause instanceof Error && /^(Abort|Timeout)Error$/.test(cause.name);
      const code = late ? "UPB-FETCH-TIMED-OUT" : "UPB-FETCH-UNREACHABLE";
      reject(cause instanceof UpbeatError ? cause : new UpbeatError(code, { object, cause }));
    };
    const send = post.url.protocol === "https:" ? httpsRequest : httpRequest;
    const call = send(post.url, {
      method: "POST",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        "content-type": "application/json",
        "content-length": post.body.length,
        ...post.headers,
      },
    });
    call.on("error", fail);
    call.on("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= MAX_ANSWER_BYTES) chunks.push(chunk);
        else response.destroy(new UpbeatError("UPB-FETCH-TOO-LONG", { object }));
      });
      response.on("error", fail);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          retryAfter: response.headers["retry-after"],
          text: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    call.end(post.body);
  });
}
