/**
 * What the CLI and the admin console say to the server, with the administration token as a bearer.
 *
 *   GET  /api/v1/signer                       -> SignerKeys: public halves of the online keys
 *   PUT  /api/v1/content/:sha256   bytes      -> 201 new · 200 already there
 *   HEAD /api/v1/content/:sha256              -> 200 · 404
 *   POST /api/v1/repository   RepositoryUpdate -> RepositoryState   all or nothing, timestamp last
 *   GET  /api/v1/repository                   -> RepositoryState
 *   GET  /api/v1/updates                      -> { updates: PublishedUpdate[] }
 *   GET  /api/v1/updates/:product/:version/storage -> { storage: UpdateStorage[] }
 *   GET  /api/v1/products/:product/installed  -> InstalledVersions
 *   GET  /api/v1/devices · /:id               -> { devices: DeviceSummary[] } · DeviceDetail
 *   GET  /api/v1/causes                       -> { causes: FleetCause[] }   what machines found wrong
 *   GET  /api/v1/channels/:channel/policy     -> { policy? }   as it was signed
 *   GET  /api/v1/channels/:channel/rollouts   -> { rollouts: RolloutReport[] }
 *   GET  /api/v1/devices/:id/why/:product[/:version]          -> Explanation   as the device would say
 *   GET  /api/v1/updates/:product/:version/audience           -> Audience
 *   POST /api/v1/enrolment-tokens             -> { token }   printed once
 *
 * What the console's pages ask besides stands in `admin/console.ts`.
 */
import { z } from "zod";
import { NOT_OFFERED_REASONS } from "./decisions.ts";
import { DeviceEvent, Facts } from "./deviceApi.ts";
import { Channel, DeviceId, Product, Sha256, Version } from "./ids.ts";
import { CLASSIFICATIONS } from "./manifest.ts";
import { OfferPolicy, Rollout } from "./offerPolicy.ts";
import { DiagnosisReport, ReportedFinding } from "./troubleshooting/report.ts";
import { InstalledProduct } from "./updateServiceApi.ts";

/** Raw Ed25519 public keys as 64 hex digits, as in TUF metadata. */
const PublicHex = z.string().regex(/^[0-9a-f]{64}$/);
export const SignerKeys = z.object({ snapshot: PublicHex, timestamp: PublicHex });
export type SignerKeys = z.infer<typeof SignerKeys>;

const Base64 = z.base64();

/** New signed metadata and the targets that it names. The server checks all, then signs, then shows. */
export const RepositoryUpdate = z.strictObject({
  /** The next root, when keys change; also the very first one. */
  root: Base64.optional(),
  /** Signed metadata by role name, e.g. `targets`, `stable`, `stable-1f`. */
  roles: z.record(z.string(), Base64),
  targets: z.array(z.strictObject({ path: z.string(), bytes: Base64 })),
});
export type RepositoryUpdate = z.infer<typeof RepositoryUpdate>;

export const RepositoryState = z.object({
  /** Version by role name; empty before the first root. */
  versions: z.record(z.string(), z.int()),
  expires: z.record(z.string(), z.iso.datetime()),
  rootSha256: Sha256.optional(),
});
export type RepositoryState = z.infer<typeof RepositoryState>;

export const PublishedUpdate = z.object({
  product: Product,
  version: Version,
  channel: Channel,
  manifestSha256: Sha256,
  title: z.string(),
  classification: z.enum(CLASSIFICATIONS),
  publishedAt: z.iso.datetime(),
  files: z.int().nonnegative(),
  sizeBytes: z.int().nonnegative(),
  retired: z.boolean(),
});
export type PublishedUpdate = z.infer<typeof PublishedUpdate>;

