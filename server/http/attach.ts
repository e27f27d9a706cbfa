/** Puts a route of the table on the server: who may ask, what was sent, what is answered. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Route } from "./routes.ts";

export interface Incoming<Params, Body> {
  readonly params: Params;
  readonly body: Body;
  /** As it arrived: what a signature is over. */
  readonly bytes: Uint8Array;
  readonly request: FastifyRequest;
  /** For headers; the body is what the handler returns. */
  readonly reply: FastifyReply;
}

export type Admission = (request: FastifyRequest) => Promise<void>;

/** `admit` runs before the body is read, so that nobody unknown can send much. */
export function attach<Params, Body, Answer>(
  app: FastifyInstance,
  route: Route<Params, Body, Answer>,
  admit: Admission,
  handle: (incoming: Incoming<Params, Body>) => Promise<Answer> | Answer,
): void {
  app.route({
    method: route.method,
    url: route.path,
    bodyLimit: Math.max(1, route.maxBodyBytes),
    onRequest: async (request) => admit(request),
    handler: async (request, reply) => {
      const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      // A name of the path cannot be overruled by the query.
      const named = { ...Object(request.query), ...Object(request.params) };
      const params = parsed(route.params, named, request);
      // A device's signature is over the bytes: they are read only after it was checked.
      const body = () => parsed(route.body, jsonOf(bytes, request), request);
      const answer = await handle({
        params,
        get body() {
          return body();
        },
        bytes,
        request,
        reply,
      });
      reply.header("cache-control", "no-store");
      return route.answer.parse(answer);
    },
  });
}

export const routeName = (request: FastifyRequest): string =>
  `${request.method} ${request.routeOptions.url ?? request.url}`;

function jsonOf(bytes: Uint8Array, request: FastifyRequest): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    const object = routeName(request);
    throw new UpbeatError("UPB-SERVER-BAD-REQUEST", { object, detail: "it is not JSON", cause });
  }
}

function parsed<Out>(schema: z.ZodType<Out>, value: unknown, request: FastifyRequest): Out {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new UpbeatError("UPB-SERVER-BAD-REQUEST", {
    object: routeName(request),
    detail: z.prettifyError(result.error).slice(0, 2_000),
  });
}
