/**
 * The one id scheme: an update is `product@version` plus the SHA-256 of its signed manifest.
 *
 * Branded strings, so that a product can never be passed where a version is wanted.
 */
import { z } from "zod";

/** Lower-case name, safe as a folder and in a URL: `typescript`, `kiosk-app`. */
export const Product = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "a product is lower-case letters, digits, . _ -")
  .brand<"Product">();
export type Product = z.infer<typeof Product>;

/** One version of a product. Order: `core/versionOrder.ts`. */
export const Version = z
  .string()
  .regex(
    /^[0-9A-Za-z][0-9A-Za-z.+~-]{0,62}$/,
    "a version starts with a letter or digit and holds letters, digits, . + ~ -",
  )
  .brand<"Version">();
export type Version = z.infer<typeof Version>;

/** A channel is a signing role of its own; the names of TUF's top-level roles are taken. */
export const Channel = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, "a channel is lower-case letters, digits and -")
  .refine((name) => !["root", "targets", "snapshot", "timestamp"].includes(name), {
    message: "this name belongs to a top-level role",
  })
  .brand<"Channel">();
export type Channel = z.infer<typeof Channel>;

/** 64 lower-case hex digits. */
export const Sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "a SHA-256 is 64 lower-case hex digits")
  .brand<"Sha256">();
export type Sha256 = z.infer<typeof Sha256>;

export const DeviceId = z
  .string()
  .regex(/^dev-[0-9a-f]{32}$/)
  .brand<"DeviceId">();
export type DeviceId = z.infer<typeof DeviceId>;

/** What passes between processes: ids only, never a path, a URL or a command. */
export const UpdateId = z.strictObject({
  product: Product,
  version: Version,
  manifestSha256: Sha256,
});
export type UpdateId = z.infer<typeof UpdateId>;

/** `typescript@6.0.3`: how people write and read an update. */
export const formatUpdate = (update: { product: string; version: string }): string =>
  `${update.product}@${update.version}`;

/** The TUF target path of a manifest. The first segment is the channel's signing role. */
export const manifestPath = (channel: Channel, product: Product, version: Version): string =>
  `${channel}/${product}/${version}.json`;

/** The TUF target path of a product's index. It has no suffix, so that no version can collide. */
export const indexPath = (channel: Channel, product: Product): string =>
  `${channel}/${product}/index`;

/**
 * The TUF target path of a channel's offer policy. Three segments, because a channel's role may sign
 * nothing else (`channelDelegations`); no product is called `-`.
 */
export const policyPath = (channel: Channel): string => `${channel}/-/policy`;
