/**
 * Who may use the administrator's routes: whoever gives the administration token as a bearer, and a
 * browser that has given it once and has a session in a cookie since.
 *
 * The cookie is HttpOnly and SameSite=Strict, with https also Secure and bound to this very host. A
 * browser sends it with requests of other pages of the same site all the same, so the origin of what
 * changes anything must be our own page's.
 *
 * Errors: UPB-SERVER-UNAUTHORISED, -SIGNED-OUT, -FOREIGN, -TOO-MANY.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { cookieNamed, foreignHeader } from "../../content/browser/pageSafety.ts";
import type { ConsoleSession } from "../../protocol/admin/console.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { ConsoleSessions, OpenSession } from "../console/sessions.ts";
import { failedTries } from "../devices/failedTries.ts";
import { requireAdmin, requireAdminToken } from "../storage/adminToken.ts";
import type { Database } from "../storage/database.ts";
import { type Admission, attach } from "./attach.ts";
import { ROUTES } from "./routes.ts";

export interface SessionDeps {
  readonly db: Database;
  readonly sessions: ConsoleSessions;
  readonly publicUrl: URL | undefined;
  readonly now: () => number;
}

export const SESSION_COOKIE = "upbeat-console";

/** Over https a name that no other host and no unsafe page can set (RFC 6265bis, 4.1.3.2). */
const SAFE_COOKIE = `__Host-${SESSION_COOKIE}`;

export const adminAdmission =
  ({ db, sessions, publicUrl }: SessionDeps): Admission =>
  async (request) => {
    const { authorization, cookie } = request.headers;
    if (authorization !== undefined || cookie === undefined)
      return await requireAdmin(db, authorization);
    mustBeOurPage(publicUrl, request);
    if (sessionOf(sessions, request) === undefined)
      throw new UpbeatError("UPB-SERVER-SIGNED-OUT", { object: "this browser" });
  };

/** Undefined: the request has none. */
export const sessionOf = (
  sessions: ConsoleSessions,
  request: FastifyRequest,
): OpenSession | undefined => sessions.find(secretOf(request));

export function consoleSession(app: FastifyInstance, deps: SessionDeps, admit: Admission): void {
  const { db, sessions, publicUrl, now } = deps;
  const failures = failedTries(now);
  const about = (request: FastifyRequest): ConsoleSession => ({
    serverUrl: publicUrl?.href ?? `${schemeOf(request)}://${request.headers.host}`,
    nowMs: now(),
  });
  const fromOurPage: Admission = async (request) => mustBeOurPage(publicUrl, request);

  attach(app, ROUTES.signIn, fromOurPage, async ({ body, request, reply }) => {
    try {
      await requireAdminToken(db, body.token);
    } catch (error) {
      // The right token always passes: nobody can lock an administrator out.
      if (failures.isBlocked(request.ip))
        throw new UpbeatError("UPB-SERVER-TOO-MANY", { object: `sign-in from ${request.ip}` });
      failures.add(request.ip);
      throw error;
    }
    setCookie(reply, request, sessions.open());
    return about(request);
  });
  attach(app, ROUTES.session, admit, ({ request }) => about(request));
  attach(app, ROUTES.signOut, fromOurPage, ({ request, reply }) => {
    const secret = secretOf(request);
    if (secret !== undefined) sessions.close(secret);
    setCookie(reply, request, "", "; Max-Age=0");
    return {};
  });
}

/** Errors: UPB-SERVER-FOREIGN. */
function mustBeOurPage(publicUrl: URL | undefined, request: FastifyRequest): void {
  const isOurs = (origin: string): boolean =>
    origin === publicUrl?.origin || origin.replace(/^https?:\/\//, "") === request.headers.host;
  const found = foreignHeader(isOurs, request.method, request.headers);
  if (found === undefined) return;
  const { header, found: detail = "it is missing" } = found;
  throw new UpbeatError("UPB-SERVER-FOREIGN", { object: header, detail });
}

function setCookie(reply: FastifyReply, request: FastifyRequest, secret: string, more = ""): void {
  const isSafe = schemeOf(request) === "https";
  const name = isSafe ? SAFE_COOKIE : plainCookie(request);
  const rules = `HttpOnly; SameSite=Strict; Path=/${isSafe ? "; Secure" : ""}`;
  reply.header("set-cookie", `${name}=${secret}; ${rules}${more}`);
}

const secretOf = (request: FastifyRequest): string | undefined =>
  cookieNamed(SAFE_COOKIE, request.headers) ?? cookieNamed(plainCookie(request), request.headers);

/** Cookies do not know ports: two servers on one machine must not end each other's session. */
const plainCookie = ({ headers: { host = "" } }: FastifyRequest): string =>
  `${SESSION_COOKIE}-${/:(\d{1,5})$/.exec(host)?.[1] ?? "80"}`;

/** As the browser says; a proxy in front speaks http with us all the same. */
const schemeOf = ({ headers: { origin = "" } }: FastifyRequest): string =>
  origin.startsWith("https://") ? "https" : "http";
