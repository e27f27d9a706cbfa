/**
 * Reads objects from the server's public files. Believed only by their hashes: documents are verified
 * here, the contents of frames by whoever unpacks them (`content/readFrame.ts`).
 *
 * Errors: UPB-FETCH-*, UPB-TRUST-*, UPB-DELIVERY-INVALID, UPB-CLI-SERVER-AWAY.
 */
import { Readable } from "node:stream";
import { boundedFetch } from "../../content/boundedFetch.ts";
import { serverUrl } from "../../content/metadataSource.ts";
import { unpackDocument } from "../../content/packedDocument.ts";
import type { Frame, PackedDocument, StoredObject } from "../../protocol/delivery.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";

export interface ContentReader {
  /** A small object, unverified. */
  bytes(object: StoredObject): Promise<Uint8Array>;
  document(packed: PackedDocument): Promise<Uint8Array>;
  /** The stored bytes of one frame, unverified. */
  frame(object: StoredObject, frame: Frame): Promise<Readable>;
}

export function contentReader(baseUrl: URL, interrupted: AbortSignal): ContentReader {
  const urlOf = ({ sha256 }: StoredObject) =>
    serverUrl(baseUrl, `content/${sha256.slice(0, 2)}/${sha256}`);
  const bytes = async (object: StoredObject): Promise<Uint8Array> => {
    const limits = { maxBytes: object.sizeBytes, signal: interrupted };
    const answer = await boundedFetch(urlOf(object), limits);
    if (answer.status === 200) return answer.bytes;
    throw missing(urlOf(object), answer.status);
  };
  return {
    bytes,
    document: async (packed) => unpackDocument(await bytes(packed), packed, urlOf(packed).href),
    async frame(object, { start, storedBytes }) {
      const url = urlOf(object);
      const range = `bytes=${start}-${start + storedBytes - 1}`;
      const answer = await fetch(url, {
        headers: { range },
        redirect: "error",
        signal: interrupted,
      });
      if (answer.body === null || (answer.status !== 206 && answer.status !== 200))
        throw missing(url, answer.status);
      const body = Readable.fromWeb(answer.body);
      // A proxy without ranges sends all of it.
      return answer.status === 206 ? body : Readable.from(cut(body, start, storedBytes));
    },
  };
}

async function* cut(body: AsyncIterable<Uint8Array>, start: number, length: number) {
  let at = 0;
  for await (const chunk of body) {
    const part = chunk.subarray(Math.max(0, start - at), Math.max(0, start + length - at));
    if (part.length > 0) yield part;
    at += chunk.length;
    if (at >= start + length) return;
  }
}

const missing = (url: URL, status: number): UpbeatError =>
  new UpbeatError("UPB-TRUST-MISSING", { object: url.href, detail: `status ${status}` });
