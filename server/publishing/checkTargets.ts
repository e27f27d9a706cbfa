/**
 * The second part of the publish gate: is everything that the new metadata names really here, and do
 * manifests, indexes and metadata say the same? Their content is the third: `checkStored.ts`.
 *
 * Errors: UPB-PUBLISH-INCOMPLETE, -INCONSISTENT, -EXISTS, UPB-MANIFEST-*, UPB-TRUST-HASH, UPB-TRUST-LENGTH.
 */
import { isDeepStrictEqual } from "node:util";
import { targetFileName } from "../../content/metadataSource.ts";
import type { RepositoryUpdate } from "../../protocol/adminApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import {
  Channel,
  formatUpdate,
  indexPath,
  manifestPath,
  Product,
  policyPath,
  Sha256,
} from "../../protocol/ids.ts";
import {
  INDEX_MAX_BYTES,
  MANIFEST_MAX_BYTES,
  ProductIndex,
  readManifest,
  type UpdateManifest,
} from "../../protocol/manifest.ts";
import type { TargetFile, Targets } from "../../protocol/trust/schema.ts";
import { requireHashes, requireLength } from "../../protocol/trust/verify.ts";
import type { FileSet, RepositoryFiles } from "../repositoryFiles.ts";
import { inconsistent, type NextSet, targetsAt } from "./checkMetadata.ts";
import { checkPolicy } from "./checkPolicy.ts";
import type { ListedUpdate, NewlyStored } from "./checkStored.ts";
import { type CurrentSet, readTargets } from "./currentSet.ts";

export interface TargetChange {
  readonly files: FileSet;
  readonly published: readonly { readonly manifest: UpdateManifest; readonly sha256: Sha256 }[];
  /** Manifests that no role names any more. */
  readonly retired: readonly Sha256[];
  /** Paths whose bytes are new. */
  readonly paths: readonly string[];
  /** Updates that are new, or whose delivery is: for `checkStored`. */
  readonly stored: readonly NewlyStored[];
}

