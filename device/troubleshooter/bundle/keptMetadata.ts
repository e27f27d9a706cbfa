/** What signed metadata both services keep: role, version, when it runs out. Not verified here. */
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { DevicePaths } from "../../paths.ts";
import { metadataFolders, namesIn } from "../probes/metadataFolders.ts";

const Signed = z.object({ signed: z.object({ version: z.int(), expires: z.string() }) });

export interface KeptRole {
  readonly file: string;
  readonly bytes: number;
  readonly version?: number;
  readonly expires?: string;
}

const MAX_FILES = 2_000;

export function keptMetadata(paths: DevicePaths): KeptRole[] {
  const files = metadataFolders(paths).flatMap(({ folder }) =>
    namesIn(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => join(folder, name)),
  );
  return files.slice(0, MAX_FILES).map((file) => {
    try {
      const bytes = lstatSync(file).size;
      const found = Signed.safeParse(JSON.parse(readFileSync(file, "utf8"))).data?.signed;
      return found === undefined
        ? { file, bytes }
        : { file, bytes, version: found.version, expires: found.expires };
    } catch {
      return { file, bytes: -1 };
    }
  });
}
