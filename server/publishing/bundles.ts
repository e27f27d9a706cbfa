/**
 * Writes the bundles beside the shown set (`content/bundle/`): for a machine that knew one of the last
 * snapshots, and for one that knows nothing, all that changed since in one file. They are made from
 * what is shown, so they may be lost or late at any time: machines fetch the plain files then.
 */
import { createHash } from "node:crypto";
import {
  aboveOf,
  basesOf,
  isListed,
  NOTHING,
  type OldSet,
  oldRole,
  parsedRole,
} from "../../content/bundle/bases.ts";
import { bundleName } from "../../content/bundle/bundledSource.ts";
import {
  BUNDLE_MAX_BYTES,
  type BundledFile,
  GROUP_MAX_BYTES,
  joinFiles,
  packGroup,
  type StoredGroup,
  writeContainer,
} from "../../content/bundle/container.ts";
import { compareVersions } from "../../core/versionOrder.ts";
import { DELIVERY_MAX_BYTES } from "../../protocol/delivery.ts";
import type { ProductIndex } from "../../protocol/manifest.ts";
import { allBins } from "../../protocol/trust/bins.ts";
import { parseSnapshot, type Targets } from "../../protocol/trust/schema.ts";
import { contentPath } from "../contentUpload.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";
import { parseIndex, targetPath } from "./checkTargets.ts";
import { type CurrentSet, readTargets, roleBytes, rolePath, TIMESTAMP_PATH } from "./currentSet.ts";

/** Snapshots that machines may know: a week of a server that publishes once a day. */
const WINDOW = 8;
/** Nothing that is not known already shrinks to less than this share: half of it is hashes. */
const LEAST_SHARE = 1 / 8;
/** Changed manifests, indexes and policies, at most: more are fetched by those who want them. */
const MAX_TARGETS = 64;

export interface Bundles {
  /** Makes them again for what is shown now. */
  write(current: CurrentSet): Promise<void>;
}

export function bundles(files: RepositoryFiles): Bundles {
  /** What was packed last time: most groups are the same for several snapshots, and the next hour. */
  let packed = new Map<string, Uint8Array>();
  return {
    async write(current) {
      const before = packed;
      packed = new Map();
      const pack = async (raw: Uint8Array, dictionary: Uint8Array) => {
        const key = createHash("sha256").update(dictionary).update("\0").update(raw).digest("hex");
        const stored = packed.get(key) ?? before.get(key) ?? (await packGroup(raw, dictionary));
        packed.set(key, stored);
        return stored;
      };
      const written = new Set<string>();
      for (const set of [NOTHING, ...oldSets(files, current)]) {
        const name = bundleName(set.snapshot?.signed.version ?? 0);
        const bytes = await makeBundle(files, current, set, pack);
        if (bytes === undefined) continue;
        files.put(`metadata/${name}`, bytes);
        written.add(name);
      }
      for (const name of files.bundles()) if (!written.has(name)) files.remove(`metadata/${name}`);
    },
  };
}

/** Files of older sets that bundles are made against, and the bundles. */
export function* filesOfBundles(files: RepositoryFiles, current: CurrentSet): Generator<string> {
  for (const name of files.bundles()) yield `metadata/${name}`;
  for (const set of oldSets(files, current)) {
    const { version, meta } = set.snapshot.signed;
    yield rolePath("snapshot", version);
    for (const [role, about] of meta) {
      yield rolePath(role, about.version);
      if (current.meta.get(role)?.version === about.version) continue;
      for (const [path, { hashes }] of targetsOf(set, role))
        if (!path.endsWith(".json") && hashes.sha256 !== undefined)
          yield targetPath(path, hashes.sha256);
    }
  }
}

type Known = OldSet & { readonly snapshot: NonNullable<OldSet["snapshot"]> };

function oldSets(files: RepositoryFiles, { snapshot }: CurrentSet): Known[] {
  const sets: Known[] = [];
  const { version } = snapshot;
  // The newest too: the timestamp alone may be new.
  for (let since = version; since > 0 && since > version - WINDOW; since--) {
    const bytes = files.read(rolePath("snapshot", since));
    if (bytes === undefined) continue;
    sets.push({
      snapshot: { bytes, signed: parseSnapshot(bytes).signed },
      role: (name, wanted) => files.read(rolePath(name, wanted)),
      target: (path, sha256) => files.read(targetPath(path, sha256)),
    });
  }
  return sets;
}

type Pack = (raw: Uint8Array, dictionary: Uint8Array) => Promise<Uint8Array>;

/** Undefined: not even the first group fits. */
async function makeBundle(
  files: RepositoryFiles,
  current: CurrentSet,
  set: OldSet,
  pack: Pack,
): Promise<Uint8Array | undefined> {
  const root = files.read(rolePath("root", current.root.version));
  if (root === undefined) return undefined;
  const raws = new Map<string, Uint8Array>();
  const groups: StoredGroup[] = [];
  let room = BUNDLE_MAX_BYTES;
  for (const [name, members] of membersOf(files, current, set)) {
    const above = aboveOf(name, root, raws);
    const bases = basesOf(name, set);
    if (above === undefined || bases === undefined) continue;
    const raw = joinFiles(members);
    const unknown = raw.length - bases.reduce((sum, { length }) => sum + length, 0);
    if (raw.length > GROUP_MAX_BYTES || unknown * LEAST_SHARE > room) continue;
    const stored = await pack(raw, Buffer.concat([above, ...bases]));
    if (stored.length > room) continue;
    room -= stored.length;
    raws.set(name, raw);
    groups.push({ name, rawBytes: raw.length, stored });
  }
  if (!raws.has("")) return undefined;
  return writeContainer({ rootVersion: current.root.version, groups });
}

