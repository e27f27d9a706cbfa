/** The proxy that stands between here and the server, as the environment names it, and whether it lets us through. */
import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { z } from "zod";
import { resolveName } from "./names.ts";

export interface ProxyAddress {
  readonly host: string;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}

export const ProxyFacts = z.object({
  /** Without name and password. */
  address: z.string(),
  reached: z.boolean(),
  error: z.string().optional(),
  /** What it answered to a request for the server. */
  status: z.int().optional(),
});
export type ProxyFacts = z.infer<typeof ProxyFacts>;

const ANSWER_MS = 6_000;

/** The usual variables (curl's conventions): lower case wins, NO_PROXY lists names and their ends. */
export function proxyFor(
  url: URL,
  env: Readonly<Record<string, string | undefined>>,
): ProxyAddress | undefined {
  const named = (name: string) => env[name.toLowerCase()] || env[name];
  const text = url.protocol === "https:" ? named("HTTPS_PROXY") : named("HTTP_PROXY");
  if (text === undefined || text === "" || isExempt(url.hostname, named("NO_PROXY") ?? ""))
    return undefined;
  const proxy = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (proxy === null) return { host: text, port: 0, headers: {} };
  const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return {
    host: proxy.hostname,
    port: Number(proxy.port || 80),
    headers:
      proxy.username === ""
        ? {}
        : { "proxy-authorization": `Basic ${Buffer.from(login).toString("base64")}` },
  };
}

function isExempt(host: string, list: string): boolean {
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === "*") return true;
    const name = entry.replace(/^\./, "").replace(/:\d+$/, "");
    return name !== "" && (host === name || host.endsWith(`.${name}`));
  });
}

export async function reachProxy(proxy: ProxyAddress, url: URL): Promise<ProxyFacts> {
  const address = `${proxy.host}:${proxy.port}`;
  const { addresses, error } = await resolveName(proxy.host);
  if (addresses.length === 0) {
    return { address, reached: false, error: error ?? "its name cannot be resolved" };
  }
  try {
    const answer = await ask(proxy, url, ANSWER_MS);
    answer.socket?.destroy();
    return { address, reached: true, status: answer.status };
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    return { address, reached: false, error: code };
  }
}

/** A connection to the server through the proxy (RFC 9110, 9.3.6). Rejects when it is refused. */
export async function tunnelThrough(
  proxy: ProxyAddress,
  url: URL,
  timeoutMs: number,
): Promise<Socket> {
  const { status, socket } = await ask(proxy, url, timeoutMs);
  if (status === 200 && socket !== undefined) return socket;
  socket?.destroy();
  throw new Error(`the proxy answers ${status}`);
}

function ask(
  proxy: ProxyAddress,
  url: URL,
  timeoutMs: number,
): Promise<{ status: number; socket?: Socket }> {
  const port = url.port || (url.protocol === "https:" ? 443 : 80);
  const common = {
    host: proxy.host,
    port: proxy.port,
    agent: false as const,
  };
  return new Promise((resolve, reject) => {
    const secure = url.protocol === "https:";
    const call = secure
      ? request({
          ...common,
          method: "CONNECT",
          path: `${url.hostname}:${port}`,
          headers: { host: `${url.hostname}:${port}`, ...proxy.headers },
        })
      : request({
          ...common,
          path: new URL("/metadata/timestamp.json", url).href,
          headers: { host: url.host, ...proxy.headers },
        });
    // Not a signal: that would cut the tunnel too, long after it was made.
    const timer = setTimeout(() => call.destroy(new Error("ETIMEDOUT")), timeoutMs);
    call.on("close", () => clearTimeout(timer));
    call.on("error", reject);
    call.on("connect", (response: IncomingMessage, socket: Socket) => {
      clearTimeout(timer);
      resolve({ status: response.statusCode ?? 0, socket });
    });
    call.on("response", (response) => {
      response.resume();
      call.destroy();
      resolve({ status: response.statusCode ?? 0 });
    });
    call.end();
  });
}
