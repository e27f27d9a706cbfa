/**
 * Manifests whose signatures were verified at download. What was verified once may be finished when
 * the metadata has expired since (the server being away must not strand a half-done update); the
 * file's own hash is the update's id, so it needs no signature again.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeDurably } from "../../content/durableFile.ts";
import type { Product, Sha256, Version } from "../../protocol/ids.ts";
import { readManifest, type UpdateManifest } from "../../protocol/manifest.ts";

export interface Manifests {
  keep(sha256: Sha256, bytes: Uint8Array): void;
  /** Undefined: it was never kept, or is damaged. */
  read(sha256: Sha256): UpdateManifest | undefined;
  /** The one of an installed version. Reads them all. */
  find(product: Product, version: Version): Sha256 | undefined;
  all(): Sha256[];
  remove(sha256: Sha256): void;
}

export function keptManifests(folder: string): Manifests {
  const fileOf = (sha256: Sha256) => join(folder, `${sha256}.json`);
  const kept: Manifests = {
    find: (product, version) =>
      kept.all().find((sha256) => {
        const manifest = kept.read(sha256);
        return manifest?.product === product && manifest.version === version;
      }),
    keep(sha256, bytes) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeDurably(fileOf(sha256), bytes, 0o600);
    },
    read(sha256) {
      if (!existsSync(fileOf(sha256))) return undefined;
      const bytes = readFileSync(fileOf(sha256));
      if (createHash("sha256").update(bytes).digest("hex") !== sha256) return undefined;
      return readManifest(bytes, sha256);
    },
    all: () =>
      existsSync(folder)
        ? readdirSync(folder).flatMap((name) =>
            /^[0-9a-f]{64}\.json$/.test(name) ? [name.slice(0, 64) as Sha256] : [],
          )
        : [],
    remove: (sha256) => rmSync(fileOf(sha256), { force: true }),
  };
  return kept;
}
