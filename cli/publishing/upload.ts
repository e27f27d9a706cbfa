/**
 * Uploads objects that the server has not got, and counts what they cost it.
 *
 * Nothing is offered to anybody by an upload: only signed metadata does that. The server hashes what
 * arrives. Errors: those of the server, UPB-CLI-FILE.
 */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import type { StoredObject } from "../../protocol/delivery.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Sha256 } from "../../protocol/ids.ts";
import type { ServerClient } from "../serverClient.ts";

/** contents: files, alone or packed · patches · lists: what says where the others are. */
export type Kind = "contents" | "patches" | "lists";

export interface Growth {
  objects: number;
  sizeBytes: number;
}

export interface Uploads {
  has(sha256: Sha256): Promise<boolean>;
  file(path: string, object: StoredObject, kind: Kind): Promise<void>;
  bytes(bytes: Uint8Array, object: StoredObject, kind: Kind): Promise<void>;
  /** By how much the server's storage has grown. */
  readonly growth: Readonly<Record<Kind, Growth>>;
}

export function uploads(client: ServerClient, interrupted: AbortSignal): Uploads {
  const none = (): Growth => ({ objects: 0, sizeBytes: 0 });
  const growth = { contents: none(), patches: none(), lists: none() };
  const put = async (
    { sha256, sizeBytes }: StoredObject,
    kind: Kind,
    body: () => ReadableStream<Uint8Array>,
  ): Promise<void> => {
    if (await client.hasContent(sha256)) return;
    await client.putContent(sha256, body(), interrupted);
    growth[kind].objects += 1;
    growth[kind].sizeBytes += sizeBytes;
  };
  return {
    growth,
    has: (sha256) => client.hasContent(sha256),
    bytes: (bytes, object, kind) => put(object, kind, () => ReadableStream.from([bytes])),
    async file(path, object, kind) {
      let readError: unknown;
      const body = () => {
        const source = createReadStream(path).once("error", (error) => {
          readError = error;
        });
        return Readable.toWeb(source) as ReadableStream<Uint8Array>;
      };
      try {
        await put(object, kind, body);
      } catch (cause) {
        if (readError === undefined) throw cause;
        throw new UpbeatError("UPB-CLI-FILE", { object: path, cause: readError });
      }
    },
  };
}
