/**
 * Reads as many manifests as a decision needs, and no more: of each followed product the versions
 * that are newer than the installed one, newest first, until one suits; and what those refer to as
 * prerequisites or children. A product with a hundred thousand old versions costs one manifest. With
 * them the signed policies of the channels, which decide together with the settings.
 *
 * The same on the device and in the server's preview. Errors: UPB-TRUST-*, UPB-FETCH-*. A manifest
 * that is verified and cannot be used (UPB-MANIFEST-*) is not offered, and blocks no other update; of
 * a channel whose policy cannot be used (UPB-POLICY-*) nothing is offered.
 */
import type { KnownUpdate, OfferInput } from "../core/installedHere.ts";
import { type Decision, decideOffers } from "../core/offer.ts";
import type { HeldHere, OfferRules } from "../core/offerContext.ts";
import {
  type CombinedSettings,
  combineSettings,
  type SettingsLayer,
  serverLayers,
} from "../core/settings.ts";
import { compareVersions } from "../core/versionOrder.ts";
import type { NotOffered } from "../protocol/decisions.ts";
import type { DeviceConfig, Facts } from "../protocol/deviceApi.ts";
import { UpbeatError } from "../protocol/errors/error.ts";
import {
  type Channel,
  formatUpdate,
  type Product,
  type Sha256,
  type Version,
} from "../protocol/ids.ts";
import type { ProductIndex, UpdateManifest } from "../protocol/manifest.ts";
import type { OfferPolicy } from "../protocol/offerPolicy.ts";
import type { InstalledProduct, UpdateRecord } from "../protocol/updateServiceApi.ts";
import type { ReleaseSource } from "./releaseSource.ts";

/** Unsuitable versions that are looked at before the search is given up, a product. */
const MAX_TRIED = 64;
/** Prerequisites and children that are looked at, in all. */
const MAX_REFERRED = 500;

/** All that decides on the side of the machine. */
export interface DeviceNow {
  readonly deviceId: string;
  readonly followed: DeviceConfig["products"];
  readonly facts: Facts;
  readonly products: readonly InstalledProduct[];
  readonly records: readonly Pick<UpdateRecord, "manifestSha256" | "state">[];
  /** What the machine's own files and its people say; the signed policies come on top. */
  readonly layers: readonly SettingsLayer[];
  /** What failed here too often to be tried again now. */
  readonly held: readonly (HeldHere & { readonly manifestSha256: Sha256 })[];
}

export interface Gathered {
  /** Everything that was looked at: `explain` and a replay start from it. */
  readonly input: OfferInput & { readonly rules: OfferRules };
  readonly decision: Decision;
  readonly settings: CombinedSettings;
  /** Whether the same machine and repository decide the same at any other time. */
  readonly isTimeless: boolean;
}

/** `asked`: a version that is looked at in any case, for an answer about it. */
export async function gatherAndDecide(
  source: ReleaseSource,
  device: DeviceNow,
  nowMs: number,
  asked?: { readonly product: Product; readonly version?: Version | undefined },
): Promise<Gathered> {
  const policies = await readPolicies(source, device);
  const readable = [...policies.values()].filter((it) => it !== "unreadable");
  const layers = [...device.layers, ...serverLayers(readable, device.facts)];
  const settings = combineSettings(layers, nowMs);
  const heldHere = new Map(device.held.map((it) => [it.manifestSha256, it]));
  const rules: OfferRules = {
    deviceId: device.deviceId,
    nowMs,
    policies,
    settings: settings.settings,
    setBy: settings.setBy,
    heldHere: ({ manifestSha256 }) => heldHere.get(manifestSha256),
  };
  const library = openLibrary(source, device, rules);
  for (const { product, channel } of device.followed) {
    if (product === asked?.product) await library.loadAsked(channel, product, asked.version);
    await library.searchOffer(product, channel);
  }
  const input = library.input();
  const decision = library.decide();
  const isFollowed = (product: Product): boolean =>
    device.followed.some((it) => it.product === product);
  return {
    input,
    decision: {
      offers: decision.offers.filter((offer) => isFollowed(offer.update.product)),
      notOffered: [
        ...decision.notOffered.filter((it) => isFollowed(it.product)),
        ...library.unusable(),
      ],
      installs: decision.installs,
    },
    settings,
    isTimeless: policies.size === 0 && layers.length === 0 && device.held.length === 0,
  };
}

