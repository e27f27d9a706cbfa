/** What passes between the update service and its downloader: one JSON object a line, both ways. */
import { z } from "zod";
import { ErrorReport } from "../../../protocol/errors/error.ts";
import type { Sha256 } from "../../../protocol/ids.ts";
import type { TransferKind, TransferSettings } from "../../../protocol/transfer.ts";
import type { Content } from "./places.ts";

/** Its one argument, as JSON. What its parent says it does not check; the parent checks its replies. */
export interface DownloaderSettings {
  readonly serverUrl: string;
  readonly folder: string;
  readonly transfer: TransferSettings;
  readonly kind: TransferKind;
}

interface About {
  readonly id: number;
}

export type DownloadRequest = About &
  (
    | { readonly kind: "metadata"; readonly name: string; readonly maxBytes: number }
    | {
        readonly kind: "target";
        readonly path: string;
        readonly sha256: Sha256;
        readonly maxBytes: number;
      }
    /** `skip`: how often what came was wrong; so many sources are passed over. */
    | (Content & { readonly kind: "content"; readonly skip: number })
  );

export const DownloadReply = z.discriminatedUnion("kind", [
  /** The bytes are in the file of that request (`fileOf`). */
  z.strictObject({ id: z.int(), kind: z.literal("done") }),
  z.strictObject({ id: z.int(), kind: z.literal("absent") }),
  z.strictObject({ id: z.int(), kind: z.literal("progress"), bytes: z.int() }),
  z.strictObject({ id: z.int(), kind: z.literal("failed"), error: ErrorReport }),
]);
export type DownloadReply = z.infer<typeof DownloadReply>;
