/** What passes between a publish and the process that makes a patch. */
import { z } from "zod";
import { StoredObject } from "../../protocol/delivery.ts";
import { TreeEntry } from "../../protocol/payload.ts";

const Side = z.object({
  entries: z.array(TreeEntry),
  /** Where a content is, by its SHA-256; only of those that are compared. */
  paths: z.record(z.string(), z.string()),
});

export const PatchRequest = z.object({
  old: Side,
  fresh: Side,
  /** The patch is written into it, under its SHA-256. */
  folder: z.string(),
});
export type PatchRequest = z.infer<typeof PatchRequest>;

export const MadePatch = StoredObject.extend({
  readBytes: z.int(),
  writeBytes: z.int(),
  cpuMs: z.number(),
  peakMemoryBytes: z.number(),
});
export type MadePatch = z.infer<typeof MadePatch>;