async function readPolicies(
  source: ReleaseSource,
  { followed }: DeviceNow,
): Promise<Map<Channel, OfferPolicy | "unreadable">> {
  const policies = new Map<Channel, OfferPolicy | "unreadable">();
  for (const channel of new Set(followed.map((it) => it.channel))) {
    try {
      const policy = await source.policy(channel);
      if (policy !== undefined) policies.set(channel, policy);
    } catch (error) {
      const isUnusable = error instanceof UpbeatError && error.code.startsWith("UPB-POLICY-");
      // A rule nested beyond the stack is as unusable as one that is malformed.
      if (!isUnusable && !(error instanceof RangeError)) throw error;
      policies.set(channel, "unreadable");
    }
  }
  return policies;
}

function openLibrary(source: ReleaseSource, device: DeviceNow, rules: OfferRules) {
  const known = new Map<string, KnownUpdate>();
  const unusable = new Map<string, NotOffered>();

  /** Undefined when it is already known, or cannot be used. */
  const load = async (index: ProductIndex, version: Version): Promise<KnownUpdate | undefined> => {
    const { product } = index;
    const name = formatUpdate({ product, version });
    if (known.has(name) || unusable.has(name)) return undefined;
    try {
      const update = await source.update(index, version);
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
        const index = await source.index(followed?.channel ?? next.manifest.channel, ref.product);
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

  const input = (): Gathered["input"] => {
    const { facts, products, records } = device;
    return { facts, products, records, updates: [...known.values()], rules };
  };
  const decide = (): Decision => decideOffers(input());

  return {
    input,
    decide,
    unusable: () => [...unusable.values()],
    async loadAsked(channel: Channel, product: Product, version: Version | undefined) {
      const index = await source.index(channel, product);
      if (index === undefined || version === undefined || !lists(index, version)) return;
      await loadReferred(await load(index, version));
    },
    async searchOffer(product: Product, channel: Channel): Promise<void> {
      const index = await source.index(channel, product);
      if (index === undefined) return;
      const here = device.products.find((it) => it.product === product)?.current;
      if (here !== undefined && lists(index, here)) await load(index, here);
      const newer = newestFirst(index).filter(
        (version) => here === undefined || compareVersions(version, here) > 0,
      );
      // What the policy names may lie far below the newest: a floor, a pin.
      const named = newer.slice(MAX_TRIED).filter((it) => namedVersions(rules, product).has(it));
      for (const version of [...newer.slice(0, MAX_TRIED), ...named]) {
        await loadReferred(await load(index, version));
        if (decide().offers.some((offer) => offer.update.product === product)) return;
      }
    },
  };
}

function namedVersions({ policies, settings }: OfferRules, product: Product): Set<string> {
  const named = [...policies.values()].flatMap((policy) =>
    policy === "unreadable" ? [] : [...policy.floors, ...policy.pins, ...policy.rollouts],
  );
  const versions = named.filter((it) => it.product === product).map((it) => it.version);
  const target = Object.hasOwn(settings.targetVersions, product)
    ? settings.targetVersions[product]
    : undefined;
  return new Set(target === undefined ? versions : [...versions, target]);
}

const lists = (index: ProductIndex, version: Version): boolean =>
  index.updates.some((update) => update.version === version);

const newestFirst = (index: ProductIndex | undefined): Version[] =>
  (index?.updates ?? []).map((it) => it.version);

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
