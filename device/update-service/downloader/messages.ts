/** What passes between the update service and its downloader: one JSON object a line, both ways. */
import { z } from "zod";
import { ErrorReport } from "../../../protocol/errors/error.ts";
import { Sha256 } from "../../../protocol/ids.ts";

/** Longer lines (in UTF-16 units) are a fault of the other side. */
export const MAX_LINE_LENGTH = 64 * 1024;

export const DownloadRequest = z.discriminatedUnion("kind", [
  z.strictObject({ id: z.int(), kind: z.literal("metadata"), name: z.string(), maxBytes: z.int() }),
  z.strictObject({
    id: z.int(),
    kind: z.literal("target"),
    path: z.string(),
    sha256: Sha256,
    maxBytes: z.int(),
  }),
  z.strictObject({ id: z.int(), kind: z.literal("content"), sha256: Sha256, sizeBytes: z.int() }),
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
  request.kind === "content" ? request.sha256 : `${request.id}.answer`;
