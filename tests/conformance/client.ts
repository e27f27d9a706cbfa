/**
 * Speaks the command contract of the public suite theupdateframework/tuf-conformance (CLIENT-CLI.md)
 * over the code that devices run: the client core, the store and the fetching are the real ones.
 *
 *   client.ts --metadata-dir DIR init TRUSTED_ROOT
 *   client.ts --metadata-dir DIR --metadata-url URL refresh
 *   client.ts --metadata-dir DIR --metadata-url URL (--target-name NAME)+ --target-dir DIR
 *             --target-base-url URL download
 *
 * Exit code 0 or 1, nothing else: the suite knows no other.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { boundedFetch } from "../../content/boundedFetch.ts";
import { writeDurably } from "../../content/durableFile.ts";
import { targetFileName } from "../../content/metadataSource.ts";
import { metadataStore } from "../../content/metadataStore.ts";
import { refresh } from "../../protocol/trust/client.ts";
import type { MetadataSource } from "../../protocol/trust/ports.ts";
import type { TargetFile } from "../../protocol/trust/schema.ts";
import type { TufSet } from "../../protocol/trust/search.ts";
import { requireHashes, requireLength } from "../../protocol/trust/verify.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "metadata-dir": { type: "string" },
    "metadata-url": { type: "string" },
    "target-name": { type: "string", multiple: true },
    "target-dir": { type: "string" },
    "target-base-url": { type: "string" },
  },
});
type Option = "metadata-dir" | "metadata-url" | "target-dir" | "target-base-url";

try {
  await run(positionals[0]);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}

async function run(command: string | undefined): Promise<void> {
  if (command === "init") init(positionals[1] ?? "");
  else if (command === "refresh") await refreshed();
  else if (command === "download") await download();
  else throw new Error(`unknown command ${command}`);
}

/** Not `*.json`: the suite reads every such file there as metadata that is trusted now. */
function shippedRoot(): string {
  return join(required("metadata-dir"), "shipped.root");
}

function init(trustedRoot: string): void {
  const bytes = readFileSync(trustedRoot);
  writeDurably(shippedRoot(), bytes, 0o444);
  metadataStore(required("metadata-dir")).write("root", bytes);
}

function refreshed(): Promise<TufSet> {
  return refresh({
    trustedRoot: readFileSync(shippedRoot()),
    store: metadataStore(required("metadata-dir")),
    source: directSource(new URL(required("metadata-url"))),
    now: Date.now,
  });
}

/** The suite names the metadata folder itself, a device names the server. */
function directSource(metadataUrl: URL): MetadataSource {
  return {
    fetch: async (name, maxBytes) => {
      const answer = await boundedFetch(new URL(name, metadataUrl), { maxBytes });
      return answer.status === 404 ? undefined : answer.bytes;
    },
  };
}

async function download(): Promise<void> {
  const set = await refreshed();
  for (const path of values["target-name"] ?? []) {
    const found = await set.findFile(path);
    if (found === undefined) throw new Error(`no role vouches for ${path}`);
    await downloadTarget(set, path, found.file);
  }
}

async function downloadTarget(set: TufSet, path: string, file: TargetFile): Promise<void> {
  const local = join(required("target-dir"), encodeURIComponent(path));
  if (isSigned(readIfThere(local), file)) return;
  const { sha256, sha512 } = file.hashes;
  const name = set.consistentSnapshot
    ? targetFileName(path, sha256 ?? sha512 ?? "")
    : path.split("/").map(encodeURIComponent).join("/");
  const { bytes, status } = await boundedFetch(new URL(name, required("target-base-url")), {
    maxBytes: file.sizeBytes,
  });
  if (status !== 200) throw new Error(`status ${status} for ${name}`);
  requireLength(file.sizeBytes, bytes, path);
  requireHashes(file.hashes, bytes, path);
  writeDurably(local, bytes, 0o644);
}

function isSigned(bytes: Uint8Array | undefined, file: TargetFile): boolean {
  if (bytes === undefined) return false;
  try {
    requireHashes(file.hashes, bytes, "");
    return true;
  } catch {
    return false; // Another version lies there: it is fetched again.
  }
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined; // Not downloaded yet.
  }
}

function required(name: Option): string {
  const value = values[name];
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value;
}
