/**
 * What a publish makes on its way, under names that say what it was made from: a publish that was cut
 * off finds it there when it is repeated. `upbeat/publish/PRODUCT` in `$XDG_CACHE_HOME`; gone when the
 * update is published.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { z } from "zod";
import { holdFile } from "../../content/heldFile.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Product } from "../../protocol/ids.ts";
import { stableJson } from "../../protocol/trust/stableJson.ts";
import type { World } from "../world.ts";

export interface WorkFolder {
  readonly folder: string;
  /** A file named by the SHA-256 of what it holds: an object, or a content of an earlier version. */
  pathOf(sha256: string): string;
  /** What was remembered of the same thing; undefined: nothing that can be read. */
  recall<Result>(of: unknown, schema: z.ZodType<Result>): Result | undefined;
  remember(of: unknown, result: unknown): void;
  remove(): void;
  /** Lets the next publish in; what is there stays for it. */
  leave(): void;
}

/** Errors: UPB-PUBLISH-BUSY. */
export function workFolder(world: World, product: Product): WorkFolder {
  const folder = join(cacheFolder(world), "publish", product);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Not in it, because the folder goes.
  const lock = holdFile(join(cacheFolder(world), `publish-${product}.lock`));
  if (lock === undefined) throw new UpbeatError("UPB-PUBLISH-BUSY", { object: product });
  const noteOf = (of: unknown) =>
    join(folder, `${createHash("sha256").update(stableJson(of)).digest("hex")}.json`);
  return {
    folder,
    pathOf: (sha256) => join(folder, sha256),
    recall(of, schema) {
      try {
        return schema.safeParse(JSON.parse(readFileSync(noteOf(of), "utf8"))).data;
      } catch {
        return undefined; // Never made, or cut off while it was written: made again.
      }
    },
    remember(of, result) {
      const beside = `${noteOf(of)}.new`;
      writeFileSync(beside, JSON.stringify(result));
      renameSync(beside, noteOf(of));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
    leave: lock.release,
  };
}

/** XDG Base Directory Specification 0.8: a relative path there is to be ignored. */
function cacheFolder(world: World): string {
  const base = world.env.XDG_CACHE_HOME;
  if (base !== undefined && isAbsolute(base)) return join(base, "upbeat");
  return join(world.env.HOME ?? homedir(), ".cache", "upbeat");
}
