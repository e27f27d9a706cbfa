/**
 * The server's administration API (`protocol/adminApi.ts`), every answer through its schema.
 *
 * Errors: the server's own ErrorReport as an UpbeatError; UPB-CLI-SERVER-AWAY when it cannot be
 * reached or does not answer in time; UPB-CLI-SERVER-ANSWER when something else answered.
 */
import type { z } from "zod";
import { ErrorReport, errorFromReport, UpbeatError } from "../protocol/errors/error.ts";
import type { ServerSettings } from "./settings.ts";

const TIMEOUT_MS = 60_000;
/** More than the metadata of a large repository, less than what hurts. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

export interface ServerClient {
  readonly url: URL;
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  post<T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T>;
  /** True when the server has these bytes. */
  hasContent(sha256: string): Promise<boolean>;
  putContent(sha256: string, body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<void>;
}

export function serverClient(
  { url, token }: ServerSettings,
  interrupted: AbortSignal,
): ServerClient {
  const authorization = `Bearer ${token}`;

  async function call(method: string, path: string, init: RequestInit, timeoutMs?: number) {
    const target = new URL(path, url);
    const signals = [interrupted, ...(init.signal ? [init.signal] : [])];
    if (timeoutMs !== undefined) signals.push(AbortSignal.timeout(timeoutMs));
    try {
      return await fetch(target, {
        ...init,
        method,
        // A redirect could carry the token to another machine.
        redirect: "error",
        signal: AbortSignal.any(signals),
        headers: { authorization, ...(init.headers as Record<string, string>) },
      });
    } catch (cause) {
      if (interrupted.aborted) throw cause;
      throw away(target, cause);
    }
  }

  async function json<T>(method: string, path: string, body: unknown, schema: z.ZodType<T>) {
    const init: RequestInit =
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const response = await call(method, path, init, TIMEOUT_MS);
    const object = `${method} ${new URL(path, url).href}`;
    const answer = await readJson(response, object);
    if (!response.ok) throw refusal(response.status, answer, object);
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new UpbeatError("UPB-CLI-SERVER-ANSWER", { object, cause: parsed.error });
  }

  return {
    url,
    get: (path, schema) => json("GET", path, undefined, schema),
    post: (path, body, schema) => json("POST", path, body, schema),
    async hasContent(sha256) {
      const path = `api/v1/content/${sha256}`;
      const response = await call("HEAD", path, {}, TIMEOUT_MS);
      if (response.status === 200) return true;
      if (response.status === 404) return false;
      // A HEAD has no body that could say why; the same question as GET has one.
      throw refusal(response.status, undefined, `HEAD ${new URL(path, url).href}`);
    },
    async putContent(sha256, body, signal) {
      const path = `api/v1/content/${sha256}`;
      const response = await call("PUT", path, {
        body,
        signal,
        duplex: "half",
        headers: { "content-type": "application/octet-stream" },
      } as RequestInit);
      if (!response.ok) {
        const object = `PUT ${new URL(path, url).href}`;
        throw refusal(response.status, await readJson(response, object), object);
      }
      await response.body?.cancel();
    },
  };
}

const away = (target: URL, cause: unknown): UpbeatError => {
  // undici puts the system's error one level down.
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return new UpbeatError("UPB-CLI-SERVER-AWAY", { object: target.origin, cause: inner });
};

function refusal(status: number, answer: unknown, object: string): UpbeatError {
  const report = ErrorReport.safeParse(answer);
  if (report.success) return errorFromReport(report.data);
  return new UpbeatError("UPB-CLI-SERVER-ANSWER", { object, detail: `status ${status}` });
}

async function readJson(response: Response, object: string): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) {
        throw new UpbeatError("UPB-CLI-SERVER-ANSWER", { object, detail: "it is too long" });
      }
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof UpbeatError) throw cause;
    throw away(new URL(response.url), cause);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (cause) {
    throw new UpbeatError("UPB-CLI-SERVER-ANSWER", {
      object,
      detail: `status ${response.status}, and it is not JSON`,
      cause,
    });
  }
}
