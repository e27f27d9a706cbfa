/**
 * Metadata and targets over HTTP, as the server lays them out (`/metadata/NAME`,
 * `/targets/CHANNEL/PRODUCT/SHA256.NAME`). Everything that arrives is unverified.
 *
 * Errors: UPB-FETCH-*; UPB-TRUST-MISSING for a target that the server does not have.
 */
import { UpbeatError } from "../protocol/errors/upbeatError.ts";
import type { MetadataSource } from "../protocol/trust/ports.ts";
import { boundedFetch, type Fetched } from "./boundedFetch.ts";
import type { TargetReader } from "./releases.ts";

export interface HttpMetadataSource extends MetadataSource {
  /** Whether the server still has that of this name; another one is not fetched again. */
  isSame(name: string, etag: string, maxBytes: number): Promise<boolean>;
  /** The ETag that came with the newest answer of that name: for `checkForChange`. */
  etagOf(name: string): string | undefined;
}

/** `baseUrl` is the server's root. `onTraffic` hears the bytes of each body. */
export function httpMetadataSource(
  baseUrl: URL,
  onTraffic: (bytes: number) => void = () => {},
): HttpMetadataSource {
  const etags = new Map<string, string>();
  const ahead = new Map<string, Fetched>();
  const ask = async (name: string, maxBytes: number, headers: Record<string, string> = {}) => {
    const url = serverUrl(baseUrl, `metadata/${name}`);
    const answer = await boundedFetch(url, { maxBytes, headers });
    onTraffic(answer.bytes.length);
    return answer;
  };
  return {
    etagOf: (name) => etags.get(name),
    async isSame(name, etag, maxBytes) {
      const answer = await ask(name, maxBytes, { "if-none-match": etag });
      if (answer.status === 304) return true;
      ahead.set(name, answer);
      return false;
    },
    fetch: async (name, maxBytes) => {
      const answer = ahead.get(name) ?? (await ask(name, maxBytes));
      ahead.delete(name);
      if (answer.status === 404) return undefined;
      const etag = answer.headers.get("etag");
      if (etag === null) etags.delete(name);
      else etags.set(name, etag);
      return answer.bytes;
    },
  };
}

export function httpTargetReader(
  baseUrl: URL,
  onTraffic: (bytes: number) => void = () => {},
): TargetReader {
  return async (path, sha256, maxBytes) => {
    const url = serverUrl(baseUrl, `targets/${targetFileName(path, sha256)}`);
    const answer = await boundedFetch(url, { maxBytes });
    onTraffic(answer.bytes.length);
    if (answer.status === 200) return answer.bytes;
    throw new UpbeatError("UPB-TRUST-MISSING", { object: url.href });
  };
}

/** Consistent snapshots (specification 6.2): the hash stands before the last part of the path. */
export function targetFileName(path: string, hash: string): string {
  const parts = path.split("/").map(encodeURIComponent);
  const last = parts.pop() ?? "";
  return [...parts, `${hash}.${last}`].join("/");
}

/** Below the server's address, whether or not that ends in a slash. */
export function serverUrl(baseUrl: URL, path: string): URL {
  const base = baseUrl.href.endsWith("/") ? baseUrl : new URL(`${baseUrl.href}/`);
  return new URL(path, base);
}