const Objects = z.object({ objects: z.int(), sizeBytes: z.int() });
/** What lies on the server for one update in one channel. Sizes as stored. */
export const UpdateStorage = z.object({
  channel: Channel,
  /** Many small files together. */
  packs: Objects,
  /** One file each. */
  files: Objects,
  /** Of both: what other updates of the product use too. */
  shared: Objects,
  /** What says where the others are. */
  lists: Objects,
  /** What a machine that has nothing fetches. */
  wholeBytes: z.int(),
  patches: z.array(
    z.object({
      /** Undefined: no update has that tree any more. */
      from: Version.optional(),
      sizeBytes: z.int(),
      readBytes: z.int(),
      writeBytes: z.int(),
    }),
  ),
});
export type UpdateStorage = z.infer<typeof UpdateStorage>;

/** How many devices report each version of a product as installed. */
export const InstalledVersions = z.object({
  versions: z.array(z.object({ version: Version, devices: z.int().nonnegative() })),
});
export type InstalledVersions = z.infer<typeof InstalledVersions>;

export const DeviceSummary = z.object({
  deviceId: DeviceId,
  name: z.string(),
  enrolledMs: z.int(),
  lastSeenMs: z.int().optional(),
  products: z.array(InstalledProduct),
  lastEvent: DeviceEvent.optional(),
});
export type DeviceSummary = z.infer<typeof DeviceSummary>;

export const DeviceDetail = DeviceSummary.extend({
  facts: Facts,
  events: z.array(DeviceEvent),
  /** What its troubleshooter found last; absent: it has not said, or does not say. */
  diagnosis: DiagnosisReport.optional(),
});
export type DeviceDetail = z.infer<typeof DeviceDetail>;

/** What is wrong on how many machines, of those that tell; the most frequent first. */
export const FleetCause = z.object({
  ...ReportedFinding.pick({ cause: true, severity: true, title: true }).shape,
  devices: z.int().positive(),
  /** Of these, where it was found last. */
  newest: z.object({ deviceId: DeviceId, name: z.string(), atMs: z.int() }),
});
export type FleetCause = z.infer<typeof FleetCause>;

/** `policy` is absent: the channel has none, and every update of it is offered to everybody. */
export const ChannelPolicyAnswer = z.object({ policy: OfferPolicy.optional() });

/** Devices by how far they have come, each counted once in every step that it has ever reached. */
export const RolloutCounts = z.object({
  offered: z.int().nonnegative(),
  downloaded: z.int().nonnegative(),
  installed: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  rolledBack: z.int().nonnegative(),
  /** Where devices stand with an error now; most frequent first. */
  errors: z.array(z.object({ code: z.string(), devices: z.int().positive() })),
});
export type RolloutCounts = z.infer<typeof RolloutCounts>;

export const RolloutReport = z.object({ rollout: Rollout, counts: RolloutCounts });
export type RolloutReport = z.infer<typeof RolloutReport>;

const Reason = z.enum(NOT_OFFERED_REASONS);

/** What one machine would be offered of one update, from what it has reported last. */
export const AudienceDevice = z.object({
  deviceId: DeviceId,
  name: z.string(),
  /** later: not now, and `atMs` says when · unknown: it has not reported what decides. */
  outcome: z.enum(["offered", "later", "installed", "not-offered", "unknown"]),
  atMs: z.int().optional(),
  /** Why not now. */
  reason: Reason.optional(),
  detail: z.string().optional(),
  by: z.string().optional(),
});
export type AudienceDevice = z.infer<typeof AudienceDevice>;

/** Who would get an update, and when. Numbers are of all machines that follow its product. */
export const Audience = z.object({
  product: Product,
  version: Version,
  offered: z.int(),
  later: z.int(),
  installed: z.int(),
  notOffered: z.array(z.object({ reason: Reason, devices: z.int() })),
  unknown: z.int(),
  /** Of those who get it later, by day in UTC. */
  arrivals: z.array(z.object({ dayMs: z.int(), devices: z.int() })),
  /** The first thousand. */
  devices: z.array(AudienceDevice),
});
export type Audience = z.infer<typeof Audience>;
