/** What lies on the server for one update. Errors: those of `shownIndexes.ts` and `checkStored.ts`. */
import { contentPlaces, distinctContents } from "../../core/contentPlaces.ts";
import { type UsedFrame, usedFrames } from "../../core/deliveryCost.ts";
import type { UpdateStorage } from "../../protocol/adminApi.ts";
import { ContentTable, Delivery, type StoredObject } from "../../protocol/delivery.ts";
import { formatUpdate, type Product, type Sha256, type Version } from "../../protocol/ids.ts";
import type { ProductIndex } from "../../protocol/manifest.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";
import { type ListedUpdate, readDocument, readList } from "./checkStored.ts";
import type { CurrentSet } from "./currentSet.ts";
import { type ShownIndex, shownIndexes } from "./shownIndexes.ts";

export function updateStorage(
  files: RepositoryFiles,
  current: CurrentSet,
  product: Product,
  version: Version,
): UpdateStorage[] {
  return [...shownIndexes(files, current, product)].flatMap((shown) => {
    const entry = shown.index.updates.find((one) => one.version === version);
    return entry === undefined ? [] : [storageOf(files, shown, shown.read(entry))];
  });
}

function storageOf(files: RepositoryFiles, shown: ShownIndex, listed: ListedUpdate): UpdateStorage {
  const { channel, updates } = shown.index;
  const { entry } = listed;
  const payload = readList(files, listed);
  if (entry.delivery === undefined) {
    const contents = distinctContents(payload);
    const list = listed.manifest.payload;
    const plain = sumOf(contents);
    const nothing = sumOf([]);
    const lists = sumOf(list === undefined ? [] : [list]);
    const whole = { wholeBytes: plain.sizeBytes, patches: [] };
    return { channel, packs: nothing, files: plain, shared: nothing, lists, ...whole };
  }
  const object = formatUpdate(listed.manifest);
  const delivery = readDocument(files, entry.delivery, Delivery, object);
  const table = readDocument(files, delivery.contents, ContentTable, object);
  const frames = Map.groupBy(
    usedFrames(contentPlaces(payload, table)),
    (used) => used.object.sha256,
  );
  const isAlone = ({ sha256 }: StoredObject) => holdsOneFile(frames.get(sha256) ?? []);
  const others = objectsOfOthers(files, updates, entry);
  const bases = new Map(
    updates.map((one) => [shown.read(one).manifest.payload?.sha256, one.version]),
  );
  return {
    channel,
    packs: sumOf(table.objects.filter((one) => !isAlone(one))),
    files: sumOf(table.objects.filter(isAlone)),
    shared: sumOf(table.objects.filter(({ sha256 }) => others.has(sha256))),
    lists: sumOf([entry.delivery, delivery.list, delivery.contents]),
    wholeBytes: delivery.whole.sizeBytes,
    patches: delivery.patches.map(({ from, sizeBytes, readBytes, writeBytes }) => {
      const base = bases.get(from);
      return { ...(base && { from: base }), sizeBytes, readBytes, writeBytes };
    }),
  };
}

function holdsOneFile(frames: readonly UsedFrame[]): boolean {
  const [only, ...more] = frames;
  if (only === undefined || more.length > 0 || only.parts.length > 1) return false;
  return only.parts[0]?.sizeBytes === only.frame.rawBytes;
}

function objectsOfOthers(
  files: RepositoryFiles,
  updates: ProductIndex["updates"],
  entry: ProductIndex["updates"][number],
): ReadonlySet<Sha256> {
  const objects = new Set<Sha256>();
  for (const { delivery: packed, version } of updates) {
    if (packed === undefined || version === entry.version) continue;
    const { contents } = readDocument(files, packed, Delivery, version);
    const table = readDocument(files, contents, ContentTable, version);
    for (const { sha256 } of table.objects) objects.add(sha256);
  }
  return objects;
}

const sumOf = (objects: readonly { readonly sizeBytes: number }[]) => ({
  objects: objects.length,
  sizeBytes: objects.reduce((sum, one) => sum + one.sizeBytes, 0),
});
