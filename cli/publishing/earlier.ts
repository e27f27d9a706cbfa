/**
 * What earlier versions of a product have on the server: their lists of files and where each content
 * is. All of it verified, from the signed index down.
 *
 * Errors: UPB-FETCH-*, UPB-TRUST-*, UPB-PAYLOAD-INVALID, UPB-DELIVERY-INVALID.
 */
import { parseDocument } from "../../content/packedDocument.ts";
import { readListedUpdate } from "../../content/releases.ts";
import { type ContentPlace, contentPlaces, distinctContents } from "../../core/contentPlaces.ts";
import { ContentTable, Delivery } from "../../protocol/delivery.ts";
import { formatUpdate, type Sha256, type Version } from "../../protocol/ids.ts";
import type { ProductIndex } from "../../protocol/manifest.ts";
import { readPayload, type TreeEntry } from "../../protocol/payload.ts";
import type { ContentReader } from "./contentReader.ts";
import type { Publisher } from "./publisher.ts";

export interface EarlierVersion {
  readonly version: Version;
  /** SHA-256 of its payload list. */
  readonly payload: Sha256;
  readonly entries: readonly TreeEntry[];
  readonly places: ReadonlyMap<Sha256, ContentPlace>;
  readonly delivery: Delivery | undefined;
}

/** Undefined: it has no files. `index` lists it. */
export async function readEarlier(
  publisher: Publisher,
  reader: ContentReader,
  index: ProductIndex,
  version: Version,
): Promise<EarlierVersion | undefined> {
  const { manifest } = await readListedUpdate(publisher.trusted, publisher.read, index, version);
  const { payload } = manifest;
  if (payload === undefined) return undefined;
  const object = formatUpdate(manifest);
  const about = { version, payload: payload.sha256 };
  const packed = index.updates.find((entry) => entry.version === version)?.delivery;
  if (packed === undefined) {
    const entries = readPayload(await reader.bytes(payload), payload, object);
    return { ...about, entries, places: plainPlaces(entries), delivery: undefined };
  }
  const delivery = parseDocument(await reader.document(packed), Delivery, object);
  const entries = readPayload(await reader.document(delivery.list), payload, object);
  const table = parseDocument(await reader.document(delivery.contents), ContentTable, object);
  return { ...about, entries, places: contentPlaces(entries, table), delivery };
}

/** Without a delivery each content is an object of its own, as it is. */
function plainPlaces(entries: readonly TreeEntry[]): Map<Sha256, ContentPlace> {
  return new Map(
    distinctContents(entries).map(({ sha256, sizeBytes }) => {
      const frame = {
        object: 0,
        start: 0,
        storedBytes: sizeBytes,
        rawBytes: sizeBytes,
        codec: "none" as const,
      };
      return [sha256, { object: { sha256, sizeBytes }, frame, start: 0, sizeBytes }];
    }),
  );
}
