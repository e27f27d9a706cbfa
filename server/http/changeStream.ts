/**
 * `GET /api/v1/changes`: server-sent events (HTML Standard, 9.2) of what has changed. The stream ends
 * with the session that it belongs to, and with the server. Errors: UPB-SERVER-TOO-MANY.
 */
import type { FastifyInstance } from "fastify";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Changes } from "../console/changes.ts";
import type { ConsoleSessions } from "../console/sessions.ts";
import type { Admission } from "./attach.ts";
import { sessionOf } from "./consoleSession.ts";

/** Less than the minute after which proxies and the server itself end a silent connection. */
const HEARTBEAT_MS = 15_000;
/** How soon a page comes again that lost its connection. */
const RETRY_MS = 2_000;

export function changeStream(
  app: FastifyInstance,
  { changes, sessions }: { changes: Changes; sessions: ConsoleSessions },
  admit: Admission,
): void {
  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());
  app.route({
    method: "GET",
    url: "/api/v1/changes",
    exposeHeadRoute: false,
    onRequest: async (request) => admit(request),
    handler: (request, reply) => {
      const { raw } = reply;
      const write = (text: string): void => void raw.write(text);
      const stop = changes.listen((change) => write(`data: ${JSON.stringify(change)}\n\n`));
      if (stop === undefined)
        throw new UpbeatError("UPB-SERVER-TOO-MANY", { object: "pages that listen to changes" });
      reply.hijack();
      raw.writeHead(200, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        // When it ends, so does the connection: the server need not wait for it.
        connection: "close",
        // nginx would hold events back.
        "x-accel-buffering": "no",
      });
      write(`retry: ${RETRY_MS}\n\ndata: ${JSON.stringify(changes.all())}\n\n`);
      const heartbeat = setInterval(() => write(":\n\n"), HEARTBEAT_MS);
      const ends = [closing.signal, sessionOf(sessions, request)?.ended];
      const end = (): void => void raw.end();
      for (const signal of ends) signal?.addEventListener("abort", end, { once: true });
      raw.once("close", () => {
        clearInterval(heartbeat);
        for (const signal of ends) signal?.removeEventListener("abort", end);
        stop();
      });
      return reply;
    },
  });
}
