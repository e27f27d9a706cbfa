/**
 * Calls the JSON API of a service of this device over its Unix socket.
 *
 * Errors: the `ErrorReport` that the service answered with, as an UpbeatError; UPB-LOCAL-NOT-RUNNING
 * when nothing listens; UPB-LOCAL-TIMEOUT when it does not answer in time; UPB-LOCAL-BAD-ANSWER.
 */
import { request } from "node:http";
import type { z } from "zod";
import { ErrorReport, errorFromReport, UpbeatError } from "../protocol/errors/error.ts";

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

export async function callLocal<Answer>(
  socketPath: string,
  method: "GET" | "POST",
  path: string,
  schema: z.ZodType<Answer>,
  body?: unknown,
  timeoutMs = DEFAULT_TIMEOUT_MS,
): Promise<Answer> {
  const { status, text } = await exchange(socketPath, method, path, body, timeoutMs);
  const object = `${method} ${path} at ${socketPath}`;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UpbeatError("UPB-LOCAL-BAD-ANSWER", { object, detail: "it is not JSON", cause });
  }
  if (status >= 400) {
    const report = ErrorReport.safeParse(json);
    if (report.success) throw errorFromReport(report.data);
    throw new UpbeatError("UPB-LOCAL-BAD-ANSWER", { object, detail: `status ${status}` });
  }
  const answer = schema.safeParse(json);
  if (answer.success) return answer.data;
  throw new UpbeatError("UPB-LOCAL-BAD-ANSWER", { object, cause: answer.error });
}

function exchange(
  socketPath: string,
  method: string,
  path: string,
  body: unknown,
  timeoutMs: number,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const call = request(
      {
        socketPath,
        method,
        path,
        signal: AbortSignal.timeout(timeoutMs),
        headers: payload === undefined ? {} : { "content-type": "application/json" },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) response.destroy(new Error("the answer is too long"));
          else chunks.push(chunk);
        });
        response.on("error", (cause) =>
          reject(new UpbeatError("UPB-LOCAL-BAD-ANSWER", { object: socketPath, cause })),
        );
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      },
    );
    call.on("error", (cause) => {
      const timedOut = cause.name === "AbortError" || cause.name === "TimeoutError";
      reject(
        new UpbeatError(timedOut ? "UPB-LOCAL-TIMEOUT" : "UPB-LOCAL-NOT-RUNNING", {
          object: socketPath,
          cause,
        }),
      );
    });
    call.end(payload);
  });
}
