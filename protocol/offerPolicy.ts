/**
 * The offer policy of one channel: who may be offered what, from when. A TUF target (`policyPath`)
 * that the channel's own role signs, so that no server can change it; evaluated on the device by
 * `core/offerPolicy.ts`, with which the server previews.
 *
 * No policy at all: every published update is offered to every machine that it suits. Everything
 * here but a pin's and an expedition's lifting of deferrals narrows that. Because a field that a
 * reader does not know could be one that narrows, another major version or anything unreadable
 * means that nothing of the channel is offered (`readOfferPolicy`); a new way to narrow is a new
 * major version. Times are RFC 3339 in UTC.
 */
import { z } from "zod";
import { UpbeatError } from "./errors/error.ts";
import { Channel, Product, Version } from "./ids.ts";
import { CLASSIFICATIONS, Rule } from "./manifest.ts";
import { ServerSettings } from "./settings.ts";

export const POLICY_MAJOR = 1;
/** A device reads it at every check: some thousand entries, not more. */
export const POLICY_MAX_BYTES = 4 * 1024 * 1024;

const When = z.iso.datetime();
/** What people read: why there is a hold, why a rollout was halted. */
const Text = z.string().min(1).max(2_000);

/** Names a rollout, a hold, an approval: `kiosk-1.4`, `H-2026-017`. It never names two things. */
export const PolicyEntryId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "letters, digits, . _ - and at most 63 of them");
export type PolicyEntryId = z.infer<typeof PolicyEntryId>;

/** Which updates: all that is given must match; nothing given matches every update. */
export const UpdateFilter = z.object({
  product: Product.optional(),
  /** Exactly this one. */
  version: Version.optional(),
  from: Version.optional(),
  below: Version.optional(),
  classifications: z.array(z.enum(CLASSIFICATIONS)).min(1).optional(),
});
export type UpdateFilter = z.infer<typeof UpdateFilter>;

/** Machines by a rule over their facts (`tag.kiosk` exists …). Absent: every machine. */
const Who = Rule.optional();

/** `percent` of the ring's machines have the update `afterHours` after the ring's start. */
const CurvePoint = z.object({
  afterHours: z.number().min(0).max(8_784),
  percent: z.number().min(0).max(100),
});

/** Straight lines between the points; from the first one on its own percentage at once. */
const Curve = z
  .array(CurvePoint)
  .min(1)
  .max(100)
  .refine(
    (points) =>
      points.every((point, at) => {
        const before = points[at - 1];
        return (
          before === undefined ||
          (point.afterHours > before.afterHours && point.percent >= before.percent)
        );
      }),
    "a curve goes forward in time and never down: no machine loses what it was offered",
  );

export const Ring = z.object({
  name: PolicyEntryId,
  /** A machine belongs to the first ring that names it. */
  who: Who,
  startsAt: When,
  curve: Curve.default([{ afterHours: 0, percent: 100 }]),
});
export type Ring = z.infer<typeof Ring>;

const RolloutShape = z.object({
  id: PolicyEntryId,
  product: Product,
  version: Version,
  createdAt: When,
  rings: z.array(Ring).min(1).max(50),
  /**
   * running · paused: no further machine is reached, who has the offer keeps it · halted: nobody is
   * offered it any more.
   */
  state: z.enum(["running", "paused", "halted"]).default("running"),
  /** The curve stands still in each; the last one is open while the rollout is paused. */
  pauses: z
    .array(z.object({ from: When, to: When.optional() }))
    .max(100)
    .default([]),
  /** Why it was paused or halted. */
  text: Text.optional(),
  /** Never installed without being asked for. */
  optional: z.boolean().default(false),
  /** Deferrals, pauses of the machine and the curve do not count; holds and floors do. */
  expedite: z.object({ deadlineDays: z.int().min(0).max(30).default(1) }).optional(),
});
export type Rollout = z.infer<typeof RolloutShape>;

const isOrdered = ({ state, pauses }: Rollout): boolean =>
  pauses.every(({ from, to }, at) => {
    const next = pauses[at + 1];
    if (to === undefined) return next === undefined && state !== "running";
    const end = Date.parse(to);
    return Date.parse(from) <= end && (next === undefined || end <= Date.parse(next.from));
  }) &&
  (state !== "paused" || (pauses.length > 0 && pauses.at(-1)?.to === undefined));
export const Rollout = RolloutShape.refine(
  isOrdered,
  "pauses follow each other; only the last one of a rollout that does not run is open",
);

