/**
 * A JSON API on a Unix socket, for the services of one device.
 *
 * The folder's and the socket's file modes are the authorisation; a connection proves nothing else.
 * Bodies are small (64 KiB) and every one passes a schema before anything looks at it.
 */
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import Fastify, { type FastifyInstance } from "fastify";
import { z } from "zod";
import type { ErrorCode } from "../protocol/errors/catalogue.ts";
import { reportError, UpbeatError } from "../protocol/errors/error.ts";

export const MAX_BODY_BYTES = 64 * 1024;

/** A Fastify instance whose errors are `ErrorReport` bodies. `statusOf` names codes that are not 500. */
export function localApi(statusOf: Partial<Record<ErrorCode, number>>): FastifyInstance {
  const app = Fastify({ bodyLimit: MAX_BODY_BYTES, logger: false, forceCloseConnections: true });
  app.setErrorHandler((error, _request, reply) => {
    const known = error instanceof UpbeatError ? error : fromFastify(error);
    const status = known instanceof UpbeatError ? statusOf[known.code] : undefined;
    return reply.status(status ?? 500).send(reportError(known));
  });
  app.setNotFoundHandler((request, reply) =>
    reply
      .status(404)
      .send(
        reportError(
          new UpbeatError("UPB-LOCAL-NO-SUCH-CALL", { object: `${request.method} ${request.url}` }),
        ),
      ),
  );
  return app;
}

/**
 * Listens with mode 0660 inside a 0750 folder. A socket that a crashed process left behind is
 * replaced; one that still answers is not.
 * Errors: UPB-LOCAL-SOCKET-IN-USE.
 */
export async function listenLocally(app: FastifyInstance, socketPath: string): Promise<void> {
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o750 });
  if (await answers(socketPath)) {
    throw new UpbeatError("UPB-LOCAL-SOCKET-IN-USE", { object: socketPath });
  }
  rmSync(socketPath, { force: true });
  const before = process.umask(0o117);
  try {
    await app.listen({ path: socketPath });
  } finally {
    process.umask(before);
  }
  chmodSync(socketPath, 0o660);
}

/** What comes from outside, once it has passed its schema. Errors: UPB-LOCAL-BAD-REQUEST. */
export function checked<T>(schema: z.ZodType<T>, value: unknown, object: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UpbeatError("UPB-LOCAL-BAD-REQUEST", {
    object,
    detail: z.prettifyError(parsed.error),
  });
}

/** Fastify refuses by itself what is too long or not JSON. */
function fromFastify(error: unknown): unknown {
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  if (typeof status !== "number" || status < 400 || status > 499) return error;
  return new UpbeatError("UPB-LOCAL-BAD-REQUEST", { object: "the body", cause: error });
}

/** Whether any process answers there now. */
export function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
