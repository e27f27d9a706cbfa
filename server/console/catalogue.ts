/** The published updates, with what is signed about each and how many devices need and have it. */
import { compareVersions } from "../../core/versionOrder.ts";
import type {
  CatalogueDetail,
  CatalogueEntry,
  FilePage,
  ProductLine,
} from "../../protocol/admin/catalogue.ts";
import type { PublishedUpdate } from "../../protocol/adminApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import {
  type Channel,
  formatUpdate,
  manifestPath,
  type Product,
  Version,
} from "../../protocol/ids.ts";
import { readManifest, type UpdateManifest } from "../../protocol/manifest.ts";
import type { TreeEntry } from "../../protocol/payload.ts";
import { readList } from "../publishing/checkStored.ts";
import { targetPath } from "../publishing/checkTargets.ts";
import type { Publishing } from "../publishing/publishing.ts";
import { shownIndexes } from "../publishing/shownIndexes.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";
import type { Database } from "../storage/database.ts";
import { labelCounts } from "../storage/labels.ts";
import { countFailing, countProgress } from "../storage/progress.ts";
import { listUpdates } from "../storage/updates.ts";
import { rolesOf } from "./trust.ts";

export interface UpdateName {
  readonly channel: Channel;
  readonly product: Product;
  readonly version: Version;
}

export interface Catalogue {
  /** Newest first. */
  entries(): Promise<CatalogueEntry[]>;
  /** Errors of both: UPB-SERVER-NOT-FOUND, UPB-SERVER-DAMAGED. */
  detail(name: UpdateName): Promise<CatalogueDetail>;
  files(name: UpdateName, after: string | undefined, limit: number): FilePage;
  products(): Promise<ProductLine[]>;
}

/** A manifest is some kilobytes. */
const KEPT_MANIFESTS = 5_000;

export function catalogue(deps: {
  readonly db: Database;
  readonly files: RepositoryFiles;
  readonly publishing: Publishing;
}): Catalogue {
  const { db, files, publishing } = deps;
  const manifests = new Map<string, UpdateManifest>();
  /** Undefined: it was retired, and nothing needs it any more. */
  const manifestOf = (update: PublishedUpdate): UpdateManifest | undefined => {
    const known = manifests.get(update.manifestSha256);
    if (known !== undefined) return known;
    const bytes = manifestBytes(files, update);
    if (bytes === undefined) return undefined;
    const manifest = readManifest(bytes, formatUpdate(update));
    // Named by its hash, it never changes.
    if (manifests.size >= KEPT_MANIFESTS) manifests.clear();
    manifests.set(update.manifestSha256, manifest);
    return manifest;
  };
  const entries = async (): Promise<CatalogueEntry[]> => {
    const failing = await countFailing(db);
    const lines = linesOf(await labelCounts(db, "has:"));
    const updates = await listUpdates(db);
    const newest = newestOf(updates);
    return updates.map((update) => {
      const { product, version, channel, manifestSha256, title, classification } = update;
      const { publishedAt, sizeBytes, files, retired } = update;
      const line = lines.get(lineOf(update)) ?? [];
      const latest = newest.get(lineOf(update))?.version;
      const manifest = manifestOf(update);
      return {
        product,
        version,
        channel,
        manifestSha256,
        title,
        kind: manifest?.kind ?? "software",
        classification,
        severity: manifest?.severity ?? "unspecified",
        publishedAt,
        sizeBytes,
        files,
        supersedes: manifest?.supersedes ?? [],
        ...(latest === undefined || latest === version ? {} : { supersededBy: latest }),
        retired,
        needing: retired ? 0 : devicesOf(line.filter((it) => isOlder(it.version, version))),
        installed: devicesOf(line.filter((it) => it.version === version)),
        failing: failing.get(manifestSha256) ?? 0,
      };
    });
  };
  const lists = new Map<string, TreeEntry[]>();

  return {
    entries,
    async detail(name) {
      const { channel, product, version } = name;
      const entry = (await entries()).find((it) => isSame(it, name));
      const bytes = entry && manifestBytes(files, entry);
      const current = publishing.current();
      if (entry === undefined || bytes === undefined || current === undefined) throw unknown(name);
      const storage = publishing.storage(product, version).find((it) => it.channel === channel);
      const vouching = ["root", "targets", channel, "snapshot", "timestamp"];
      return {
        entry,
        manifest: readManifest(bytes, formatUpdate(name)),
        manifestText: new TextDecoder().decode(bytes),
        ...(storage === undefined ? {} : { storage }),
        signedBy: rolesOf(files, current).filter(({ role }) => vouching.includes(role)),
        counts: await countProgress(db, channel, name),
      };
    },
    files(name, after, limit) {
      const current = publishing.current();
      if (current === undefined) throw unknown(name);
      for (const shown of shownIndexes(files, current, name.product)) {
        if (shown.index.channel !== name.channel) continue;
        const listed = shown.index.updates.find((it) => it.version === name.version);
        if (listed === undefined) continue;
        // The list of a large tree is megabytes, and a person looks at one page after the other.
        const known = lists.get(listed.manifestSha256);
        const list = known ?? readList(files, shown.read(listed));
        if (known === undefined) lists.clear();
        lists.set(listed.manifestSha256, list);
        const from = after === undefined ? 0 : list.findIndex((it) => it.path === after) + 1;
        const page = list.slice(from, from + limit);
        const last = page.at(-1);
        const isMore = last !== undefined && from + limit < list.length;
        return { entries: page, total: list.length, ...(isMore ? { next: last.path } : {}) };
      }
      throw unknown(name);
    },
    async products() {
      const lines = linesOf(await labelCounts(db, "has:"));
      const updates = await listUpdates(db);
      const newest = newestOf(updates);
      const published = Map.groupBy(updates, lineOf);
      const keys = new Set([...published.keys(), ...lines.keys()]);
      return [...keys].toSorted().flatMap((key) => {
        const named = published.get(key);
        const [first] = named ?? [];
        // A device may follow what nobody has ever published.
        if (named === undefined || first === undefined) return [];
        const latest = newest.get(key);
        const having = lines.get(key) ?? [];
        return [
          {
            product: first.product,
            channel: first.channel,
            ...(latest === undefined
              ? {}
              : { latest: latest.version, publishedAt: latest.publishedAt }),
            updates: named.filter((it) => !it.retired).length,
            devices: devicesOf(having),
            versions: having
              .flatMap(({ version, devices }) =>
                version === undefined ? [] : [{ version, devices }],
              )
              .toSorted((a, b) => compareVersions(b.version, a.version)),
          },
        ];
      });
    },
  };
}

