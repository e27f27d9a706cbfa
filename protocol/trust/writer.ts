/**
 * Makes the next signed metadata from the current: pure, the caller brings what is there, the keys
 * and the clock, and sends what comes back to the server, which checks it as a device would.
 *
 * Every version is exactly one higher than the last. Errors: UPB-PUBLISH-EXISTS,
 * UPB-PUBLISH-UNWRITABLE, UPB-PUBLISH-NOT-LOADED.
 */
import { z } from "zod";
import type { RepositoryUpdate, SignerKeys } from "../adminApi.ts";
import { UpbeatError } from "../errors/error.ts";
import {
  type Channel,
  formatUpdate,
  indexPath,
  manifestPath,
  type Product,
  Sha256,
  type UpdateId,
  type Version,
} from "../ids.ts";
import type { ProductIndex, UpdateManifest } from "../manifest.ts";
import { allBins, binOf, FLAT_TARGETS } from "./bins.ts";
import {
  binDelegations,
  channelDelegations,
  metaOf,
  type RoleRule,
  requireWritablePath,
  rootDocument,
  type TargetMeta,
  targetsDocument,
} from "./documents.ts";
import { type SigningKey, signMetadata } from "./sign.ts";
import { stableJson } from "./stableJson.ts";

/** The newest signed metadata of a role, already verified; undefined: there is none. */
export type CurrentRole = (role: string) => Uint8Array | undefined;

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

export interface Addition {
  readonly manifest: UpdateManifest;
}

export interface ChannelInput {
  readonly current: CurrentRole;
  readonly channelKeys: readonly SigningKey[];
  readonly nowMs: number;
}

