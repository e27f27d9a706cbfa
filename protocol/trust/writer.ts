/**
 * Makes the next signed metadata from the current: pure, the caller brings what is there, the keys
 * and the clock, and sends what comes back to the server, which checks it as a device would.
 *
 * Every version is exactly one higher than the last. Errors: UPB-PUBLISH-EXISTS,
 * UPB-PUBLISH-UNWRITABLE, UPB-PUBLISH-NOT-LOADED.
 */
import type { RepositoryUpdate, SignerKeys } from "../adminApi.ts";
import type { PackedDocument } from "../delivery.ts";
import { UpbeatError } from "../errors/error.ts";
import {
  type Channel,
  formatUpdate,
  indexPath,
  manifestPath,
  type Product,
  policyPath,
  Sha256,
  type UpdateId,
  type Version,
} from "../ids.ts";
import type { ProductIndex, UpdateManifest } from "../manifest.ts";
import type { OfferPolicy } from "../offerPolicy.ts";
import { allBins } from "./bins.ts";
import { type CurrentRole, readRole, ruleOfChannel, versionOf } from "./currentRoles.ts";
import {
  binDelegations,
  channelDelegations,
  metaOf,
  type RoleRule,
  requireKeys,
  rootDocument,
  targetsDocument,
} from "./documents.ts";
import { placeTargets } from "./placement.ts";
import { type SigningKey, signMetadata } from "./sign.ts";
import { stableJson } from "./stableJson.ts";

export type { CurrentRole } from "./currentRoles.ts";

export interface FirstKeys {
  readonly root: readonly SigningKey[];
  readonly rootThreshold: number;
  readonly targets: readonly SigningKey[];
  readonly targetsThreshold: number;
  readonly channels: Readonly<Record<string, readonly SigningKey[]>>;
  /** The signer's keys; only their public halves are ever outside of it. */
  readonly online: SignerKeys;
  readonly nowMs: number;
}

export function firstRepository(first: FirstKeys): RepositoryUpdate {
  const { nowMs, channels } = first;
  const rules = Object.fromEntries(
    Object.entries(channels).map(([name, keys]) => [name, ruleOf(keys, 1)]),
  );
  const root = rootDocument(1, nowMs, {
    root: ruleOf(first.root, first.rootThreshold),
    targets: ruleOf(first.targets, first.targetsThreshold),
    snapshot: { keys: [first.online.snapshot], threshold: 1 },
    timestamp: { keys: [first.online.timestamp], threshold: 1 },
  });
  const targets = targetsDocument(1, nowMs, {}, channelDelegations(rules));
  const roles = new Map([["targets", signMetadata(targets, first.targets)]]);
  for (const [name, keys] of Object.entries(channels))
    roles.set(name, signMetadata(targetsDocument(1, nowMs, {}), keys));
  return { ...repositoryUpdate(roles, new Map()), root: base64(signMetadata(root, first.root)) };
}

interface ChannelInput {
  readonly current: CurrentRole;
  /** At least as many of the channel's keys as its threshold asks for. */
  readonly channelKeys: readonly SigningKey[];
  readonly nowMs: number;
}

/** An update that is there already, byte for byte, changes nothing: `roles` is empty. */
export function addUpdate(
  input: ChannelInput & {
    index: ProductIndex | undefined;
    manifest: UpdateManifest;
    delivery?: PackedDocument;
  },
): RepositoryUpdate & { updateId: UpdateId } {
  const { index, manifest, delivery } = input;
  const { updateIds, ...update } = addUpdates({
    ...input,
    deliveryOf: () => delivery,
    channel: manifest.channel,
    indexes: index === undefined ? [] : [index],
    manifests: [manifest],
  });
  const [updateId] = updateIds;
  if (updateId === undefined)
    throw new UpbeatError("UPB-PUBLISH-UNWRITABLE", { object: formatUpdate(manifest) });
  return { ...update, updateId };
}

/** Many at once, with one new version of each role. `indexes`: the current ones of these products. */
export function addUpdates(
  input: ChannelInput & {
    channel: Channel;
    indexes: readonly ProductIndex[];
    manifests: readonly UpdateManifest[];
    deliveryOf?: (manifest: UpdateManifest) => PackedDocument | undefined;
  },
): RepositoryUpdate & { updateIds: UpdateId[] } {
  const { channel } = input;
  type Entry = ProductIndex["updates"][number];
  const products = new Map<Product, Map<Version, Entry>>();
  for (const { product, updates } of input.indexes)
    products.set(product, new Map(updates.map((entry) => [entry.version, entry])));
  const files = new Map<string, Uint8Array>();
  const changed = new Set<Product>();
  const updateIds: UpdateId[] = [];
  for (const manifest of input.manifests) {
    const { product, version, publishedAt } = manifest;
    const bytes = stableJson(manifest);
    const meta = metaOf(bytes);
    const manifestSha256 = Sha256.parse(meta.hashes.sha256);
    const versions = products.get(product) ?? new Map<Version, Entry>();
    products.set(product, versions);
    updateIds.push({ product, version, manifestSha256 });
    const before = versions.get(version);
    if (before?.manifestSha256 === manifestSha256) continue;
    if (before !== undefined || manifest.channel !== channel) {
      const object = `${formatUpdate(manifest)} in ${channel}`;
      throw new UpbeatError(before ? "UPB-PUBLISH-EXISTS" : "UPB-PUBLISH-UNWRITABLE", { object });
    }
    const delivery = input.deliveryOf?.(manifest);
    versions.set(version, {
      version,
      manifestSha256,
      manifestSizeBytes: meta.length,
      publishedAt,
      ...(delivery && { delivery }),
    });
    changed.add(product);
    files.set(manifestPath(channel, product, version), bytes);
  }
  for (const product of changed) {
    const updates = [...(products.get(product)?.values() ?? [])];
    const index: ProductIndex = { schema: "upbeat.index/1", product, channel, updates };
    files.set(indexPath(channel, product), stableJson(index));
  }
  if (files.size === 0) return { ...repositoryUpdate(new Map(), files), updateIds };
  return { ...changeTargets(input, channel, files, []), updateIds };
}