/** By group, those first that others stand on. */
function membersOf(
  files: RepositoryFiles,
  current: CurrentSet,
  set: OldSet,
): Map<string, BundledFile[]> {
  const isNew = (role: string) =>
    set.snapshot?.signed.meta.get(role)?.version !== current.meta.get(role)?.version;
  const metadata = (role: string): BundledFile => {
    const { version = 0 } = current.meta.get(role) ?? {};
    return { name: nameOf(rolePath(role, version)), bytes: roleBytes(files, current, role) };
  };
  const snapshotPath = rolePath("snapshot", current.snapshot.version);
  const first = [TIMESTAMP_PATH, snapshotPath].flatMap((path) => {
    const bytes = files.read(path);
    const isThere =
      path === snapshotPath && set.snapshot?.signed.version === current.snapshot.version;
    return bytes === undefined || isThere ? [] : [{ name: nameOf(path), bytes }];
  });
  const groups = new Map([["", [...first, ...(isNew("targets") ? [metadata("targets")] : [])]]]);
  const changed: string[] = [];
  for (const channel of channelsOf(files, current)) {
    const roles = [channel, ...allBins(channel)].filter((role) => current.meta.has(role));
    const fresh = roles.filter(isNew);
    const sizeBytes = fresh.reduce((sum, role) => sum + (current.meta.get(role)?.length ?? 0), 0);
    if (fresh.length === 0 || sizeBytes > GROUP_MAX_BYTES) continue;
    changed.push(...fresh);
    groups.set(channel, fresh.map(metadata));
  }
  for (const [group, members] of targetsByGroup(files, current, set, changed))
    groups.set(group, members);
  return groups;
}

/** Manifests, indexes, policies, and how the new updates can be had. */
function targetsByGroup(
  files: RepositoryFiles,
  current: CurrentSet,
  set: OldSet,
  roles: readonly string[],
): Map<string, BundledFile[]> {
  const groups = new Map<string, BundledFile[]>();
  const paths = roles.flatMap((role) => {
    const before = targetsOf(set, role);
    return [...readTargets(files, current, role).targets].flatMap(([path, { hashes }]) => {
      const isSame = before.get(path)?.hashes.sha256 === hashes.sha256;
      return isSame || hashes.sha256 === undefined ? [] : [{ path, sha256: hashes.sha256 }];
    });
  });
  const wanted = set === NOTHING ? paths.filter(({ path }) => !path.endsWith(".json")) : paths;
  if (wanted.length > MAX_TARGETS) return groups;
  const add = (group: string, bytes: Uint8Array | undefined) => {
    if (bytes === undefined) return;
    groups.set(group, [...(groups.get(group) ?? []), { name: "", bytes }]);
  };
  // An index before the manifests that it lists.
  for (const { path, sha256 } of wanted.toSorted((a, b) => rank(a.path) - rank(b.path))) {
    const group = path.slice(0, path.lastIndexOf("/"));
    const bytes = files.read(targetPath(path, sha256));
    add(group, bytes);
    if (bytes === undefined || !path.endsWith("/index")) continue;
    const index = parseIndex(bytes, path);
    const isOffered = ({ version }: Entry) => set === NOTHING && version === newestOf(index);
    const known = deliveriesBefore(set, group, path);
    for (const entry of index.updates) {
      if (isOffered(entry)) add(group, manifestOf(files, group, entry));
      const { delivery } = entry;
      const isFresh = set === NOTHING ? isOffered(entry) : !known.has(delivery?.sha256);
      if (delivery === undefined || !isFresh || delivery.sizeBytes > DELIVERY_MAX_BYTES) continue;
      add(group, files.read(contentPath(delivery.sha256)));
    }
  }
  return groups;
}

type Entry = ProductIndex["updates"][number];

const rank = (path: string): number => (path.endsWith(".json") ? 1 : 0);

const newestOf = ({ updates }: ProductIndex) =>
  updates
    .map(({ version }) => version)
    .toSorted(compareVersions)
    .at(-1);

const manifestOf = (files: RepositoryFiles, group: string, entry: Entry) =>
  files.read(targetPath(`${group}/${entry.version}.json`, entry.manifestSha256));

function deliveriesBefore(set: OldSet, group: string, path: string): Set<string | undefined> {
  const [index] = basesOf(group, set) ?? [];
  if (index === undefined) return new Set();
  return new Set(parseIndex(index, path).updates.map(({ delivery }) => delivery?.sha256));
}

function targetsOf(set: OldSet, role: string): Targets["targets"] {
  const bytes = isListed(set, role) ? oldRole(set, role) : undefined;
  return bytes === undefined ? new Map() : parsedRole(bytes, role).targets;
}

const channelsOf = (files: RepositoryFiles, current: CurrentSet): string[] =>
  (readTargets(files, current, "targets").delegations?.roles ?? []).map(({ name }) => name);

const nameOf = (path: string): string => path.slice("metadata/".length);
