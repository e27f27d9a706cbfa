/**
 * Asks whether anything changed, as cheaply as can be: one conditional GET of the timestamp.
 *
 * While the timestamp that was accepted last has not expired and the server still has the same one,
 * nothing that it vouches for has changed. Once a day everything is asked for all the same, so that
 * a new root is seen even if nothing else happens.
 * Errors: UPB-FETCH-*.
 */
import { MAX_METADATA_BYTES } from "../protocol/trust/load.ts";
import type { HttpMetadataSource } from "./metadataSource.ts";

/** What the last successful `refresh` left: kept by the caller. */
export interface LastRefresh {
  /** `etagOf("timestamp.json")` of its source. */
  readonly etag: string;
  /** `expires.timestamp` of its result. */
  readonly timestampExpiresMs: number;
  readonly refreshedMs: number;
}

export const FULL_REFRESH_EVERY_MS = 24 * 60 * 60 * 1000;

export async function checkForChange(input: {
  /** What it fetches it keeps for the refresh that follows. */
  readonly source: HttpMetadataSource;
  readonly last: LastRefresh | undefined;
  readonly nowMs: number;
}): Promise<"unchanged" | "refresh-needed"> {
  const { source, last, nowMs } = input;
  if (last === undefined || isRefreshDue(last, nowMs)) return "refresh-needed";
  const isSame = await source.isSame("timestamp.json", last.etag, MAX_METADATA_BYTES.timestamp);
  return isSame ? "unchanged" : "refresh-needed";
}

/** A clock before the last refresh was set back: `refresh` judges that. */
export function isRefreshDue(last: LastRefresh, nowMs: number): boolean {
  return (
    nowMs >= last.timestampExpiresMs ||
    nowMs >= last.refreshedMs + FULL_REFRESH_EVERY_MS ||
    nowMs < last.refreshedMs
  );
}