interface Named {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

/** The targets of the role in which a path stands, if it does. */
type Listed = (channel: Channel, path: string) => Targets["targets"];

export const targetPath = (path: string, sha256: string): string =>
  `targets/${decodeURIComponent(targetFileName(path, sha256))}`;

export function checkTargets(
  files: RepositoryFiles,
  current: CurrentSet | undefined,
  next: NextSet,
  update: RepositoryUpdate,
): TargetChange {
  const before = new Map<string, Named>();
  const after = new Map<string, Named>();
  for (const [role, { content }] of next.changed) {
    if (current?.meta.has(role)) collect(before, readTargets(files, current, role).targets, role);
    collect(after, content.targets, role);
  }
  const supplied = suppliedBytes(update, after);
  const added = [...after].filter(([path, { sha256 }]) => before.get(path)?.sha256 !== sha256);
  const removed = [...before].filter(([path]) => !after.has(path));
  const bytesOf = (path: string, named: Named): Uint8Array => {
    const bytes = supplied.get(path) ?? files.read(targetPath(path, named.sha256));
    if (bytes === undefined) throw incomplete(path);
    return bytes;
  };

  const published: TargetChange["published"][number][] = [];
  const stored: NewlyStored[] = [];
  const products = new Map<string, { channel: Channel; product: Product }>();
  for (const channel of channelsWithPolicy([...added, ...removed])) {
    const path = policyPath(channel);
    const [old, named] = [before.get(path), after.get(path)];
    const oldBytes = old && files.read(targetPath(path, old.sha256));
    if (old !== undefined && oldBytes === undefined) throw incomplete(path);
    checkPolicy(channel, oldBytes, named && bytesOf(path, named));
  }
  for (const [path, named] of added.filter(isNoPolicy)) {
    const { channel, product, isIndex } = partsOf(path);
    products.set(`${channel}/${product}`, { channel, product });
    if (isIndex) continue;
    if (before.has(path)) throw new UpbeatError("UPB-PUBLISH-EXISTS", { object: path });
    const manifest = readManifest(bytesOf(path, named), path);
    if (manifestPath(manifest.channel, manifest.product, manifest.version) !== path)
      throw inconsistent(path, `the manifest is of ${formatUpdate(manifest)}`);
    published.push({ manifest, sha256: named.sha256 });
  }
  const retired = [];
  for (const [path, { sha256 }] of removed.filter(isNoPolicy)) {
    const { channel, product, isIndex } = partsOf(path);
    products.set(`${channel}/${product}`, { channel, product });
    if (!isIndex) retired.push(sha256);
  }
  const listed = targetsAt(files, current, next);
  for (const { channel, product } of products.values()) {
    const path = indexPath(channel, product);
    const file = listed(channel, path).get(path);
    if (file === undefined) throw incomplete(path);
    const index = parseIndex(bytesOf(path, namedOf(file, path)), path);
    requireIndex(index, { channel, product, listed, published });
    const old = before.get(path);
    const oldBytes = old && files.read(targetPath(path, old.sha256));
    if (old !== undefined && oldBytes === undefined) throw incomplete(path);
    const oldIndex = oldBytes && parseIndex(oldBytes, path);
    if (oldIndex !== undefined) requireRemembered(oldIndex, index, listed);
    const read = (entry: ProductIndex["updates"][number]): ListedUpdate => {
      const at = manifestPath(channel, product, entry.version);
      const target = listed(channel, at).get(at);
      if (target === undefined) throw incomplete(at);
      return { entry, manifest: readManifest(bytesOf(at, namedOf(target, at)), at) };
    };
    stored.push(...newlyStored(oldIndex, index, read));
  }
  return {
    files: [...supplied].map(([path, bytes]) => [targetPath(path, namedAt(after, path)), bytes]),
    published,
    retired,
    paths: added.map(([path]) => path),
    stored,
  };
}

/** What the index says now and did not say before. */
function newlyStored(
  before: ProductIndex | undefined,
  index: ProductIndex,
  read: (entry: ProductIndex["updates"][number]) => ListedUpdate,
): NewlyStored[] {
  const known = new Map(before?.updates.map((entry) => [entry.version, entry]));
  return index.updates
    .filter((entry) => !isDeepStrictEqual(known.get(entry.version), entry))
    .map((entry) => ({
      ...read(entry),
      before: known.get(entry.version),
      *others() {
        for (const other of index.updates) if (other !== entry) yield read(other);
      },
    }));
}

function collect(into: Map<string, Named>, targets: Targets["targets"], role: string): void {
  for (const [path, file] of targets) {
    if (into.has(path)) throw inconsistent(role, `${path} is named twice`);
    into.set(path, namedOf(file, path));
  }
}

function namedOf({ sizeBytes, hashes }: TargetFile, path: string): Named {
  if (hashes.sha256 === undefined) throw inconsistent(path, "it has no sha256");
  const maxBytes = path.endsWith("/index") ? INDEX_MAX_BYTES : MANIFEST_MAX_BYTES;
  if (sizeBytes > maxBytes) throw inconsistent(path, `${sizeBytes} bytes are too many`);
  return { sha256: Sha256.parse(hashes.sha256), sizeBytes };
}

const namedAt = (after: ReadonlyMap<string, Named>, path: string): string =>
  after.get(path)?.sha256 ?? "";

/** Only what is named, and exactly as it is named. */
function suppliedBytes(
  { targets }: RepositoryUpdate,
  after: ReadonlyMap<string, Named>,
): Map<string, Uint8Array> {
  const supplied = new Map<string, Uint8Array>();
  for (const { path, bytes: text } of targets) {
    const named = after.get(path);
    if (named === undefined || supplied.has(path))
      throw inconsistent(path, "no changed role names it, or it came twice");
    const bytes = Buffer.from(text, "base64");
    requireLength(named.sizeBytes, bytes, path);
    requireHashes({ sha256: named.sha256 }, bytes, path);
    supplied.set(path, bytes);
  }
  return supplied;
}

const isNoPolicy = ([path]: readonly [string, Named]): boolean => !path.endsWith("/-/policy");

function channelsWithPolicy(entries: readonly (readonly [string, Named])[]): Set<Channel> {
  const paths = entries.filter((entry) => !isNoPolicy(entry)).map(([path]) => path);
  return new Set(paths.map((path) => Channel.parse(path.slice(0, path.indexOf("/")))));
}

function partsOf(path: string): { channel: Channel; product: Product; isIndex: boolean } {
  const [channel, product, name, ...more] = path.split("/");
  const parsed = { channel: Channel.safeParse(channel), product: Product.safeParse(product) };
  const isIndex = name === "index";
  if (!parsed.channel.success || !parsed.product.success || more.length > 0)
    throw inconsistent(path, "it is neither a manifest nor an index");
  if (!isIndex && !name?.endsWith(".json"))
    throw inconsistent(path, "it is neither a manifest nor an index");
  return { channel: parsed.channel.data, product: parsed.product.data, isIndex };
}

/** The index lists what is published, and nothing that the metadata does not name. */
function requireIndex(
  index: ProductIndex,
  about: {
    channel: Channel;
    product: Product;
    listed: Listed;
    published: TargetChange["published"];
  },
): void {
  const { channel, product, listed } = about;
  const object = indexPath(channel, product);
  if (index.channel !== channel || index.product !== product)
    throw inconsistent(object, "it is the index of another product");
  const versions = new Map(index.updates.map((entry) => [entry.version, entry]));
  if (versions.size !== index.updates.length)
    throw inconsistent(object, "a version is there twice");
  for (const { version, manifestSha256, manifestSizeBytes } of index.updates) {
    const path = manifestPath(channel, product, version);
    const file = listed(channel, path).get(path);
    if (file?.hashes.sha256 === manifestSha256 && file.sizeBytes === manifestSizeBytes) continue;
    throw inconsistent(object, `it lists ${version}, and the metadata does not name that manifest`);
  }
  for (const { manifest } of about.published) {
    if (manifest.channel !== channel || manifest.product !== product) continue;
    if (!versions.has(manifest.version))
      throw inconsistent(object, `it does not list ${manifest.version}`);
  }
}

/** What the last index listed is listed still, unless the metadata has dropped it too. */
function requireRemembered(known: ProductIndex, index: ProductIndex, named: Listed): void {
  const listed = new Set(index.updates.map((entry) => entry.version));
  for (const { version } of known.updates) {
    if (listed.has(version)) continue;
    const path = manifestPath(index.channel, index.product, version);
    if (!named(index.channel, path).has(path)) continue;
    throw inconsistent(path, "its index does not list it any more");
  }
}

export function parseIndex(bytes: Uint8Array, object: string): ProductIndex {
  try {
    return ProductIndex.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new UpbeatError("UPB-MANIFEST-INVALID", { object, detail: "it is no index", cause });
  }
}

const incomplete = (path: string): UpbeatError =>
  new UpbeatError("UPB-PUBLISH-INCOMPLETE", { object: path });
