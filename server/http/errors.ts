/** Errors as answers: the status, and an ErrorReport. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ErrorCode } from "../../protocol/errors/catalogue.ts";
import { reportError, UpbeatError } from "../../protocol/errors/error.ts";
import { routeName } from "./attach.ts";

const STATUS: Partial<Record<ErrorCode, number>> = {
  "UPB-SERVER-BAD-REQUEST": 400,
  "UPB-SERVER-UNAUTHORISED": 401,
  "UPB-SERVER-SIGNED-OUT": 401,
  "UPB-SERVER-SIGNATURE": 401,
  "UPB-SERVER-FOREIGN": 403,
  "UPB-SERVER-ENROLMENT-TOKEN": 403,
  "UPB-SERVER-NOT-FOUND": 404,
  "UPB-SERVER-NO-REPOSITORY": 409,
  "UPB-SERVER-NOT-REPORTED": 409,
  "UPB-PUBLISH-STALE": 409,
  "UPB-PUBLISH-EXISTS": 409,
  "UPB-SIGNER-REFUSED": 409,
  "UPB-FLEETLOCK-GROUP": 400,
  "UPB-FLEETLOCK-CLOSED": 403,
  "UPB-FLEETLOCK-FULL": 409,
  "UPB-SERVER-CONTENT-TOO-LARGE": 413,
  "UPB-SERVER-CONTENT-HASH": 422,
  "UPB-SERVER-TOO-MANY": 429,
  "UPB-SERVER-SIGNER-AWAY": 503,
  "UPB-PAGE-NOT-BUILT": 503,
  "UPB-SERVER-DATA": 507,
};
const WRONG_INPUT = /^UPB-(?:TRUST|PUBLISH|MANIFEST|POLICY|TREE)-/;

export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => answer(asUpbeat(error, request), request, reply));
  app.setNotFoundHandler((request, reply) => {
    const object = `${request.method} ${request.url.slice(0, 200)}`;
    return answer(new UpbeatError("UPB-SERVER-NOT-FOUND", { object }), request, reply);
  });
}

function answer(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return answerReport(error, reportError(error), request, reply);
}

/** `body`: what the route's own protocol says about the error. */
export function answerReport(
  error: unknown,
  body: object,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const status = statusOf(error);
  if (status >= 500) request.log.error({ err: error }, "a request failed");
  if (status === 401) reply.header("www-authenticate", "Bearer");
  // An upload that is refused is not read to its end: nothing else can come on this connection.
  if (!request.raw.complete) reply.header("connection", "close");
  return reply.status(status).header("cache-control", "no-store").send(body);
}

function statusOf(error: unknown): number {
  if (!(error instanceof UpbeatError)) return 500;
  return STATUS[error.code] ?? (WRONG_INPUT.test(error.code) ? 422 : 500);
}

const DISK: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO"]);

/** What the disk refuses, and what Fastify itself does: too long, a wrong content type, a bad URL. */
export function asUpbeat(error: unknown, request: FastifyRequest): unknown {
  if (error instanceof UpbeatError || !(error instanceof Error)) return error;
  if ("code" in error && DISK.has(error.code))
    return new UpbeatError("UPB-SERVER-DATA", { object: routeName(request), cause: error });
  if (!("statusCode" in error) || typeof error.statusCode !== "number") return error;
  if (error.statusCode >= 500) return error;
  const object = routeName(request);
  return new UpbeatError("UPB-SERVER-BAD-REQUEST", { object, detail: error.message, cause: error });
}
