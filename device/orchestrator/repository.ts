/** The server's signed repository as this device reaches and keeps it. Errors: UPB-DEVICE-NOT-ENROLLED. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type BundledSource, bundledSource } from "../../content/bundle/bundledSource.ts";
import { folderTargetReader } from "../../content/folderSource.ts";
import {
  type HttpMetadataSource,
  httpMetadataSource,
  httpTargetReader,
} from "../../content/metadataSource.ts";
import { metadataStore } from "../../content/metadataStore.ts";
import type { DeviceConfig } from "../../protocol/deviceApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { MetadataSource, MetadataStore } from "../../protocol/trust/ports.ts";
import type { DevicePaths } from "../paths.ts";
import { type TargetCache, targetCache } from "./targetCache.ts";

export interface Repository {
  /** Another server or another root: nothing that was remembered counts. */
  readonly source: string;
  readonly trust: {
    readonly trustedRoot: Uint8Array;
    readonly store: MetadataStore;
    readonly now: () => number;
    readonly source: HttpMetadataSource;
  };
  /** What a refresh reads from: a bundle as far as it has it, and the timestamp with its ETag. */
  readonly newest: BundledSource;
  readonly cache: TargetCache;
  /** So far, of this opening. */
  readonly traffic: { requests: number; receivedBytes: number };
}

export function openRepository(
  paths: DevicePaths,
  config: DeviceConfig,
  now: () => number,
  /** Where targets come from that are not kept here; absent: the server. */
  catalogue?: string,
): Repository {
  const trustedRoot = readTrustedRoot(paths);
  const source = digest([config.serverUrl, Buffer.from(trustedRoot).toString("base64")]);
  const baseUrl = new URL(config.serverUrl);
  const traffic = { requests: 0, receivedBytes: 0 };
  const count = (bytes: number): void => {
    traffic.requests += 1;
    traffic.receivedBytes += bytes;
  };
  const folder = join(paths.orchestratorState, "server", source.slice(0, 16));
  const http = httpMetadataSource(baseUrl, count);
  const store = metadataStore(join(folder, "metadata"));
  const bundle = bundledSource({
    ...{ trustedRoot, store, metadata: http, target: httpTargetReader(baseUrl, count) },
    kept: (_path, sha256) => cache.kept(sha256),
  });
  const cache = targetCache(
    join(folder, "targets"),
    catalogue === undefined ? bundle.target : folderTargetReader(catalogue),
  );
  const newest = { ...bundle, metadata: exceptTimestamp(bundle.metadata, http) };
  return { source, trust: { trustedRoot, store, now, source: http }, newest, cache, traffic };
}

const exceptTimestamp = (bundle: MetadataSource, http: MetadataSource): MetadataSource => ({
  fetch: (name, maxBytes) => (name === "timestamp.json" ? http : bundle).fetch(name, maxBytes),
});

function readTrustedRoot(paths: DevicePaths): Uint8Array {
  try {
    return readFileSync(paths.trustedRoot);
  } catch (cause) {
    throw new UpbeatError("UPB-DEVICE-NOT-ENROLLED", { object: paths.trustedRoot, cause });
  }
}

export const digest = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex");
