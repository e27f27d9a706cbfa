/** The encrypted connection: certificate, authority, protocol, and who opens it on the way (row 10). */
import { z } from "zod";
import { check, notApplicable, type Seen } from "../check.ts";
import { ServerFacts } from "../probes/server.ts";

const Facts = z.object({ url: z.string(), tls: ServerFacts.shape.tls.unwrap() });

export const tls = check({
  id: "tls",
  title: "Encrypted connection",
  rows: [10],
  facts: Facts,
  async look(machine) {
    const server = await machine.server();
    if (server === undefined) return notApplicable("no server is configured");
    if (!server.url.startsWith("https:"))
      return notApplicable("the server is addressed by http: what it sends is signed all the same");
    if (server.tls === undefined) return notApplicable("there is no connection to the server");
    return { url: server.url, tls: server.tls };
  },
  judge({ url, tls: seen }, nowMs): Seen[] {
    if (seen.ok) return [];
    const { certificate, error = "no handshake" } = seen;
    const evidence = [
      error,
      ...(certificate === undefined
        ? []
        : [
            `the certificate is for ${certificate.subject || "nobody"}, from ${certificate.issuer || "nobody"}`,
            `it is valid from ${day(certificate.validFromMs)} to ${day(certificate.validToMs)}; here it is ${day(nowMs)}`,
          ]),
    ];
    return [{ cause: causeOf(error, certificate?.issuer ?? ""), object: url, evidence }];
  },
});

/** Names under which appliances that open connections sign. */
const INSPECTORS =
  /zscaler|fortinet|fortigate|palo alto|blue ?coat|sophos|squid|mitmproxy|untangle|netskope|forcepoint|cisco umbrella|kaspersky|avast|bitdefender|eset ssl|charles proxy|checkpoint|check point|barracuda|smoothwall|lightspeed/i;

/** OpenSSL's verification results (X509_V_ERR_*) as Node names them, and its protocol errors. */
function causeOf(error: string, issuer: string): Seen["cause"] {
  if (error === "CERT_HAS_EXPIRED") return "certificate-expired";
  if (error === "CERT_NOT_YET_VALID") return "certificate-not-yet-valid";
  if (error === "ERR_TLS_CERT_ALTNAME_INVALID") return "certificate-wrong-name";
  if (/PROTOCOL|VERSION|HANDSHAKE_FAILURE|NO_SHARED|UNSUPPORTED/i.test(error)) return "tls-too-old";
  if (/SELF_SIGNED|UNABLE_TO|ISSUER|UNTRUSTED|CERT_/.test(error))
    return INSPECTORS.test(issuer) ? "tls-inspected" : "certificate-unknown";
  return "server-unreachable";
}

const day = (ms: number): string => (Number.isNaN(ms) ? "?" : new Date(ms).toISOString());
