/**
 * Reads as many manifests as a decision needs, and no more: of each followed product the versions
 * that are newer than the installed one, newest first, until one suits; and what those refer to as
 * prerequisites or children. A product with a hundred thousand old versions costs one manifest.
 *
 * Errors: UPB-TRUST-*, UPB-FETCH-*. A manifest that is verified and cannot be used (UPB-MANIFEST-*)
 * is not offered, and blocks no other update.
 */

import type { KnownUpdate } from "../core/installedHere.ts";
import { type Decision, decideOffers } from "../core/offer.ts";
import { compareVersions } from "../core/versionOrder.ts";
import type { NotOffered } from "../protocol/decisions.ts";
import type { DeviceConfig, Facts } from "../protocol/deviceApi.ts";
import { UpbeatError } from "../protocol/errors/error.ts";
import type { Channel, Product, Version } from "../protocol/ids.ts";
import { formatUpdate } from "../protocol/ids.ts";
import type { ProductIndex, UpdateManifest } from "../protocol/manifest.ts";
import type { TrustedMetadata } from "../protocol/trust/ports.ts";
import type { InstalledProduct, UpdateRecord } from "../protocol/updateServiceApi.ts";
import { readIndex, readListedUpdate, type TargetReader } from "./releases.ts";

/** Unsuitable versions that are looked at before the search is given up, a product. */
const MAX_TRIED = 64;
/** Prerequisites and children that are looked at, in all. */
const MAX_REFERRED = 500;

export interface DeviceNow {
  readonly followed: DeviceConfig["products"];
  readonly facts: Facts;
  readonly products: readonly InstalledProduct[];
  readonly records: readonly UpdateRecord[];
}

export async function gatherAndDecide(
  trusted: TrustedMetadata,
  read: TargetReader,
  device: DeviceNow,
): Promise<Decision> {
  const library = openLibrary(trusted, read, device);
  for (const { product, channel } of device.followed) await library.searchOffer(product, channel);
  const decision = library.decide();
  const isFollowed = (product: Product): boolean =>
    device.followed.some((it) => it.product === product);
  return {
    offers: decision.offers.filter((offer) => isFollowed(offer.update.product)),
    notOffered: [
      ...decision.notOffered.filter((it) => isFollowed(it.product)),
      ...library.unusable(),
    ],
    installs: decision.installs,
  };
}

function openLibrary(trusted: TrustedMetadata, read: TargetReader, device: DeviceNow) {
  const known = new Map<string, KnownUpdate>();
  const unusable = new Map<string, NotOffered>();
  const indexes = new Map<string, ProductIndex | undefined>();

  const indexOf = async (channel: Channel, product: Product) => {
    const key = `${channel}/${product}`;
    if (!indexes.has(key)) indexes.set(key, await readIndex(trusted, read, channel, product));
    return indexes.get(key);
  };

  /** Undefined when it is already known, or cannot be used. */
  const load = async (index: ProductIndex, version: Version): Promise<KnownUpdate | undefined> => {
    const { product } = index;
    const name = formatUpdate({ product, version });
    if (known.has(name) || unusable.has(name)) return undefined;
    try {
      const { manifest, manifestSha256 } = await readListedUpdate(trusted, read, index, version);
      const update = { id: { product, version, manifestSha256 }, manifest };
      known.set(name, update);
      return update;
    } catch (error) {
      const reason = whyUnusable(error);
      if (reason === undefined) throw error;
      unusable.set(name, { product, version, reason: "not-installable", detail: reason });
      return undefined;
    }
  };

  const loadReferred = async (first: KnownUpdate | undefined): Promise<void> => {
    const open = first === undefined ? [] : [first];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const ref of referencesOf(next.manifest)) {
        if (known.size > MAX_REFERRED) return;
        const followed = device.followed.find((it) => it.product === ref.product);
        const index = await indexOf(followed?.channel ?? next.manifest.channel, ref.product);
        const version = ref.version ?? newestFirst(index)[0];
        if (index === undefined || version === undefined || !lists(index, version)) continue;
        const found = await load(index, version);
        if (found === undefined) continue;
        // Software that this machine does not follow is nothing that it could install.
        if (followed === undefined && found.manifest.kind === "software") {
          known.delete(formatUpdate(found.id));
        } else open.push(found);
      }
    }
  };

  const decide = (): Decision => decideOffers({ ...device, updates: [...known.values()] });

  return {
    decide,
    unusable: () => [...unusable.values()],
    async searchOffer(product: Product, channel: Channel): Promise<void> {
      const index = await indexOf(channel, product);
      if (index === undefined) return;
      const here = device.products.find((it) => it.product === product)?.current;
      if (here !== undefined && lists(index, here)) await load(index, here);
      const newer = newestFirst(index).filter(
        (version) => here === undefined || compareVersions(version, here) > 0,
      );
      for (const version of newer.slice(0, MAX_TRIED)) {
        await loadReferred(await load(index, version));
        if (decide().offers.some((offer) => offer.update.product === product)) return;
      }
    },
  };
}

const lists = (index: ProductIndex, version: Version): boolean =>
  index.updates.some((update) => update.version === version);

const newestFirst = (index: ProductIndex | undefined): Version[] =>
  (index?.updates ?? []).map((it) => it.version).toSorted((a, b) => compareVersions(b, a));

const referencesOf = (
  manifest: UpdateManifest,
): { product: Product; version?: Version | undefined }[] => [
  ...manifest.prerequisites.flatMap((group) => group.anyOf),
  ...manifest.children,
];

function whyUnusable(error: unknown): string | undefined {
  // A rule nested beyond the stack: signed, so no attack from outside, and still not usable.
  if (error instanceof RangeError) return "Its manifest is nested too deeply to be read.";
  if (!(error instanceof UpbeatError) || !error.code.startsWith("UPB-MANIFEST-")) return undefined;
  return `Its manifest cannot be used: ${error.message} (${error.code}).`;
}