export function addUpdate(
  input: ChannelInput & { index: ProductIndex | undefined; manifest: UpdateManifest },
): RepositoryUpdate & { updateId: UpdateId } {
  const { index, manifest } = input;
  const indexes = index === undefined ? [] : [index];
  const { updateIds, ...update } = addUpdates({
    ...input,
    channel: manifest.channel,
    indexes,
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
  },
): RepositoryUpdate & { updateIds: UpdateId[] } {
  const { channel } = input;
  const indexes = new Map(input.indexes.map((index) => [index.product, index]));
  const files = new Map<string, Uint8Array>();
  const updateIds: UpdateId[] = [];
  for (const manifest of input.manifests) {
    const bytes = stableJson(manifest);
    const { product, version, publishedAt } = manifest;
    const meta = metaOf(bytes);
    const manifestSha256 = Sha256.parse(meta.hashes.sha256);
    const index = indexes.get(product) ?? {
      schema: "upbeat.index/1" as const,
      product,
      channel,
      updates: [],
    };
    if (index.updates.some((one) => one.version === version)) {
      throw new UpbeatError("UPB-PUBLISH-EXISTS", {
        object: `${formatUpdate(manifest)} in ${channel}`,
      });
    }
    const entry = { version, manifestSha256, manifestSizeBytes: meta.length, publishedAt };
    indexes.set(product, { ...index, updates: [...index.updates, entry] });
    files.set(manifestPath(channel, product, version), bytes);
    updateIds.push({ product, version, manifestSha256 });
  }
  for (const product of new Set(input.manifests.map((manifest) => manifest.product))) {
    const index = indexes.get(product);
    if (index !== undefined) files.set(indexPath(channel, product), stableJson(index));
  }
  return { ...changeTargets(input, channel, files, []), updateIds };
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
  const index: ProductIndex = {
    ...input.index,
    updates: input.index.updates.filter((one) => one.version !== version),
  };
  const files = new Map([[indexPath(channel, product), stableJson(index)]]);
  return changeTargets(input, channel, files, [manifestPath(channel, product, version)]);
}

/** New expiry, same content. `bins`: the channel's bins that are in use. */
export function renewRoles(input: {
  current: CurrentRole;
  roles: ReadonlyMap<string, readonly SigningKey[]>;
  nowMs: number;
}): RepositoryUpdate {
  const renewed = new Map<string, Uint8Array>();
  for (const [role, keys] of input.roles) {
    const { version, targets, delegations } = readRole(input.current, role);
    renewed.set(
      role,
      signMetadata(targetsDocument(version + 1, input.nowMs, targets, delegations), keys),
    );
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
  const { version } = Versioned.parse(readSigned(input.current, "root"));
  const root = signMetadata(rootDocument(version + 1, input.nowMs, input.roles), input.signWith);
  return { ...repositoryUpdate(new Map(), new Map()), root: base64(root) };
}

/**
 * New keys for channels: the top-level targets say who signs, so they are signed anew, and each
 * channel whose keys change is signed again by its new keys.
 */
export function rotateChannels(input: {
  current: CurrentRole;
  channels: Readonly<Record<string, RoleRule>>;
  targetsKeys: readonly SigningKey[];
  resign: ReadonlyMap<string, readonly SigningKey[]>;
  nowMs: number;
}): RepositoryUpdate {
  const { version, targets } = readRole(input.current, "targets");
  const next = targetsDocument(
    version + 1,
    input.nowMs,
    targets,
    channelDelegations(input.channels),
  );
  const roles = new Map([["targets", signMetadata(next, input.targetsKeys)]]);
  for (const [channel, keys] of input.resign) {
    const role = readRole(input.current, channel);
    const isBinned = role.delegations !== undefined;
    const rule = input.channels[channel] ?? ruleOf(keys, 1);
    const delegations = isBinned ? binDelegations(channel, rule) : undefined;
    roles.set(
      channel,
      signMetadata(targetsDocument(role.version + 1, input.nowMs, role.targets, delegations), keys),
    );
    if (!isBinned) continue;
    for (const bin of allBins(channel)) {
      const found = readRole(input.current, bin);
      roles.set(
        bin,
        signMetadata(targetsDocument(found.version + 1, input.nowMs, found.targets), keys),
      );
    }
  }
  return repositoryUpdate(roles, new Map());
}

function changeTargets(
  input: ChannelInput,
  channel: Channel,
  files: ReadonlyMap<string, Uint8Array>,
  removed: readonly string[],
): RepositoryUpdate {
  for (const path of files.keys()) requireWritablePath(path);
  const metas = new Map([...files].map(([path, bytes]) => [path, metaOf(bytes)]));
  const role = readRole(input.current, channel);
  const isBinned = role.delegations !== undefined;
  const sign = (version: number, targets: Record<string, TargetMeta>) =>
    signMetadata(targetsDocument(version, input.nowMs, targets), input.channelKeys);
  if (!isBinned) {
    const targets = edited(role.targets, metas, removed);
    const updates = Object.keys(targets).filter((path) => path.endsWith(".json")).length;
    if (updates <= FLAT_TARGETS) {
      return repositoryUpdate(new Map([[channel, sign(role.version + 1, targets)]]), files);
    }
    const bins = new Map(
      allBins(channel).map((bin): [string, Record<string, TargetMeta>] => [bin, {}]),
    );
    for (const [path, meta] of Object.entries(targets)) {
      const bin = bins.get(binOf(channel, path));
      if (bin !== undefined) bin[path] = meta;
    }
    const rule = ruleOf(input.channelKeys, 1);
    const parent = targetsDocument(
      role.version + 1,
      input.nowMs,
      {},
      binDelegations(channel, rule),
    );
    const roles = new Map([[channel as string, signMetadata(parent, input.channelKeys)]]);
    for (const [bin, content] of bins) roles.set(bin, sign(1, content));
    return repositoryUpdate(roles, files);
  }
  const touched = new Map<string, { metas: Map<string, TargetMeta>; removed: string[] }>();
  const at = (path: string) => {
    const bin = binOf(channel, path);
    const found = touched.get(bin) ?? { metas: new Map<string, TargetMeta>(), removed: [] };
    touched.set(bin, found);
    return found;
  };
  for (const [path, meta] of metas) at(path).metas.set(path, meta);
  for (const path of removed) at(path).removed.push(path);
  const roles = new Map<string, Uint8Array>();
  for (const [bin, change] of touched) {
    const found = readRole(input.current, bin);
    roles.set(bin, sign(found.version + 1, edited(found.targets, change.metas, change.removed)));
  }
  return repositoryUpdate(roles, files);
}

function edited(
  targets: Readonly<Record<string, TargetMeta>>,
  added: ReadonlyMap<string, TargetMeta>,
  removed: readonly string[],
): Record<string, TargetMeta> {
  const kept = Object.entries(targets).filter(([path]) => !removed.includes(path));
  return Object.fromEntries([...kept, ...added]);
}

const ruleOf = (keys: readonly SigningKey[], threshold: number): RoleRule => ({
  keys: keys.map((key) => key.publicHex),
  threshold,
});

const Versioned = z.object({ version: z.int().positive() });
const KeyObject = z.object({
  keytype: z.literal("ed25519"),
  scheme: z.literal("ed25519"),
  keyval: z.object({ public: z.string() }),
});
const RoleDocument = Versioned.extend({
  targets: z.record(
    z.string(),
    z.object({ length: z.int(), hashes: z.object({ sha256: z.string() }) }),
  ),
  /** Passed on as they are. */
  delegations: z.looseObject({ keys: z.record(z.string(), KeyObject) }).optional(),
});

const readRole = (current: CurrentRole, role: string) =>
  RoleDocument.parse(readSigned(current, role));

function readSigned(current: CurrentRole, role: string): unknown {
  const bytes = current(role);
  if (bytes === undefined) throw new UpbeatError("UPB-PUBLISH-NOT-LOADED", { object: role });
  return z.object({ signed: z.unknown() }).parse(JSON.parse(new TextDecoder().decode(bytes)))
    .signed;
}

const repositoryUpdate = (
  roles: ReadonlyMap<string, Uint8Array>,
  files: ReadonlyMap<string, Uint8Array>,
): RepositoryUpdate => ({
  roles: Object.fromEntries([...roles].map(([role, bytes]) => [role, base64(bytes)])),
  targets: [...files].map(([path, bytes]) => ({ path, bytes: base64(bytes) })),
});

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
