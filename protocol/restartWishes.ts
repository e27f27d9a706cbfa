/**
 * What people say about the one restart that is pending.
 *
 *   POST /v1/restart  RestartWish  -> DeviceStatus
 */
import { z } from "zod";

export const RestartWish = z.discriminatedUnion("when", [
  z.strictObject({ when: z.literal("now") }),
  /** At that time; never beyond the deadline. */
  z.strictObject({ when: z.literal("at"), atMs: z.int() }),
  /** Not before then; never beyond the deadline. */
  z.strictObject({ when: z.literal("snooze"), forMs: z.int().positive() }),
  /** Takes back what was said. */
  z.strictObject({ when: z.literal("automatic") }),
]);
export type RestartWish = z.infer<typeof RestartWish>;