/** A known problem: matching machines are not offered matching updates until it is lifted. */
export const SafeguardHold = z.object({
  id: PolicyEntryId,
  /** What is wrong, for the person who is not offered the update. */
  text: Text,
  url: z.url().max(2_000).optional(),
  updates: UpdateFilter,
  who: Who,
  createdAt: When,
  /** When a fix is expected: said, not acted on. */
  expectedAt: When.optional(),
  /** It ends by itself. */
  expiresAt: When.optional(),
});
export type SafeguardHold = z.infer<typeof SafeguardHold>;

/** `decline` wins over `approve`. An update that is both declined and installed stays. */
export const Approval = z.object({
  id: PolicyEntryId,
  action: z.enum(["approve", "decline"]),
  updates: UpdateFilter,
  who: Who,
  createdAt: When,
  /** Counts from then on (a schedule). */
  startsAt: When.optional(),
  /** Counts until then. */
  expiresAt: When.optional(),
  /** Installed no later than this; the earliest of all deadlines counts. */
  deadline: When.optional(),
  text: Text.optional(),
});
export type Approval = z.infer<typeof Approval>;

/** A release that must not be skipped: older machines get it before anything newer. */
export const Floor = z.object({ product: Product, version: Version, text: Text.optional() });
export type Floor = z.infer<typeof Floor>;

/** Matching machines go to this version at most, and to it without deferral. */
export const Pin = z.object({
  product: Product,
  version: Version,
  who: Who,
  expiresAt: When.optional(),
  text: Text.optional(),
});
export type Pin = z.infer<typeof Pin>;

/** Device settings from the server. Of two entries that differ the first wins, and it is reported. */
export const SettingsEntry = z.object({ id: PolicyEntryId, who: Who, values: ServerSettings });
export type SettingsEntry = z.infer<typeof SettingsEntry>;

const distinctIds = (entries: readonly { id: string }[]): boolean =>
  new Set(entries.map(({ id }) => id)).size === entries.length;
const listOf = <Entry extends z.ZodType<{ id: string }>>(entry: Entry) =>
  z.array(entry).max(1_000).refine(distinctIds, "an id names two entries").default([]);

export const OfferPolicy = z.object({
  /** `upbeat.policy/MAJOR.MINOR` */
  schema: z.string().regex(/^upbeat\.policy\/\d+\.\d+$/),
  channel: Channel,
  /** One higher with every change; a device refuses to go back. */
  revision: z.int().positive(),
  issuedAt: When,
  /** Without a rollout of its own an update is offered to everyone, or to nobody. */
  rolloutRequired: z.boolean().default(false),
  /** Only what an approval names is offered. */
  approvalRequired: z.boolean().default(false),
  rollouts: listOf(Rollout),
  holds: listOf(SafeguardHold),
  approvals: listOf(Approval),
  floors: z.array(Floor).max(1_000).default([]),
  pins: z.array(Pin).max(1_000).default([]),
  settings: listOf(SettingsEntry),
});
export type OfferPolicy = z.infer<typeof OfferPolicy>;

/** What a channel without a policy means. */
export const emptyOfferPolicy = (channel: Channel, issuedAt: string): OfferPolicy =>
  OfferPolicy.parse({
    schema: `upbeat.policy/${POLICY_MAJOR}.0`,
    channel,
    revision: 1,
    issuedAt,
  });

/**
 * Parses a policy whose bytes are already verified. `object` names it in errors.
 * Errors: UPB-POLICY-VERSION for an unknown major, UPB-POLICY-INVALID for anything else.
 */
export function readOfferPolicy(bytes: Uint8Array, channel: Channel, object: string): OfferPolicy {
  const invalid = (detail: string, cause?: unknown): UpbeatError =>
    new UpbeatError("UPB-POLICY-INVALID", { object, detail, cause });
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid("it is not JSON", cause);
  }
  const schema = z.object({ schema: z.string() }).safeParse(json).data?.schema ?? "";
  const major = /^upbeat\.policy\/(\d+)\./.exec(schema)?.[1];
  if (major !== undefined && Number(major) !== POLICY_MAJOR) {
    throw new UpbeatError("UPB-POLICY-VERSION", {
      object,
      detail: `expected major version ${POLICY_MAJOR}, found "${schema}"`,
    });
  }
  const parsed = OfferPolicy.safeParse(json);
  if (!parsed.success) throw invalid(z.prettifyError(parsed.error));
  if (parsed.data.channel !== channel) throw invalid(`it speaks for "${parsed.data.channel}"`);
  return parsed.data;
}
