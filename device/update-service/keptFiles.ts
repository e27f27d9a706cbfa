/** Small files under their own hash: what is read from here needs no signature again. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeDurably } from "../../content/durableFile.ts";
import type { Sha256 } from "../../protocol/ids.ts";

export interface KeptFiles {
  keep(sha256: Sha256, bytes: Uint8Array): void;
  /** Undefined: it was never kept, or is damaged. */
  read(sha256: Sha256): Uint8Array | undefined;
  all(): Sha256[];
  remove(sha256: Sha256): void;
}

export function keptFiles(folder: string): KeptFiles {
  const fileOf = (sha256: Sha256) => join(folder, `${sha256}.json`);
  return {
    keep(sha256, bytes) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeDurably(fileOf(sha256), bytes, 0o600);
    },
    read(sha256) {
      if (!existsSync(fileOf(sha256))) return undefined;
      const bytes = readFileSync(fileOf(sha256));
      return createHash("sha256").update(bytes).digest("hex") === sha256 ? bytes : undefined;
    },
    all: () =>
      existsSync(folder)
        ? readdirSync(folder).flatMap((name) =>
            /^[0-9a-f]{64}\.json$/.test(name) ? [name.slice(0, 64) as Sha256] : [],
          )
        : [],
    remove: (sha256) => rmSync(fileOf(sha256), { force: true }),
  };
}
