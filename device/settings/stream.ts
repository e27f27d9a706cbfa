/** Server-sent events: the device's view to one open page (HTML Standard, 9.2). */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Live } from "./live.ts";

/** Tells a page that is open from one whose computer went to sleep. */
const HEARTBEAT_MS = 15_000;

export function streamView(live: Live, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    "content-type": "text/event-stream",
  });
  raw.flushHeaders();
  const stop = live.watch((view) => raw.write(`data: ${JSON.stringify(view)}\n\n`));
  const heartbeat = setInterval(() => raw.write(":\n\n"), HEARTBEAT_MS);
  request.raw.once("close", () => {
    clearInterval(heartbeat);
    stop();
  });
  return reply;
}
