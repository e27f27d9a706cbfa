/** What passes between the update service and its downloader: one JSON object a line, both ways. */
import { z } from "zod";
import { ErrorReport } from "../../../protocol/errors/error.ts";
import { Sha256 } from "../../../protocol/ids.ts";
import { TRANSFER_KINDS, TransferSettings } from "../../../protocol/transfer.ts";

/** Longer lines (in UTF-16 units) are a fault of the other side. */
export const MAX_LINE_LENGTH = 64 * 1024;

/** Its one argument, as JSON. */
export const DownloaderSettings = z.strictObject({
  serverUrl: z.url(),
  folder: z.string(),
  transfer: TransferSettings,
  kind: z.enum(TRANSFER_KINDS),
});
export type DownloaderSettings = z.infer<typeof DownloaderSettings>;

/** An object by its hash, or `sizeBytes` of it from `offset` on. */
export interface Content {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  readonly offset?: number | undefined;
}

export const DownloadRequest = z.discriminatedUnion("kind", [
  z.strictObject({ id: z.int(), kind: z.literal("metadata"), name: z.string(), maxBytes: z.int() }),
  z.strictObject({
    id: z.int(),
    kind: z.literal("target"),
    path: z.string(),
    sha256: Sha256,
    maxBytes: z.int(),
  }),
  z.strictObject({
    id: z.int(),
    kind: z.literal("content"),
    sha256: Sha256,
    sizeBytes: z.int().nonnegative(),
    offset: z.int().nonnegative().optional(),
    /** How often what came was wrong: so many sources are passed over. */
    skip: z.int().nonnegative(),
  }),
]);
export type DownloadRequest = z.infer<typeof DownloadRequest>;

export const DownloadReply = z.discriminatedUnion("kind", [
  /** The bytes are in the file of that request (`fileOf`). */
  z.strictObject({ id: z.int(), kind: z.literal("done") }),
  z.strictObject({ id: z.int(), kind: z.literal("absent") }),
  z.strictObject({ id: z.int(), kind: z.literal("progress"), bytes: z.int() }),
  z.strictObject({ id: z.int(), kind: z.literal("failed"), error: ErrorReport }),
]);
export type DownloadReply = z.infer<typeof DownloadReply>;

/** Where the downloader puts what was asked for, in its folder. Both sides compute it. */
export const fileOf = (request: DownloadRequest): string =>
  request.kind === "content" ? nameOf(request) : `${request.id}.answer`;

/** The same for the same bytes, so that another process goes on with what is there. */
export const nameOf = ({ sha256, sizeBytes, offset }: Content): string =>
  offset === undefined ? sha256 : `${sha256}.${offset}-${sizeBytes}`;