/** Other ways to the same bytes: the update stays what it is. `index` lists it. */
export function changeDelivery(
  input: ChannelInput & { index: ProductIndex; version: Version; delivery: PackedDocument },
): RepositoryUpdate {
  const { index, version, delivery } = input;
  const updates = index.updates.map((one) =>
    one.version === version ? { ...one, delivery } : one,
  );
  const path = indexPath(index.channel, index.product);
  const files = new Map([[path, stableJson({ ...index, updates })]]);
  return changeTargets(input, index.channel, files, []);
}

/** The manifest and its entry in the index go; the content stays for those who have it planned. */
export function retireUpdate(
  input: ChannelInput & {
    index: ProductIndex;
    product: Product;
    version: Version;
    channel: Channel;
  },
): RepositoryUpdate {
  const { channel, product, version } = input;
  const updates = input.index.updates.filter((one) => one.version !== version);
  const files = new Map([[indexPath(channel, product), stableJson({ ...input.index, updates })]]);
  return changeTargets(input, channel, files, [manifestPath(channel, product, version)]);
}

/** The next offer policy of its channel, in the place of the one before. */
export function writePolicy(input: ChannelInput & { policy: OfferPolicy }): RepositoryUpdate {
  const { policy } = input;
  const files = new Map([[policyPath(policy.channel), stableJson(policy)]]);
  return changeTargets(input, policy.channel, files, []);
}

/** New expiry, same content. A channel with bins needs all of them among `roles`. */
export function renewRoles(input: {
  current: CurrentRole;
  roles: ReadonlyMap<string, readonly SigningKey[]>;
  nowMs: number;
}): RepositoryUpdate {
  const renewed = new Map<string, Uint8Array>();
  for (const [role, keys] of input.roles) {
    const { version, targets, delegations } = readRole(input.current, role);
    const next = targetsDocument(version + 1, input.nowMs, targets, delegations);
    renewed.set(role, signMetadata(next, keys));
  }
  return repositoryUpdate(renewed, new Map());
}

/**
 * The next root. `roles` says for each role who may sign from now on; signed by the old root keys
 * and the new ones, because a device asks for a threshold of both (TUF specification 5.3.4).
 */
export function rotateRoot(input: {
  current: CurrentRole;
  roles: Readonly<Record<"root" | "targets" | "snapshot" | "timestamp", RoleRule>>;
  signWith: readonly SigningKey[];
  nowMs: number;
}): RepositoryUpdate {
  const version = versionOf(input.current, "root") + 1;
  const root = signMetadata(rootDocument(version, input.nowMs, input.roles), input.signWith);
  return { ...repositoryUpdate(new Map(), new Map()), root: base64(root) };
}

/**
 * New keys for channels: the top-level targets say who signs, so they are signed anew, and each
 * channel whose keys change is signed again by its new keys, with all of its bins.
 */
export function rotateChannels(input: {
  current: CurrentRole;
  channels: Readonly<Record<string, RoleRule>>;
  targetsKeys: readonly SigningKey[];
  resign: ReadonlyMap<string, readonly SigningKey[]>;
  nowMs: number;
}): RepositoryUpdate {
  const { current, nowMs } = input;
  const { version, targets } = readRole(current, "targets");
  const delegations = channelDelegations(input.channels);
  const top = targetsDocument(version + 1, nowMs, targets, delegations);
  const roles = new Map([["targets", signMetadata(top, input.targetsKeys)]]);
  for (const [channel, keys] of input.resign) {
    const isBinned = readRole(current, channel).delegations !== undefined;
    const rule = input.channels[channel] ?? ruleOf(keys, 1);
    for (const role of isBinned ? [channel, ...allBins(channel)] : [channel]) {
      const before = readRole(current, role);
      const below = isBinned && role === channel ? binDelegations(channel, rule) : undefined;
      const next = targetsDocument(before.version + 1, nowMs, before.targets, below);
      roles.set(role, signMetadata(next, keys));
    }
  }
  return repositoryUpdate(roles, new Map());
}

function changeTargets(
  { current, channelKeys, nowMs }: ChannelInput,
  channel: Channel,
  files: ReadonlyMap<string, Uint8Array>,
  removed: readonly string[],
): RepositoryUpdate {
  const rule = ruleOfChannel(current, channel);
  requireKeys(
    rule,
    channelKeys.map((key) => key.publicHex),
    channel,
  );
  const added = new Map([...files].map(([path, bytes]) => [path, metaOf(bytes)]));
  const next = placeTargets({ current, channel, rule, added, removed });
  const signed = [...next].map(([role, { version, targets, delegations }]) => {
    const document = targetsDocument(version, nowMs, targets, delegations);
    return [role, signMetadata(document, channelKeys)] as const;
  });
  return repositoryUpdate(new Map(signed), files);
}

const ruleOf = (keys: readonly SigningKey[], threshold: number): RoleRule => ({
  keys: keys.map((key) => key.publicHex),
  threshold,
});

const repositoryUpdate = (
  roles: ReadonlyMap<string, Uint8Array>,
  files: ReadonlyMap<string, Uint8Array>,
): RepositoryUpdate => ({
  roles: Object.fromEntries([...roles].map(([role, bytes]) => [role, base64(bytes)])),
  targets: [...files].map(([path, bytes]) => ({ path, bytes: base64(bytes) })),
});

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
