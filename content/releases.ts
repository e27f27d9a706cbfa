/**
 * Reads the index of a product and the manifest of an update, and believes them only when a chain of
 * signatures vouches for their bytes.
 *
 * Errors: UPB-TRUST-* (of the search, -HASH, -LENGTH, -NO-SUCH-TARGET, -WRONG-SOFTWARE),
 * UPB-MANIFEST-*, and those of the reader.
 */
import { UpbeatError } from "../protocol/errors/error.ts";
import {
  type Channel,
  indexPath,
  manifestPath,
  type Product,
  type Sha256,
  type Version,
} from "../protocol/ids.ts";
import {
  INDEX_MAX_BYTES,
  MANIFEST_MAX_BYTES,
  ProductIndex,
  readManifest,
  type UpdateManifest,
} from "../protocol/manifest.ts";
import type { TrustedMetadata, VerifiedTarget } from "../protocol/trust/ports.ts";
import { requireHashes, requireLength } from "../protocol/trust/verify.ts";

/** The raw bytes of a target, wherever they come from; they may lie. */
export type TargetReader = (path: string, sha256: string, maxBytes: number) => Promise<Uint8Array>;

export interface VerifiedUpdate {
  readonly manifest: UpdateManifest;
  readonly manifestSha256: Sha256;
  /** Exactly as signed. */
  readonly bytes: Uint8Array;
}

/** Undefined: the channel has no such product. */
export async function readIndex(
  trusted: TrustedMetadata,
  read: TargetReader,
  channel: Channel,
  product: Product,
): Promise<ProductIndex | undefined> {
  const path = indexPath(channel, product);
  const target = await trusted.findTarget(path);
  if (target === undefined) return undefined;
  const index = parseIndex(await readTarget(target, read, INDEX_MAX_BYTES), path);
  requireSame(path, { channel, product }, index);
  return index;
}

/** Undefined: no role vouches for that update, e.g. because it was retired. */
export async function readUpdate(
  trusted: TrustedMetadata,
  read: TargetReader,
  channel: Channel,
  product: Product,
  version: Version,
): Promise<VerifiedUpdate | undefined> {
  const path = manifestPath(channel, product, version);
  const target = await trusted.findTarget(path);
  if (target === undefined) return undefined;
  const bytes = await readTarget(target, read, MANIFEST_MAX_BYTES);
  const manifest = readManifest(bytes, path);
  requireSame(path, { channel, product, version }, manifest);
  return { manifest, manifestSha256: target.sha256, bytes };
}

/** An update that the index lists must exist, with the very manifest that the index names. */
export async function readListedUpdate(
  trusted: TrustedMetadata,
  read: TargetReader,
  index: ProductIndex,
  version: Version,
): Promise<VerifiedUpdate> {
  const object = manifestPath(index.channel, index.product, version);
  const listed = index.updates.find((update) => update.version === version);
  const found = await readUpdate(trusted, read, index.channel, index.product, version);
  if (listed === undefined || found === undefined) {
    throw new UpbeatError("UPB-TRUST-NO-SUCH-TARGET", { object });
  }
  if (found.manifestSha256 === listed.manifestSha256) return found;
  const detail = `expected ${listed.manifestSha256}, found ${found.manifestSha256}`;
  throw new UpbeatError("UPB-TRUST-WRONG-SOFTWARE", { object, detail });
}

/** `maxBytes`: more is refused, whatever is signed. */
export async function readTarget(
  target: VerifiedTarget,
  read: TargetReader,
  maxBytes: number,
): Promise<Uint8Array> {
  const { path, sha256, sizeBytes } = target;
  if (sizeBytes > maxBytes) {
    const detail = `expected at most ${maxBytes} bytes, signed are ${sizeBytes}`;
    throw new UpbeatError("UPB-TRUST-LENGTH", { object: path, detail });
  }
  const bytes = await read(path, sha256, sizeBytes);
  requireLength(sizeBytes, bytes, path);
  requireHashes({ sha256 }, bytes, path);
  return bytes;
}

function parseIndex(bytes: Uint8Array, object: string): ProductIndex {
  try {
    return ProductIndex.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new UpbeatError("UPB-MANIFEST-INVALID", { object, detail: "it is no index", cause });
  }
}

type Identity = Readonly<Record<string, string>>;

/** The right signature under the wrong name is still the wrong software. */
function requireSame(object: string, asked: Identity, found: { [Key in string]: unknown }): void {
  for (const [name, value] of Object.entries(asked)) {
    if (found[name] === value) continue;
    const detail = `expected the ${name} ${value}, found ${String(found[name])}`;
    throw new UpbeatError("UPB-TRUST-WRONG-SOFTWARE", { object, detail });
  }
}
