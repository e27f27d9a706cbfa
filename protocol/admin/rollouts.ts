/**
 * Rollouts, holds and approvals as an administrator looks at them. They are signed: what changes
 * them is a command with the channel's key.
 */
import { z } from "zod";
import { RolloutCounts } from "../adminApi.ts";
import { Channel } from "../ids.ts";
import { Approval, Floor, Pin, PolicyEntryId, Rollout, SafeguardHold } from "../offerPolicy.ts";

export const ListedRollout = z.object({
  channel: Channel,
  rollout: Rollout,
  /** Devices that follow its product in its channel. */
  devices: z.int().nonnegative(),
  /** Of them, how many the plan has reached by now. */
  planned: z.int().nonnegative(),
  counts: RolloutCounts,
});
export type ListedRollout = z.infer<typeof ListedRollout>;

/** Devices that had come this far by then, each counted once in every step. */
export const RolloutPoint = z.object({
  atMs: z.int(),
  offered: z.int().nonnegative(),
  downloaded: z.int().nonnegative(),
  installed: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  rolledBack: z.int().nonnegative(),
});
export type RolloutPoint = z.infer<typeof RolloutPoint>;

export const RingStanding = z.object({
  name: PolicyEntryId,
  /** Devices that belong to it, as far as they have reported. */
  devices: z.int().nonnegative(),
  /** Its start, with the curve's pauses put in; absent while a pause is open before it. */
  startsMs: z.int().optional(),
  /** When the curve is at its end. */
  endsMs: z.int().optional(),
  /** Where the curve is now, 0 to 100. */
  percent: z.number().min(0).max(100),
});
export type RingStanding = z.infer<typeof RingStanding>;

export const RolloutDetail = ListedRollout.extend({
  rings: z.array(RingStanding),
  /** Cumulative, in time order; only moments at which something changed, at most 500. */
  actual: z.array(RolloutPoint).max(500),
  /** How many devices the signed plan reaches by when, over all rings. */
  plan: z.array(z.object({ atMs: z.int(), devices: z.int().nonnegative() })).max(500),
  /** That mean its update. */
  holds: z.array(SafeguardHold),
  approvals: z.array(Approval),
});
export type RolloutDetail = z.infer<typeof RolloutDetail>;

/** All that narrows offers, of every channel that has a policy. */
export const Restrictions = z.object({
  channels: z.array(
    z.object({
      channel: Channel,
      revision: z.int().positive(),
      issuedAt: z.iso.datetime(),
      rolloutRequired: z.boolean(),
      approvalRequired: z.boolean(),
      holds: z.array(
        SafeguardHold.safeExtend({
          /** It has not ended by itself. */
          active: z.boolean(),
        }),
      ),
      approvals: z.array(Approval),
      floors: z.array(Floor),
      pins: z.array(Pin),
    }),
  ),
});
export type Restrictions = z.infer<typeof Restrictions>;
