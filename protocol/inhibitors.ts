/**
 * Applications may object to a restart: with a reason, for a limited time. An inhibitor holds a
 * restart up until its deadline, never beyond (issue: the deadline is the administrator's promise).
 *
 *   POST /v1/inhibitors  InhibitRequest         -> Inhibitor
 *   POST /v1/inhibitors/:id/release             -> { released: boolean }
 */
import { z } from "zod";

/** Longer than any backup or presentation; it can be asked for again. */
export const INHIBIT_MAX_MS = 24 * 3_600_000;
export const INHIBIT_DEFAULT_MS = 2 * 3_600_000;

const Text = z.string().trim().min(1).max(200);

export const InhibitRequest = z.strictObject({
  /** The application, e.g. `backup`. */
  who: Text,
  /** What would be lost: people read it. */
  why: Text,
  forMs: z.int().min(1_000).max(INHIBIT_MAX_MS).default(INHIBIT_DEFAULT_MS),
});
export type InhibitRequest = z.infer<typeof InhibitRequest>;

export const Inhibitor = z.object({
  id: z.string(),
  who: z.string(),
  why: z.string(),
  sinceMs: z.int(),
  /** Absent: as long as the program holds it (systemd-inhibit). */
  untilMs: z.int().optional(),
  /** `system`: taken with systemd-inhibit, which Upbeat respects too. */
  from: z.enum(["upbeat", "system"]),
});
export type Inhibitor = z.infer<typeof Inhibitor>;
