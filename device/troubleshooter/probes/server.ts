/**
 * The way to the server, step by step, as the services go it: name, connection, TLS, HTTP, ranges.
 * Each step says what it saw; a step after one that failed is not tried. Never throws; bounded in
 * time by each step's own limit.
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, type PeerCertificate, type TLSSocket } from "node:tls";
import { z } from "zod";
import { serverUrl } from "../../../content/metadataSource.ts";
import { NameFacts, resolveName } from "./names.ts";
import { type ProxyAddress, ProxyFacts, proxyFor, reachProxy, tunnelThrough } from "./proxy.ts";

const Certificate = z.object({
  subject: z.string(),
  issuer: z.string(),
  validFromMs: z.number(),
  validToMs: z.number(),
});

export const ServerFacts = z.object({
  url: z.string(),
  name: NameFacts.optional(),
  proxy: ProxyFacts.optional(),
  /** Undefined: not tried. */
  connection: z.object({ ok: z.boolean(), error: z.string().optional() }).optional(),
  tls: z
    .object({
      ok: z.boolean(),
      /** OpenSSL's or Node's code, e.g. CERT_HAS_EXPIRED. */
      error: z.string().optional(),
      certificate: Certificate.optional(),
    })
    .optional(),
  http: z
    .object({
      status: z.int().optional(),
      error: z.string().optional(),
      contentType: z.string().optional(),
      location: z.string().optional(),
      retryAfter: z.string().optional(),
      /** The first bytes look like a web page. */
      isPage: z.boolean(),
      tookMs: z.number(),
    })
    .optional(),
  /** The server's clock, from its Date header, and this machine's at that moment. */
  clock: z.object({ serverMs: z.number(), hereMs: z.number(), verified: z.boolean() }).optional(),
  /** Status of a request for the first byte of a file. */
  rangeStatus: z.int().optional(),
});
export type ServerFacts = z.infer<typeof ServerFacts>;

const CONNECT_MS = 5_000;
const ANSWER_MS = 8_000;
const HEAD_BYTES = 512;

export async function probeServer(
  url: URL,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ServerFacts> {
  const facts: ServerFacts = { url: url.origin };
  const proxy = proxyFor(url, env);
  if (proxy !== undefined) {
    facts.proxy = await reachProxy(proxy, url);
    if (!facts.proxy.reached || facts.proxy.status === 407) return facts;
  } else {
    facts.name = await resolveName(url.hostname);
    if (facts.name.addresses.length === 0) return facts;
    facts.connection = await connects(url);
    if (!facts.connection.ok) return facts;
  }
  if (url.protocol === "https:") facts.tls = await handshake(url, proxy);
  const verified = facts.tls?.ok !== false;
  const answer = await head(url, "metadata/timestamp.json", proxy, verified);
  if (answer.dateMs !== undefined) {
    facts.clock = { serverMs: answer.dateMs, hereMs: Date.now(), verified };
  }
  if (!verified) return facts;
  facts.http = answer.http;
  if (answer.http.status === 200 && !answer.http.isPage) {
    const part = await head(url, "metadata/1.root.json", proxy, true, { range: "bytes=0-0" });
    if (part.http.status !== undefined) facts.rangeStatus = part.http.status;
  }
  return facts;
}

export const portOf = (url: URL): number =>
  Number(url.port || (url.protocol === "https:" ? 443 : 80));

function connects(url: URL): Promise<{ ok: boolean; error?: string }> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host: bareHost(url), port: portOf(url), timeout: CONNECT_MS });
    const end = (result: { ok: boolean; error?: string }) => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => end({ ok: true }));
    socket.once("timeout", () => end({ ok: false, error: "ETIMEDOUT" }));
    socket.once("error", (error) => end({ ok: false, error: codeOf(error) }));
  });
}

/** With verification as the services do it; on a refusal once more without, only to read what was shown. */
async function handshake(url: URL, proxy: ProxyAddress | undefined): Promise<ServerFacts["tls"]> {
  const strict = await shake(url, proxy, true);
  if (strict.error === undefined) return { ok: true, ...strict };
  const shown = await shake(url, proxy, false);
  const { certificate } = shown;
  return { ok: false, error: strict.error, ...(certificate && { certificate }) };
}

async function shake(
  url: URL,
  proxy: ProxyAddress | undefined,
  rejectUnauthorized: boolean,
): Promise<{ error?: string; certificate?: z.infer<typeof Certificate> }> {
  try {
    const socket = await tlsSocket(url, proxy, rejectUnauthorized);
    const certificate = certificateOf(socket.getPeerCertificate());
    socket.destroy();
    return certificate === undefined ? {} : { certificate };
  } catch (error) {
    return { error: codeOf(error) };
  }
}

