/**
 * What the update service believes about an update: its own verification, from its own shipped root,
 * whatever the orchestrator says. From outside come ids only.
 *
 * Errors: UPB-TRUST-*, UPB-MANIFEST-*, UPB-FETCH-*, UPB-INSTALL-NOT-CONFIGURED,
 * UPB-INSTALL-OTHER-UPDATE, UPB-CONFIG-INVALID.
 */
import { readFileSync } from "node:fs";
import { type BundledSource, firstFromBundle } from "../../content/bundle/bundledSource.ts";
import { readIndex, readUpdate } from "../../content/releases.ts";
import { DeviceConfig } from "../../protocol/deviceApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import {
  type Channel,
  formatUpdate,
  manifestPath,
  type Product,
  type Sha256,
  type UpdateId,
} from "../../protocol/ids.ts";
import type { ProductIndex, UpdateManifest } from "../../protocol/manifest.ts";
import { openCached, refresh } from "../../protocol/trust/client.ts";
import type { MetadataStore, VerifiedTarget } from "../../protocol/trust/ports.ts";
import type { KeptIndexes } from "./keptIndexes.ts";

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

export interface FoundUpdate {
  readonly manifest: UpdateManifest;
  /** Of the manifest, as signed. */
  readonly bytes: Uint8Array;
  /** Of the product in this channel: it names how the bytes of each version can be had. */
  readonly index: ProductIndex | undefined;
}

export async function findUpdate(
  update: UpdateId,
  channel: Channel,
  about: {
    trustedRoot: Uint8Array;
    store: MetadataStore;
    source: BundledSource;
    indexes: KeptIndexes;
    now: () => number;
  },
): Promise<FoundUpdate> {
  return firstFromBundle(about.source, async ({ metadata, target }) => {
    const trusted = await refresh({ ...about, source: metadata });
    const found = await readUpdate(trusted, target, channel, update.product, update.version);
    if (found === undefined)
      throw new UpbeatError("UPB-TRUST-NO-SUCH-TARGET", { object: formatUpdate(update) });
    if (found.manifestSha256 !== update.manifestSha256)
      throw otherUpdate(update, found.manifestSha256);
    const readKept = about.indexes.through(target);
    const index = await readIndex(trusted, readKept, channel, update.product);
    return { ...found, index };
  });
}

/**
 * Whether the metadata that is kept still vouches for an update that was verified at download.
 * `expired`: it cannot be asked any more (its time is over, or a newer set was begun and not
 * finished); what was verified then may be finished, because the server being away must not strand
 * a device.
 * Errors: UPB-TRUST-NO-SUCH-TARGET (retired since), UPB-INSTALL-OTHER-UPDATE, UPB-TRUST-*.
 */
export async function stillSigned(
  update: UpdateId,
  channel: Channel,
  about: { trustedRootFile: string; store: MetadataStore; now: () => number },
): Promise<"signed" | "expired"> {
  const object = formatUpdate(update);
  const path = manifestPath(channel, update.product, update.version);
  let target: VerifiedTarget | undefined;
  try {
    const trustedRoot = readRoot(about.trustedRootFile);
    const trusted = await openCached({ trustedRoot, store: about.store, now: about.now });
    if (trusted === undefined) return "expired";
    target = await trusted.findTarget(path);
  } catch (error) {
    if (error instanceof UpbeatError && CANNOT_SAY.has(error.code)) return "expired";
    throw error;
  }
  if (target === undefined) throw new UpbeatError("UPB-TRUST-NO-SUCH-TARGET", { object });
  if (target.sha256 === update.manifestSha256) return "signed";
  throw otherUpdate(update, target.sha256);
}

const CANNOT_SAY: ReadonlySet<string> = new Set(["UPB-TRUST-EXPIRED", "UPB-TRUST-MISSING"]);

const otherUpdate = (update: UpdateId, signed: Sha256): UpbeatError =>
  new UpbeatError("UPB-INSTALL-OTHER-UPDATE", {
    object: formatUpdate(update),
    detail: `expected ${update.manifestSha256}, signed is ${signed}`,
  });

/** Errors: UPB-CONFIG-INVALID. */
export function readRoot(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new UpbeatError("UPB-CONFIG-INVALID", { object: file, cause });
  }
}
