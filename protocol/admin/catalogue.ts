/** The published updates as an administrator looks at them. Sizes are bytes. */
import { z } from "zod";
import { RolloutCounts, UpdateStorage } from "../adminApi.ts";
import { Channel, Product, Sha256, Version } from "../ids.ts";
import { CLASSIFICATIONS, SEVERITIES, UpdateManifest } from "../manifest.ts";
import { TreeEntry } from "../payload.ts";
import { RoleSigners } from "./trust.ts";

const Devices = z.int().nonnegative();

const UpdateRef = z.object({ product: Product, version: Version.optional() });

export const CatalogueEntry = z.object({
  product: Product,
  version: Version,
  channel: Channel,
  manifestSha256: Sha256,
  title: z.string(),
  kind: UpdateManifest.shape.kind,
  classification: z.enum(CLASSIFICATIONS),
  severity: z.enum(SEVERITIES),
  publishedAt: z.iso.datetime(),
  sizeBytes: z.int().nonnegative(),
  files: z.int().nonnegative(),
  supersedes: z.array(UpdateRef),
  /** The newest version of its product in the channel, when that is another one. */
  supersededBy: Version.optional(),
  retired: z.boolean(),
  /** Devices that follow the product in this channel and have an older version, or none. */
  needing: Devices,
  /** Devices that have exactly this version. */
  installed: Devices,
  /** Devices that stand with an error of this update. */
  failing: Devices,
});
export type CatalogueEntry = z.infer<typeof CatalogueEntry>;

export const CatalogueDetail = z.object({
  entry: CatalogueEntry,
  manifest: UpdateManifest,
  /** The manifest's own bytes as text: what was signed. */
  manifestText: z.string(),
  /** What machines fetch: whole, or as a patch from an earlier version. */
  storage: UpdateStorage.optional(),
  /** Who vouches for it, from root to its channel. */
  signedBy: z.array(RoleSigners),
  counts: RolloutCounts,
});
export type CatalogueDetail = z.infer<typeof CatalogueDetail>;

export const FILE_PAGE_MAX = 500;
/** Files, links and folders by path; `next` is the `after` of the next page. */
export const FilePage = z.object({
  entries: z.array(TreeEntry),
  total: z.int().nonnegative(),
  next: z.string().optional(),
});
export type FilePage = z.infer<typeof FilePage>;

/** A product in a channel: what a publisher goes on from. */
export const ProductLine = z.object({
  product: Product,
  channel: Channel,
  /** Absent: nothing is published, or all of it was retired. */
  latest: Version.optional(),
  publishedAt: z.iso.datetime().optional(),
  updates: z.int().nonnegative(),
  /** That follow it. */
  devices: Devices,
  versions: z.array(z.object({ version: Version, devices: z.int().positive() })),
});
export type ProductLine = z.infer<typeof ProductLine>;