async function tlsSocket(
  url: URL,
  proxy: ProxyAddress | undefined,
  rejectUnauthorized: boolean,
): Promise<TLSSocket> {
  const tunnel = proxy && (await tunnelThrough(proxy, url, CONNECT_MS));
  return await new Promise((resolve, reject) => {
    const host = bareHost(url);
    const socket = connectTls({
      ...(tunnel === undefined ? { host, port: portOf(url) } : { socket: tunnel }),
      // An address has no server name (RFC 6066, 3).
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
      rejectUnauthorized,
    });
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error("ETIMEDOUT")));
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
    // Its end is not that of what it runs over.
    socket.once("close", () => tunnel?.destroy());
  });
}

function certificateOf(found: PeerCertificate): z.infer<typeof Certificate> | undefined {
  if (found.subject === undefined) return undefined;
  const name = (entity: PeerCertificate["subject"]) =>
    [entity.CN, entity.O].flat().filter(Boolean).join(", ");
  return {
    subject: name(found.subject),
    issuer: name(found.issuer),
    validFromMs: Date.parse(found.valid_from),
    validToMs: Date.parse(found.valid_to),
  };
}

interface Head {
  readonly http: NonNullable<ServerFacts["http"]>;
  readonly dateMs?: number;
}

/** The head of the answer and its first bytes. Redirects are not followed: where they lead says much. */
function head(
  url: URL,
  path: string,
  proxy: ProxyAddress | undefined,
  rejectUnauthorized: boolean,
  headers: Record<string, string> = {},
): Promise<Head> {
  const target = serverUrl(url, path);
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const fail = (error: unknown) =>
      resolve({
        http: { error: codeOf(error), isPage: false, tookMs: performance.now() - startedMs },
      });
    void requestOptions(target, proxy, rejectUnauthorized)
      .then((options) => {
        const send = target.protocol === "https:" ? httpsRequest : httpRequest;
        const call = send({
          ...options,
          headers: { "accept-encoding": "identity", ...options.headers, ...headers },
          signal: AbortSignal.timeout(ANSWER_MS),
        });
        call.on("error", fail);
        call.on("response", (response) => {
          void readHead(response).then((first) => {
            call.destroy();
            resolve(headOf(response, first, performance.now() - startedMs));
          }, fail);
        });
        call.end();
      })
      .catch(fail);
  });
}

type AskedOptions = RequestOptions & { rejectUnauthorized?: boolean };

async function requestOptions(
  target: URL,
  proxy: ProxyAddress | undefined,
  rejectUnauthorized: boolean,
): Promise<AskedOptions> {
  const direct = {
    host: bareHost(target),
    port: portOf(target),
    path: target.pathname,
    headers: { host: target.host },
  };
  // An agent of its own: the global one may have a proxy from elsewhere, and keeps connections.
  if (proxy === undefined) return { ...direct, rejectUnauthorized, agent: false };
  if (target.protocol === "https:") {
    const socket = await tlsSocket(target, proxy, rejectUnauthorized);
    // With any agent, also `false`, Node would connect by itself, past the proxy.
    return { ...direct, createConnection: () => socket };
  }
  return {
    agent: false,
    host: proxy.host,
    port: proxy.port,
    path: target.href,
    headers: { host: target.host, ...proxy.headers },
  };
}

async function readHead(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= HEAD_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, HEAD_BYTES);
}

function headOf(response: IncomingMessage, first: Buffer, tookMs: number): Head {
  const { statusCode: status, headers } = response;
  const text = (name: string) => {
    const value = headers[name];
    return value === undefined ? undefined : String(value).slice(0, 300);
  };
  const contentType = text("content-type");
  const location = text("location");
  const retryAfter = text("retry-after");
  const dateMs = Date.parse(headers.date ?? "");
  return {
    http: {
      ...(status === undefined ? {} : { status }),
      ...(contentType === undefined ? {} : { contentType }),
      ...(location === undefined ? {} : { location }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
      isPage: /^\s*<(?:!doctype|html|head|\?xml)/i.test(first.toString("latin1")),
      tookMs,
    },
    ...(Number.isNaN(dateMs) ? {} : { dateMs }),
  };
}

const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "");

export const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError" || error.name === "AbortError") return "ETIMEDOUT";
  return "code" in error ? String(error.code) : error.message;
};
