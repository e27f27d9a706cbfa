/**
 * What the orchestrator decides, as values: why an update is not offered, what an offered one waits
 * for, what the restart's plan is, and the trace behind an answer. Made by `core/`, on the device,
 * in the server's preview and in the simulator alike. Times are milliseconds since 1970.
 */
import { z } from "zod";
import { ErrorReport } from "./errors/error.ts";
import { Product, UpdateId, Version } from "./ids.ts";

/** Why an update exists and is not offered. The order is that in which they are asked. */
export const NOT_OFFERED_REASONS = [
  /** The signed policy of its channel cannot be read: then nothing is offered. */
  "policy-unreadable",
  // The four causes of "not applicable" (windows-update.md 1.3) and what belongs to them
  "installed",
  "older-than-installed",
  "superseded",
  "not-installable",
  "prerequisite-missing",
  // What happened on this machine
  "rolled-back-here",
  "failed-here",
  // The signed policy
  "safeguard-hold",
  "declined",
  "not-approved",
  "rollout-halted",
  "rollout-paused",
  "ring-not-reached",
  "not-in-rollout",
  "floor-first",
  "pinned",
  // The settings
  "deferred",
  "paused",
  "hidden",
] as const;

/** An update that exists and is not offered, and why: a refusal is a value with a reason. */
export const NotOffered = z.object({
  product: Product,
  version: Version,
  reason: z.enum(NOT_OFFERED_REASONS),
  /** One plain sentence. */
  detail: z.string(),
  /** When the reason ends by itself, as far as is known now. */
  untilMs: z.int().optional(),
  /** The id of the rollout, hold or approval, or who set the setting. */
  by: z.string().optional(),
});
export type NotOffered = z.infer<typeof NotOffered>;

/** What an offered update, or the restart, waits for. */
export const WAIT_REASONS = [
  "download-consent",
  "install-consent",
  "restart-consent",
  "network",
  "unmetered-network",
  "mains-power",
  "person-away",
  "machine-idle",
  "active-hours",
  "maintenance-window",
  "retry",
  "before-it",
  "restart-pending",
  "inhibitor",
  "snoozed",
  "chosen-time",
  "warning-time",
  "restart-lock",
] as const;

export const Waiting = z.object({
  reason: z.enum(WAIT_REASONS),
  /** One plain sentence. */
  sentence: z.string(),
  untilMs: z.int().optional(),
  /** Who holds it up: an application, a lock service. */
  by: z.string().optional(),
});
export type Waiting = z.infer<typeof Waiting>;

/** Before a restart by itself people are told 24 h, 4 h and 15 min ahead. */
export const RESTART_WARNINGS = ["24h", "4h", "15min"] as const;
export const RestartWarning = z.object({ kind: z.enum(RESTART_WARNINGS), atMs: z.int() });

/** The one restart for everything that is pending. */
export const RestartPlan = z.object({
  updates: z.array(UpdateId),
  pendingSinceMs: z.int(),
  /** When it happens by itself; absent: nobody can say yet, `waiting` says for what. */
  atMs: z.int().optional(),
  /** From then on it happens whatever else is wished; absent: never without consent. */
  deadlineMs: z.int().optional(),
  /** automatic: at the next good moment · engaged: the person is asked for a time · chosen: given. */
  mode: z.enum(["automatic", "engaged", "chosen"]),
  warnings: z.array(RestartWarning),
  waiting: z.array(Waiting),
});
export type RestartPlan = z.infer<typeof RestartPlan>;

/** One question that was asked on the way to an answer. */
export interface TraceStep {
  /** `Is it held by a safeguard hold?` */
  readonly question: string;
  /** passed: it speaks for the offer · stopped: it is why not · noted: it says something beside. */
  readonly answer: "passed" | "stopped" | "noted";
  readonly because: string;
  readonly parts?: readonly TraceStep[] | undefined;
}
/** The depth is bounded by the rules' own (`core/applicability.ts`). */
export const TraceStep: z.ZodType<TraceStep> = z.lazy(() =>
  z.object({
    question: z.string(),
    answer: z.enum(["passed", "stopped", "noted"]),
    because: z.string(),
    parts: z.array(TraceStep).optional(),
  }),
);

/** `upbeat why PRODUCT[@VERSION]`: the sentence first, then how it came to it. */
export const Explanation = z.object({
  product: Product,
  version: Version.optional(),
  outcome: z.enum(["offered", "not-offered", "unknown"]),
  reason: z.enum(NOT_OFFERED_REASONS).optional(),
  sentence: z.string(),
  untilMs: z.int().optional(),
  by: z.string().optional(),
  /** What an offered update waits for. */
  waiting: z.array(Waiting),
  /** When the machine said so, where another answers for it; absent: now. */
  waitingAtMs: z.int().optional(),
  lastError: ErrorReport.optional(),
  trace: z.array(TraceStep),
});
export type Explanation = z.infer<typeof Explanation>;
