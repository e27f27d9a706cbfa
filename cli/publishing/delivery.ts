/**
 * Puts the bytes of an update on the server, and the patches that lead to it, and writes the delivery
 * that says so.
 *
 * Errors: UPB-PUBLISH-*, UPB-CLI-FILE, UPB-FETCH-*, UPB-TRUST-*, UPB-DELIVERY-INVALID, those of the
 * server.
 */
import { packDocument } from "../../content/packedDocument.ts";
import { type ContentPlace, contentTable } from "../../core/contentPlaces.ts";
import { storedBytesOf, usedFrames } from "../../core/deliveryCost.ts";
import type { Delivery, PackedDocument, Patch } from "../../protocol/delivery.ts";
import type { Sha256, Version } from "../../protocol/ids.ts";
import { isFile, type TreeEntry } from "../../protocol/payload.ts";
import { stableJson } from "../../protocol/trust/stableJson.ts";
import type { Progress } from "../screen/progress.ts";
import type { ContentReader } from "./contentReader.ts";
import type { EarlierVersion } from "./earlier.ts";
import { makePatch } from "./makePatch.ts";
import type { MadePatch } from "./patchRequest.ts";
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
  const { earlier } = input;
  // The newest last, because it counts. What lies there plainly is compressed now.
  const packed = [...earlier.toReversed(), ...(input.before ? [input.before] : [])].filter(
    ({ delivery }) => delivery !== undefined,
  );
  const known = new Map(packed.flatMap(({ places }) => [...places]));
  const stop = new AbortController();
  const interrupted = AbortSignal.any([input.interrupted, stop.signal]);
  // Begun before the contents are stored, because one processor compresses while another compares.
  const making = beginPatches({ ...input, interrupted });
  try {
    return await storeAll(input, known, making);
  } catch (error) {
    stop.abort(error);
    throw error;
  }
}

async function storeAll(
  input: DeliveryInput,
  known: ReadonlyMap<Sha256, ContentPlace>,
  making: readonly MakingPatch[],
): Promise<{ packed: PackedDocument; patches: PatchCost[] }> {
  const { entries, list, uploads } = input;
  const places = await storeContents({ ...input, known });
  const packedList = packDocument(list.bytes);
  const table = packDocument(stableJson(contentTable(entries, places)));
  const { patches, costs } = await takePatches(input, making, places, packedList.packed);
  const frames = usedFrames(places);
  const delivery: Delivery = {
    schema: "upbeat.delivery/1",
    payload: list.sha256,
    list: packedList.packed,
    contents: table.packed,
    whole: { sizeBytes: storedBytesOf(places), frames: frames.length },
    patches: patches.toSorted((a, b) => a.sizeBytes - b.sizeBytes),
  };
  const document = packDocument(stableJson(delivery), true);
  for (const { bytes, packed } of [packedList, table, document])
    await uploads.bytes(bytes, packed, "lists");
  return { packed: document.packed, patches: costs };
}

interface MakingPatch {
  readonly base: EarlierVersion;
  readonly made: Promise<MadePatch>;
}

/** One after the other, each from a base that has none: memory is for one at a time. */
function beginPatches(input: DeliveryInput): MakingPatch[] {
  const payload = input.list.sha256;
  const kept = input.before?.delivery?.patches ?? [];
  const done = new Set([payload, ...kept.map((patch) => patch.from)]);
  // Two versions may have the same tree.
  const isFirst = (base: EarlierVersion) => !done.has(base.payload) && done.add(base.payload);
  let last: Promise<unknown> = Promise.resolve();
  return input.earlier.filter(isFirst).map((base) => {
    const made = last.then(() => makePatch({ ...input, base, payload }));
    last = made;
    // Told when it is waited for.
    made.catch(() => undefined);
    return { base, made };
  });
}

async function takePatches(
  { before, uploads, work, progress }: DeliveryInput,
  making: readonly MakingPatch[],
  places: ReadonlyMap<Sha256, ContentPlace>,
  list: PackedDocument,
): Promise<{ patches: Patch[]; costs: PatchCost[] }> {
  const patches: Patch[] = [...(before?.delivery?.patches ?? [])];
  const costs: PatchCost[] = [];
  for (const [index, { base, made }] of making.entries()) {
    const which = making.length === 1 ? "" : ` (${index + 1} of ${making.length})`;
    progress.show({ text: `Make the patch from ${base.version}${which}` });
    const { sha256, sizeBytes, readBytes, writeBytes, cpuMs, peakMemoryBytes } = await made;
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
