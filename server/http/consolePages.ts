/** The admin console's built files under `/admin/`. They hold no secret: what they show is asked for. */
import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { type Pages, readPages } from "../../content/browser/builtPages.ts";
import { securityHeaders } from "../../content/browser/pageSafety.ts";

const BASE = "/admin";

/** A server whose pages were never built serves its devices all the same. Errors: UPB-PAGE-NOT-BUILT. */
export function consolePages(app: FastifyInstance): void {
  let pages: Pages | undefined;
  app.get("/", (_request, reply) => reply.redirect(`${BASE}/`));
  app.get(BASE, (_request, reply) => reply.redirect(`${BASE}/`));
  app.get(`${BASE}/*`, (request, reply) => {
    pages ??= readPages("admin");
    const nonce = randomBytes(16).toString("base64url");
    const [path = ""] = request.url.slice(BASE.length).split("?");
    const { status, headers, body } = pages.answer(path, nonce);
    return reply
      .status(status)
      .headers({ ...securityHeaders(nonce), "cache-control": "no-store", ...headers })
      .send(body);
  });
}
