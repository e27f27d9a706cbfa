/**
 * Where a decision gets verified indexes, manifests and policies from: a repository, asked once for
 * each thing. The server keeps one over many devices; a device makes one for each evaluation.
 *
 * Errors: UPB-TRUST-*, UPB-FETCH-*; UPB-MANIFEST-* and UPB-POLICY-* of what is verified and unusable.
 */
import type { KnownUpdate } from "../core/installedHere.ts";
import { compareVersions } from "../core/versionOrder.ts";
import type { Channel, Product, Version } from "../protocol/ids.ts";
import type { ProductIndex } from "../protocol/manifest.ts";
import type { OfferPolicy } from "../protocol/offerPolicy.ts";
import type { TrustedMetadata } from "../protocol/trust/ports.ts";
import { readChannelPolicy } from "./channelPolicy.ts";
import { readIndex, readListedUpdate, type TargetReader } from "./releases.ts";

export interface ReleaseSource {
  /** Its updates newest first. Undefined: the channel has no such product. */
  index(channel: Channel, product: Product): Promise<ProductIndex | undefined>;
  /** One that the index lists. */
  update(index: ProductIndex, version: Version): Promise<KnownUpdate>;
  /** Undefined: the channel has none. */
  policy(channel: Channel): Promise<OfferPolicy | undefined>;
}

const newestFirst = (a: { version: Version }, b: { version: Version }): number =>
  compareVersions(b.version, a.version);

export function releaseSource(trusted: TrustedMetadata, read: TargetReader): ReleaseSource {
  const known = new Map<string, Promise<unknown>>();
  const once = <Found>(key: string, find: () => Promise<Found>): Promise<Found> => {
    const before = known.get(key) as Promise<Found> | undefined;
    const found = before ?? find();
    if (before === undefined) known.set(key, found);
    return found;
  };
  return {
    index: (channel, product) =>
      once(`index ${channel}/${product}`, async () => {
        const found = await readIndex(trusted, read, channel, product);
        return found && { ...found, updates: found.updates.toSorted(newestFirst) };
      }),
    update: (index, version) =>
      once(`update ${index.channel}/${index.product}/${version}`, async () => {
        const found = await readListedUpdate(trusted, read, index, version);
        const { manifest, manifestSha256 } = found;
        return { id: { product: index.product, version, manifestSha256 }, manifest };
      }),
    policy: (channel) =>
      once(
        `policy ${channel}`,
        async () => (await readChannelPolicy(trusted, read, channel))?.policy,
      ),
  };
}
