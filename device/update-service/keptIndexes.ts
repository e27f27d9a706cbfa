/**
 * The index of each product that was downloaded last, as it was read: what a bundle is unpacked with,
 * and what need not be fetched again. Whoever reads one knows its hash.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeDurably } from "../../content/durableFile.ts";
import type { TargetReader } from "../../content/releases.ts";

export interface KeptIndexes {
  /** Unverified. Undefined: none of that path was kept. */
  read(path: string): Uint8Array | undefined;
  /** Reads what is not kept with that reader, and keeps it. */
  through(reader: TargetReader): TargetReader;
}

export function keptIndexes(folder: string): KeptIndexes {
  const fileOf = (path: string) => join(folder, encodeURIComponent(path));
  const read = (path: string): Uint8Array | undefined => {
    try {
      return readFileSync(fileOf(path));
    } catch {
      return undefined; // Never read before, or unreadable: fetched again.
    }
  };
  return {
    read,
    through: (reader) => async (path, sha256, maxBytes) => {
      const kept = read(path);
      if (kept !== undefined && kept.length <= maxBytes && hashOf(kept) === sha256) return kept;
      const bytes = await reader(path, sha256, maxBytes);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (hashOf(bytes) === sha256) writeDurably(fileOf(path), bytes, 0o600);
      return bytes;
    },
  };
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
