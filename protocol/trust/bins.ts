/**
 * Where a target path is listed: in the channel's own role, or, above 1,000 updates, in one of 256
 * hash bins. Measured: at 100,000 targets a flat role is 16.6 MB to read at every change, 256 bins
 * cost 12.8 kB for a cold refresh (security reference, section 1.3).
 */
import { createHash } from "node:crypto";

export const FLAT_TARGETS = 1_000;
export const BIN_BITS = 8;

/** `stable-3f`. The bin is cut from the first bits of the path's SHA-256 (TUF specification 4.5). */
export function binOf(channel: string, path: string): string {
  const [first = 0] = createHash("sha256").update(path, "utf8").digest();
  return binName(channel, first);
}

export const allBins = (channel: string): string[] =>
  Array.from({ length: 2 ** BIN_BITS }, (_, bin) => binName(channel, bin));

const binName = (channel: string, bin: number): string =>
  `${channel}-${bin.toString(16).padStart(2, "0")}`;
