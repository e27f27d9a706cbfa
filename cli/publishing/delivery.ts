/**
 * Puts the bytes of an update on the server, and the patches that lead to it, and writes the delivery
 * that says so.
 *
 * Errors: UPB-PUBLISH-*, UPB-CLI-FILE, UPB-FETCH-*, UPB-TRUST-*, UPB-DELIVERY-INVALID, those of the
 * server.
 */
import { join } from "node:path";
import { packDocument } from "../../content/packedDocument.ts";
import { type ContentPlace, contentTable, distinctContents } from "../../core/contentPlaces.ts";
import { storedBytesOf, usedFrames } from "../../core/deliveryCost.ts";
import type { Delivery, PackedDocument, Patch } from "../../protocol/delivery.ts";
import type { Sha256, Version } from "../../protocol/ids.ts";
import { isFile, type TreeEntry } from "../../protocol/payload.ts";
import { stableJson } from "../../protocol/trust/stableJson.ts";
import type { Progress } from "../screen/progress.ts";
import type { ContentReader } from "./contentReader.ts";
import type { EarlierVersion } from "./earlier.ts";
import { makePatch } from "./makePatch.ts";
import { storeContents } from "./storeContents.ts";
import type { Uploads } from "./upload.ts";
import type { WorkFolder } from "./workFolder.ts";

/** Above this share of what fetching files costs a patch is not worth its room (delta.md, section 8). */
const WORTH_SHARE = 0.6;

export interface DeliveryInput {
  readonly folder: string;
  readonly entries: readonly TreeEntry[];
  readonly list: { readonly bytes: Uint8Array; readonly sha256: Sha256 };
  /** Newest first. */
  readonly earlier: readonly EarlierVersion[];
  /** What is published already, if the update is. */
  readonly before: EarlierVersion | undefined;
  readonly work: WorkFolder;
  readonly uploads: Uploads;
  readonly reader: ContentReader;
  readonly progress: Progress;
  readonly interrupted: AbortSignal;
}

export interface PatchCost {
  readonly from: Version;
  readonly sizeBytes: number;
  /** False: files are nearly as cheap, so it was left out. */
  readonly isWorth: boolean;
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
}

export async function makeDelivery(
  input: DeliveryInput,
): Promise<{ packed: PackedDocument; patches: PatchCost[] }> {
  const { entries, list, uploads, earlier } = input;
  // The newest last, because it counts. What lies there plainly is compressed now.
  const packed = [...earlier.toReversed(), ...(input.before ? [input.before] : [])].filter(
    ({ delivery }) => delivery !== undefined,
  );
  const known = new Map(packed.flatMap(({ places }) => [...places]));
  const places = await storeContents({ ...input, known });
  await storePlainly(input);
  const packedList = packDocument(list.bytes);
  const table = packDocument(stableJson(contentTable(entries, places)));
  const { patches, costs } = await makePatches(input, places, packedList.packed);
  const frames = usedFrames(places);
  const delivery: Delivery = {
    schema: "upbeat.delivery/1",
    payload: list.sha256,
    list: packedList.packed,
    contents: table.packed,
    whole: { sizeBytes: storedBytesOf(places), frames: frames.length },
    patches: patches.toSorted((a, b) => a.sizeBytes - b.sizeBytes),
  };
  const document = packDocument(stableJson(delivery));
  for (const { bytes, packed } of [packedList, table, document])
    await uploads.bytes(bytes, packed, "lists");
  return { packed: document.packed, patches: costs };
}

/** For devices that do not read deliveries yet. */
async function storePlainly({ entries, folder, list, uploads }: DeliveryInput): Promise<void> {
  const { sha256, bytes } = list;
  await uploads.bytes(bytes, { sha256, sizeBytes: bytes.length }, "lists");
  for (const file of distinctContents(entries))
    await uploads.file(join(folder, file.path), file, "contents");
}

async function makePatches(
  input: DeliveryInput,
  places: ReadonlyMap<Sha256, ContentPlace>,
  list: PackedDocument,
): Promise<{ patches: Patch[]; costs: PatchCost[] }> {
  const { before, uploads, work, progress } = input;
  const patches: Patch[] = [...(before?.delivery?.patches ?? [])];
  const costs: PatchCost[] = [];
  const payload = input.list.sha256;
  const isNeeded = (base: EarlierVersion) =>
    base.payload !== payload && !patches.some((patch) => patch.from === base.payload);
  const bases = input.earlier.filter(isNeeded);
  for (const [index, base] of bases.entries()) {
    const which = bases.length === 1 ? "" : ` (${index + 1} of ${bases.length})`;
    const text = `Make the patch from ${base.version}${which}`;
    progress.show({ text });
    let fetchedBytes = 0;
    const onFetched = (bytes: number) => {
      fetchedBytes += bytes;
      progress.show({ text, doneBytes: fetchedBytes });
    };
    const made = await makePatch({ ...input, base, payload, onFetched });
    const { sha256, sizeBytes, readBytes, writeBytes, cpuMs, peakMemoryBytes } = made;
    const isWorth = sizeBytes <= WORTH_SHARE * (wholeBytes(places, base) + list.sizeBytes);
    costs.push({ from: base.version, sizeBytes, isWorth, cpuMs, peakMemoryBytes });
    if (isWorth) {
      await uploads.file(work.pathOf(sha256), { sha256, sizeBytes }, "patches");
      patches.push({ from: base.payload, sha256, sizeBytes, readBytes, writeBytes });
    }
    progress.end("done");
  }
  return { patches, costs };
}

/** What a machine with that version fetches without a patch. */
function wholeBytes(places: ReadonlyMap<Sha256, ContentPlace>, base: EarlierVersion): number {
  const here = new Set(base.entries.filter(isFile).map((file) => file.sha256));
  return storedBytesOf(new Map([...places].filter(([sha256]) => !here.has(sha256))));
}