interface Having {
  /** Undefined: they follow the product and have none. */
  readonly version: Version | undefined;
  readonly devices: number;
}

/** By `CHANNEL/PRODUCT`, from labels `has:CHANNEL/PRODUCT@VERSION`. */
function linesOf(counts: readonly { value: string; devices: number }[]): Map<string, Having[]> {
  const lines = new Map<string, Having[]>();
  for (const { value, devices } of counts) {
    const at = value.indexOf("@");
    const version = Version.safeParse(value.slice(at + 1)).data;
    const line = value.slice(0, at);
    lines.set(line, [...(lines.get(line) ?? []), { version, devices }]);
  }
  return lines;
}

function newestOf(updates: readonly PublishedUpdate[]): Map<string, PublishedUpdate> {
  const newest = new Map<string, PublishedUpdate>();
  for (const update of updates.filter((it) => !it.retired)) {
    const before = newest.get(lineOf(update));
    if (before === undefined || compareVersions(before.version, update.version) < 0)
      newest.set(lineOf(update), update);
  }
  return newest;
}

const lineOf = ({ channel, product }: Pick<UpdateName, "channel" | "product">): string =>
  `${channel}/${product}`;
const isSame = (one: UpdateName, other: UpdateName): boolean =>
  lineOf(one) === lineOf(other) && one.version === other.version;
const isOlder = (one: Version | undefined, than: Version): boolean =>
  one === undefined || compareVersions(one, than) < 0;
const devicesOf = (having: readonly Having[]): number =>
  having.reduce((sum, one) => sum + one.devices, 0);

const manifestBytes = (
  files: RepositoryFiles,
  {
    channel,
    product,
    version,
    manifestSha256,
  }: UpdateName & Pick<PublishedUpdate, "manifestSha256">,
): Uint8Array | undefined =>
  files.read(targetPath(manifestPath(channel, product, version), manifestSha256));

const unknown = (name: UpdateName): UpbeatError =>
  new UpbeatError("UPB-SERVER-NOT-FOUND", { object: `${formatUpdate(name)} in ${name.channel}` });
