/** Devices: a list made for a million of them, and one in all its detail. */
import { z } from "zod";
import { NotOffered } from "../decisions.ts";
import { DeviceEvent, Facts } from "../deviceApi.ts";
import { Channel, DeviceId, Product, Sha256, Version } from "../ids.ts";
import { CLASSIFICATIONS } from "../manifest.ts";
import { PolicyEntryId } from "../offerPolicy.ts";
import { EffectivePolicy } from "../settings.ts";
import { DiagnosisReport } from "../troubleshooting/report.ts";
import { InstalledProduct, UPDATE_STATES } from "../updateServiceApi.ts";

/**
 * up-to-date: it has the newest published version of all that it follows · behind: it has not ·
 * failing: an update or its checks stand with an error · silent: nothing was heard of it for seven
 * days · unknown: it has never said what it has. The last that holds counts, so that each device is
 * in one.
 */
export const DEVICE_STATES = ["up-to-date", "behind", "failing", "silent", "unknown"] as const;

export const FLEET_SORTS = ["name", "seen"] as const;
export const FLEET_PAGE_MAX = 200;

/** All that is given must hold. */
export const FleetQuery = z.strictObject({
  /** A part of its name; or its id or the beginning of it; or `tag:NAME`; or `PRODUCT@VERSION`. */
  q: z.string().max(200).optional(),
  state: z.enum(DEVICE_STATES).optional(),
  channel: Channel.optional(),
  product: Product.optional(),
  /** With `product`: that have exactly this one. */
  version: Version.optional(),
  tag: z.string().max(100).optional(),
  /** `CHANNEL/ROLLOUT/RING`. */
  ring: z.string().max(200).optional(),
  /** That stand with this error. */
  error: z.string().max(100).optional(),
  /** On which the troubleshooter found this. */
  cause: z.string().max(100).optional(),
  /** Heard of since then, or not since then. */
  seenAfterMs: z.coerce.number().int().optional(),
  seenBeforeMs: z.coerce.number().int().optional(),
  sort: z.enum(FLEET_SORTS).default("name"),
  order: z.enum(["asc", "desc"]).default("asc"),
  /** `next` of the page before. */
  after: z.string().max(1_000).optional(),
  limit: z.coerce.number().int().min(1).max(FLEET_PAGE_MAX).default(50),
});
export type FleetQuery = z.infer<typeof FleetQuery>;

export const FleetDevice = z.object({
  deviceId: DeviceId,
  name: z.string(),
  state: z.enum(DEVICE_STATES),
  enrolledMs: z.int(),
  lastSeenMs: z.int().optional(),
  products: z.array(InstalledProduct),
  tags: z.array(z.string()),
  /** `os.title` of its facts, where it says so. */
  system: z.string().optional(),
  /** What it stands with. */
  error: z.object({ code: z.string(), title: z.string() }).optional(),
});
export type FleetDevice = z.infer<typeof FleetDevice>;

export const FleetPage = z.object({
  devices: z.array(FleetDevice),
  /** Absent: this is the last page. */
  next: z.string().optional(),
  /** Matching devices: counted where that is quick, else estimated from the first of them by name. */
  matching: z.object({ devices: z.int().nonnegative(), exact: z.boolean() }),
});
export type FleetPage = z.infer<typeof FleetPage>;

const Facet = z.array(z.object({ value: z.string(), devices: z.int().positive() }));
/** What one can filter by, most devices first; the first hundred of each. */
export const FleetFacets = z.object({
  states: Facet,
  channels: Facet,
  products: Facet,
  /** `PRODUCT@VERSION` */
  versions: Facet,
  tags: Facet,
  /** `CHANNEL/ROLLOUT/RING` */
  rings: Facet,
  errors: Facet,
  causes: Facet,
});
export type FleetFacets = z.infer<typeof FleetFacets>;

/** One device, but what happened on it (`timeline`) and what it is offered (`updates`). */
export const DeviceStanding = FleetDevice.extend({
  facts: Facts,
  followed: z.array(z.object({ product: Product, channel: Channel })),
  /** From the settings that it reported and those that are signed; absent: it has not reported. */
  policy: EffectivePolicy.optional(),
  rings: z.array(z.object({ channel: Channel, rollout: PolicyEntryId, ring: PolicyEntryId })),
  /** What its troubleshooter found last; absent: it has not said, or does not say. */
  diagnosis: DiagnosisReport.optional(),
});
export type DeviceStanding = z.infer<typeof DeviceStanding>;

/** Newest first. `next` is the `before` of the next page. */
export const TimelinePage = z.object({
  events: z.array(z.object({ receivedMs: z.int(), event: DeviceEvent })),
  next: z.string().optional(),
});
export type TimelinePage = z.infer<typeof TimelinePage>;
export const TIMELINE_PAGE_MAX = 200;

/** One update of what a device follows: how far it is there, and why it is not offered. */
export const DeviceUpdate = z.object({
  product: Product,
  version: Version,
  channel: Channel,
  title: z.string(),
  classification: z.enum(CLASSIFICATIONS),
  manifestSha256: Sha256,
  /** offered: it suits the device now · not-offered: `refusal` says why, and until when. */
  outcome: z.enum(["offered", "not-offered"]),
  refusal: NotOffered.optional(),
  /** How far it has come there, as far as was reported. */
  state: z.enum(UPDATE_STATES).optional(),
  stateMs: z.int().optional(),
  error: z.object({ code: z.string(), title: z.string() }).optional(),
});
export type DeviceUpdate = z.infer<typeof DeviceUpdate>;
