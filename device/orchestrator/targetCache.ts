/**
 * Index and manifest bytes by their hash, so that an update is fetched once. What is read from here
 * is checked like what comes over the network; a damaged file is fetched again.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeDurably } from "../../content/durableFile.ts";
import type { TargetReader } from "../../content/releases.ts";

export interface TargetCache {
  read: TargetReader;
  /** As it lies there; undefined: it does not. */
  kept(sha256: string): Uint8Array | undefined;
  /** Forgets everything that was not read since the last call. */
  keepOnlyRead(): void;
}

export function targetCache(folder: string, fetch: TargetReader): TargetCache {
  const wanted = new Set<string>();
  return {
    kept: (sha256) => readIfThere(join(folder, sha256)),
    async read(path, sha256, maxBytes) {
      const file = join(folder, sha256);
      wanted.add(sha256);
      const kept = readIfThere(file);
      if (kept !== undefined && hashOf(kept) === sha256) return kept;
      const bytes = await fetch(path, sha256, maxBytes);
      if (hashOf(bytes) === sha256) writeDurably(file, bytes, 0o600);
      return bytes;
    },
    keepOnlyRead() {
      mkdirSync(folder, { recursive: true });
      for (const name of readdirSync(folder)) {
        if (!wanted.has(name)) rmSync(join(folder, name), { force: true });
      }
      wanted.clear();
    },
  };
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function readIfThere(file: string): Uint8Array | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined; // Not cached yet, or unreadable: fetched again.
  }
}
