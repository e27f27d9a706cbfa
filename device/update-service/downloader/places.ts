/** What both sides of the downloader work out alike. Without schemas: the downloader starts fast. */
import type { Sha256 } from "../../../protocol/ids.ts";
import type { DownloadRequest } from "./messages.ts";

/** Longer lines (in UTF-16 units) are a fault of the other side. */
export const MAX_LINE_LENGTH = 64 * 1024;

/** An object by its hash, or `sizeBytes` of it from `offset` on. */
export interface Content {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  readonly offset?: number | undefined;
}

/** Where the downloader puts what was asked for, in its folder. Both sides compute it. */
export const fileOf = (request: DownloadRequest): string =>
  request.kind === "content" ? nameOf(request) : `${request.id}.answer`;

/** The same for the same bytes, so that another process goes on with what is there. */
export const nameOf = ({ sha256, sizeBytes, offset }: Content): string =>
  offset === undefined ? sha256 : `${sha256}.${offset}-${sizeBytes}`;
