/**
 * Who may talk to the Settings page's process over HTTP: the page itself, in a browser of this
 * machine that was opened with a one-time link, and nobody else.
 *
 * - The `Host` header must be our own address: a foreign name that was rebound to 127.0.0.1 is not.
 * - `Origin` and `Sec-Fetch-Site`, where a browser sends them, must be our own page's: pages on
 *   other ports of this machine count as same-site to a browser, so SameSite alone is not enough.
 * - The cookie is HttpOnly and SameSite=Strict; a header that only our page's script can set is the
 *   other half of the session, because cookies are sent to every port of a host (RFC 6265, 8.5).
 */
import type { IncomingHttpHeaders } from "node:http";
import { cookieNamed, foreignHeader } from "../../content/browser/pageSafety.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { SESSION_KEY_HEADER } from "../../protocol/settingsPageApi.ts";

/** `address`: host and port as the link names them. Errors: UPB-PAGE-FOREIGN. */
export function mustNameUs(address: string, headers: IncomingHttpHeaders): void {
  if (headers.host !== address) throw foreign("Host", headers.host);
}

/**
 * Every call of the API, reading too: only our own page's script makes one.
 * Errors: UPB-PAGE-FOREIGN.
 */
export function mustComeFromOurPage(
  address: string,
  method: string,
  headers: IncomingHttpHeaders,
): void {
  const isOurs = (origin: string): boolean => origin === `http://${address}`;
  const found = foreignHeader(isOurs, method, headers);
  if (found !== undefined) throw foreign(found.header, found.found);
}

/** The two halves of a session as a request brings them. */
export function sessionHalves(
  cookieName: string,
  headers: IncomingHttpHeaders,
): { id: string | undefined; key: string | undefined } {
  const id = cookieNamed(cookieName, headers);
  const key = headers[SESSION_KEY_HEADER];
  return { id, key: typeof key === "string" ? key : undefined };
}

const foreign = (header: string, found: string | undefined): UpbeatError =>
  new UpbeatError("UPB-PAGE-FOREIGN", { object: header, detail: found ?? "it is missing" });
