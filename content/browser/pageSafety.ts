/**
 * What keeps others away from a page that a program of ours serves, and the page from doing more
 * than it is made for. Pure.
 *
 * Pages of another port of the same host count as same-site to a browser, so SameSite cookies alone
 * are not enough: the origin must be our own.
 */
import type { IncomingHttpHeaders } from "node:http";

/**
 * The header that says that another page made the request; undefined: our own did. `isOurs` is asked
 * about the origin of the page, e.g. `http://127.0.0.1:8530`.
 */
export function foreignHeader(
  isOurs: (origin: string) => boolean,
  method: string | undefined,
  headers: IncomingHttpHeaders,
): { header: string; found: string | undefined } | undefined {
  // Browsers name the origin of every request but a plain GET (Fetch Standard, 3.2).
  const mayLack = method === "GET" || method === "HEAD";
  const named = headers.origin;
  if (named === undefined ? !mayLack : !isOurs(named)) return { header: "Origin", found: named };
  const site = headers["sec-fetch-site"];
  if (site === undefined || site === "same-origin") return undefined;
  return { header: "Sec-Fetch-Site", found: String(site) };
}

export function cookieNamed(name: string, headers: IncomingHttpHeaders): string | undefined {
  const pairs = (headers.cookie ?? "").split(/;\s*/).map((pair) => pair.split("="));
  return pairs.find(([found]) => found === name)?.[1];
}

/** For every answer. `nonce` admits the style elements that the page's script makes. */
export function securityHeaders(nonce: string): Record<string, string> {
  return {
    "content-security-policy": [
      "default-src 'none'",
      "script-src 'self'",
      `style-src 'self' 'nonce-${nonce}'`,
      "img-src 'self' data:",
      "font-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-frame-options": "DENY",
  };
}
