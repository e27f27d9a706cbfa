/** What answers at the server's address: an update server, a sign-in page, or one that is busy (rows 6, 8, 11). */
import { z } from "zod";
import { check, notApplicable, type Seen } from "../check.ts";
import { ServerFacts } from "../probes/server.ts";

const Facts = z.object({
  url: z.string(),
  http: ServerFacts.shape.http.unwrap(),
  rangeStatus: z.int().optional(),
});

export const server = check({
  id: "server",
  title: "Server's answers",
  rows: [6, 8, 11],
  facts: Facts,
  async look(machine) {
    const found = await machine.server();
    if (found === undefined) return notApplicable("no server is configured");
    if (found.http === undefined) return notApplicable("there is no connection to the server");
    const { url, http, rangeStatus } = found;
    return { url, http, ...(rangeStatus === undefined ? {} : { rangeStatus }) };
  },
  judge({ url, http, rangeStatus }): Seen[] {
    const evidence = [
      `metadata/timestamp.json: ${http.status === undefined ? http.error : `status ${http.status}`}`,
      ...(http.contentType === undefined ? [] : [`content type ${http.contentType}`]),
      ...(http.location === undefined ? [] : [`it sends us to ${http.location}`]),
      ...(http.retryAfter === undefined ? [] : [`it asks to wait ${http.retryAfter} s`]),
    ];
    const cause = causeOf(http, url);
    if (cause !== undefined) return [{ cause, object: url, evidence }];
    if (rangeStatus === 200) {
      const said = "a request for one byte (Range: bytes=0-0) was answered with all of them (200)";
      return [{ cause: "ranges-stripped", object: url, evidence: [said] }];
    }
    return [];
  },
});

const BUSY: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

function causeOf(http: z.infer<typeof Facts>["http"], url: string): Seen["cause"] | undefined {
  const { status, error, isPage, location } = http;
  if (error !== undefined || status === undefined) {
    return error === "ETIMEDOUT" ? "server-busy" : "server-unreachable";
  }
  if (status === 511) return "captive-portal"; // RFC 6585, 6
  if (status === 407) return "proxy-wants-login";
  if (BUSY.has(status)) return "server-busy";
  if (status >= 300 && status < 400 && status !== 304) {
    return URL.parse(location ?? "", url)?.origin === url ? "server-refuses" : "captive-portal";
  }
  if (status === 200) return isPage ? "captive-portal" : undefined;
  return "server-refuses";
}
