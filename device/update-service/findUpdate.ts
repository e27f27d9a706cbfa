/**
 * What the update service believes about an update: its own verification, from its own shipped root,
 * whatever the orchestrator says. From outside come ids only.
 *
 * Errors: UPB-TRUST-*, UPB-MANIFEST-*, UPB-FETCH-*, UPB-INSTALL-NOT-CONFIGURED,
 * UPB-INSTALL-OTHER-UPDATE, UPB-CONFIG-INVALID.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeDurably } from "../../content/durableFile.ts";
import { readUpdate } from "../../content/releases.ts";
import { DeviceConfig } from "../../protocol/deviceApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import {
  type Channel,
  formatUpdate,
  type Product,
  type Sha256,
  type UpdateId,
} from "../../protocol/ids.ts";
import { readManifest, type UpdateManifest } from "../../protocol/manifest.ts";
import { refresh } from "../../protocol/trust/client.ts";
import type { MetadataStore } from "../../protocol/trust/ports.ts";
import type { Downloader } from "./downloaderProcess.ts";

export function readConfig(file: string): DeviceConfig {
  try {
    return DeviceConfig.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (cause) {
    throw new UpbeatError("UPB-CONFIG-INVALID", { object: file, cause });
  }
}

/** The channel is the administrator's choice on this machine, never the caller's. */
export function channelOf(config: DeviceConfig, product: Product): Channel {
  const found = config.products.find((entry) => entry.product === product);
  if (found !== undefined) return found.channel;
  throw new UpbeatError("UPB-INSTALL-NOT-CONFIGURED", { object: product });
}

export async function findUpdate(
  update: UpdateId,
  channel: Channel,
  about: {
    trustedRootFile: string;
    store: MetadataStore;
    downloader: Downloader;
    now: () => number;
  },
): Promise<{ manifest: UpdateManifest; bytes: Uint8Array }> {
  const { store, downloader, now } = about;
  const trusted = await refresh({
    trustedRoot: readRoot(about.trustedRootFile),
    store,
    now,
    source: downloader.metadata,
  });
  const found = await readUpdate(
    trusted,
    downloader.target,
    channel,
    update.product,
    update.version,
  );
  const object = formatUpdate(update);
  if (found === undefined) throw new UpbeatError("UPB-TRUST-NO-SUCH-TARGET", { object });
  if (found.manifestSha256 !== update.manifestSha256) {
    throw new UpbeatError("UPB-INSTALL-OTHER-UPDATE", {
      object,
      detail: `expected ${update.manifestSha256}, signed is ${found.manifestSha256}`,
    });
  }
  return found;
}

function readRoot(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new UpbeatError("UPB-CONFIG-INVALID", { object: file, cause });
  }
}

/**
 * Manifests whose signatures were verified at download. What was verified once may be finished when
 * the metadata has expired since (the server being away must not strand a half-done update); the
 * file's own hash is the update's id, so it needs no signature again.
 */
export interface Manifests {
  keep(sha256: Sha256, bytes: Uint8Array): void;
  /** Undefined: it was never kept, or is damaged. */
  read(sha256: Sha256): UpdateManifest | undefined;
  all(): Sha256[];
  remove(sha256: Sha256): void;
}

export function keptManifests(folder: string): Manifests {
  const fileOf = (sha256: Sha256) => join(folder, `${sha256}.json`);
  return {
    keep(sha256, bytes) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeDurably(fileOf(sha256), bytes, 0o600);
    },
    read(sha256) {
      if (!existsSync(fileOf(sha256))) return undefined;
      const bytes = readFileSync(fileOf(sha256));
      if (createHash("sha256").update(bytes).digest("hex") !== sha256) return undefined;
      return readManifest(bytes, sha256);
    },
    all: () =>
      existsSync(folder)
        ? readdirSync(folder).flatMap((name) =>
            /^[0-9a-f]{64}\.json$/.test(name) ? [name.slice(0, 64) as Sha256] : [],
          )
        : [],
    remove: (sha256) => rmSync(fileOf(sha256), { force: true }),
  };
}
