/**
 * The FleetLock protocol: a counting semaphore of restarts for each group of machines, so that a
 * cluster never restarts as a whole (Zincati, docs/development/fleetlock/protocol.md; coreos/airlock
 * is the reference server).
 *
 *   POST /v1/pre-reboot     LockRequest -> 200: the slot is held · anything else: do not restart
 *   POST /v1/steady-state   LockRequest -> 200: the slot is free again
 *
 * Both carry the header `fleet-lock-protocol: true`, and both may be repeated: whoever holds a slot
 * is granted it again, whoever holds none releases none.
 */
import { z } from "zod";

export const FLEET_LOCK_HEADER = "fleet-lock-protocol";

/** The protocol's own expression; the length is ours. */
export const LockGroupName = z
  .string()
  .max(64)
  .regex(/^[a-zA-Z0-9.-]+$/, "a group is letters, digits, . and -");
/** "A case-sensitive textual label". What could not be printed on one line is refused. */
export const LockHolder = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\x21-\x7e]+$/, "a holder is letters, digits and marks without spaces");

export const LockRequest = z.object({
  client_params: z.object({ id: LockHolder, group: LockGroupName }),
});
export type LockRequest = z.infer<typeof LockRequest>;

/** The protocol's error body. `kind` is one of few, `value` is for people. */
export const LockRefusal = z.object({ kind: z.string().min(1), value: z.string().min(1) });
export type LockRefusal = z.infer<typeof LockRefusal>;

/** For administrators: what `upbeat fleet-lock` sets and shows. */
export const LockGroupSettings = z.strictObject({
  /** How many machines of the group may restart at a time; 0: none. */
  slots: z.int().min(0).max(100_000),
  /** Whether machines that are not enrolled here may take slots too, e.g. those of Zincati. */
  open: z.boolean().default(false),
});
export const LockGroup = LockGroupSettings.extend({
  group: LockGroupName,
  /** Oldest first. */
  holders: z.array(z.object({ holder: LockHolder, sinceMs: z.int() })),
});
export type LockGroup = z.infer<typeof LockGroup>;
