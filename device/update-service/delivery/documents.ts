/** The small documents that say how an update's bytes can be had; believed by their hash alone. */
import { parseDocument, unpackDocument } from "../../../content/packedDocument.ts";
import { requireSafeTree } from "../../../content/treeRules.ts";
import { type ContentPlace, contentPlaces } from "../../../core/contentPlaces.ts";
import { ContentTable, Delivery, type PackedDocument } from "../../../protocol/delivery.ts";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import { formatUpdate, type Sha256 } from "../../../protocol/ids.ts";
import type { UpdateManifest } from "../../../protocol/manifest.ts";
import { readPayload, type TreeEntry } from "../../../protocol/payload.ts";
import { killPoint } from "../../killPoint.ts";
import type { DownloadWorld } from "../download.ts";
import { takeUntrusted } from "../untrustedFile.ts";
import { bringObject } from "./bringObject.ts";

/** Errors of all: UPB-DELIVERY-INVALID, UPB-TRUST-HASH, UPB-TRUST-LENGTH, UPB-FETCH-*, UPB-DOWNLOAD-*. */
export async function bringDelivery(
  world: DownloadWorld,
  packed: PackedDocument,
  payload: Sha256 | undefined,
  object: string,
): Promise<Delivery> {
  const delivery = parseDocument(await unpacked(world, packed, object), Delivery, object);
  if (payload === undefined || delivery.payload === payload) return delivery;
  const detail = `it leads to the list ${delivery.payload}, not to ${payload}`;
  throw new UpbeatError("UPB-DELIVERY-INVALID", { object, detail });
}

/** The list of files, kept; what no tree may be is not. `delivery` undefined: it lies there plainly. */
export async function bringPayload(
  world: DownloadWorld,
  manifest: UpdateManifest,
  delivery: Delivery | undefined,
): Promise<TreeEntry[]> {
  if (manifest.payload === undefined) return [];
  const { sha256, sizeBytes } = manifest.payload;
  const object = formatUpdate(manifest);
  const plain: PackedDocument = { sha256, sizeBytes, codec: "none", rawBytes: sizeBytes };
  const bytes = await unpacked(world, delivery?.list ?? plain, object);
  const payload = readPayload(bytes, manifest.payload, object);
  requireSafeTree(payload, object);
  world.manifests.lists.keep(sha256, bytes);
  killPoint("download:payload-kept");
  return payload;
}

export async function bringPlaces(
  world: DownloadWorld,
  payload: readonly TreeEntry[],
  delivery: Delivery,
  object: string,
): Promise<ReadonlyMap<Sha256, ContentPlace>> {
  const raw = await unpacked(world, delivery.contents, object);
  return contentPlaces(payload, parseDocument(raw, ContentTable, object));
}

async function unpacked(world: DownloadWorld, packed: PackedDocument, object: string) {
  const known = world.known(packed.sha256);
  if (known !== undefined) return unpackDocument(known, packed, object);
  const quiet = { downloader: world.downloader, onBytes: () => {} };
  return bringObject(quiet, packed, async (arrived) =>
    unpackDocument(takeUntrusted(arrived, packed.sizeBytes), packed, object),
  );
}
