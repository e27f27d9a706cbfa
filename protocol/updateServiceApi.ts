/**
 * What the orchestrator may say to the update service over its socket: ids and verbs, nothing else.
 *
 *   GET  /v1/status            -> ServiceStatus
 *   POST /v1/jobs  JobRequest  -> 202 JobAccepted · 409 UPB-INSTALL-BUSY
 *   POST /v1/pause             -> { paused: boolean }           stopped where it is, if it can be
 *   POST /v1/restart           -> { begun: true }               restarts the machine, now
 *   GET  /v1/plans/JOB         -> PlanAnswer · 404 UPB-CHANGE-UNKNOWN
 *   GET  /v1/history?limit=N   -> { entries: HistoryEntry[] }   newest first
 *
 * Errors are `ErrorReport` bodies with a 4xx or 5xx status.
 */
import { z } from "zod";
import { DownloadPlan } from "./downloadPlan.ts";
import { ErrorReport } from "./errors/error.ts";
import { Channel, Product, Sha256, UpdateId, Version } from "./ids.ts";
import {
  PROVIDER_MAX_UPDATES,
  ProviderId,
  ProviderState,
  ProviderUpdateId,
  ProviderVerb,
} from "./providers.ts";
import { BandwidthRule } from "./transfer.ts";

/** How long one can go back (design, "Numbers to keep"). */
export const ROLLBACK_DAYS = { min: 2, usual: 10, max: 60 };

export const JobRequest = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("download"),
    update: UpdateId,
    /** Nobody waits for it: it takes less of the network, and stops when it is told to. */
    background: z.boolean().optional(),
    /** What the settings allow it of the network, where root's own rules say nothing. */
    bandwidth: z.array(BandwidthRule).max(4).optional(),
  }),
  z.strictObject({
    kind: z.literal("install"),
    update: UpdateId,
    /** How long the version before is kept; ten when nothing is said. */
    rollbackDays: z.int().min(ROLLBACK_DAYS.min).max(ROLLBACK_DAYS.max).optional(),
  }),
  z.strictObject({ kind: z.literal("rollback"), product: Product }),
  z.strictObject({ kind: z.literal("uninstall"), product: Product }),
  /** Works out how the update would come here, and leaves the answer at `/v1/plans/JOB`. */
  z.strictObject({ kind: z.literal("plan"), update: UpdateId }),
  /** Checks the version that runs against its list, and mends what is damaged. */
  z.strictObject({ kind: z.literal("verify"), product: Product }),
  z.strictObject({
    kind: z.literal("provider"),
    provider: ProviderId,
    verb: ProviderVerb,
    /** Its own names of what is meant; none for `refresh`. */
    updates: z.array(ProviderUpdateId).max(PROVIDER_MAX_UPDATES),
  }),
]);
export type JobRequest = z.infer<typeof JobRequest>;

/** Of a `plan` job; kept until the service ends. */
export const PlanAnswer = z.object({
  state: z.enum(["working", "done", "failed"]),
  plan: DownloadPlan.optional(),
  error: ErrorReport.optional(),
});
export type PlanAnswer = z.infer<typeof PlanAnswer>;

export const JobAccepted = z.object({ jobId: z.uuid() });
export type JobAccepted = z.infer<typeof JobAccepted>;

/** The states of `core/updateStates.ts`, whose table is checked against this list by its type. */
export const UPDATE_STATES = [
  "offered",
  "held",
  "paused",
  "superseded",
  "downloading",
  "downloaded",
  "installing",
  "restart-pending",
  "committing",
  "installed",
  "rolling-back",
  "rolled-back",
  "uninstalling",
  "uninstalled",
  "failed",
] as const;
export type UpdateState = (typeof UPDATE_STATES)[number];

/** The phases of the one honest progress bar. */
export const PHASES = [
  "refresh-metadata",
  "plan",
  "download",
  "apply",
  "verify",
  "stage",
  "switch",
  "health-check",
  "commit",
  "rollback",
  "inspect",
  "mend",
  "provider",
] as const;

export const Progress = z.object({
  jobId: z.uuid(),
  phase: z.enum(PHASES),
  doneBytes: z.int().nonnegative(),
  totalBytes: z.int().nonnegative(),
  /** When the phase began. */
  sinceMs: z.int(),
  /** When bytes last moved, or the phase began: `core/stageLimits.ts` says how long may pass. */
  movedMs: z.int().optional(),
});
export type Progress = z.infer<typeof Progress>;

export const UpdateRecord = z.object({
  product: Product,
  version: Version,
  manifestSha256: Sha256,
  state: z.enum(UPDATE_STATES),
  /** When the state was entered, milliseconds since 1970. */
  sinceMs: z.int(),
  jobId: z.uuid(),
  /** How it came, or is coming, onto this machine. */
  plan: DownloadPlan.optional(),
  error: ErrorReport.optional(),
});
export type UpdateRecord = z.infer<typeof UpdateRecord>;

export const InstalledProduct = z.object({
  product: Product,
  channel: Channel,
  current: Version.optional(),
  /** The version to which `rollback` goes back, and until when it is kept. */
  previous: Version.optional(),
  rollbackUntilMs: z.int().optional(),
});
export type InstalledProduct = z.infer<typeof InstalledProduct>;

export const ServiceStatus = z.object({
  pid: z.int(),
  startedMs: z.int(),
  busy: Progress.optional(),
  /** It removes what is not needed any more. */
  tidying: z.boolean(),
  products: z.array(InstalledProduct),
  updates: z.array(UpdateRecord),
  providers: z.array(ProviderState).default([]),
});
export type ServiceStatus = z.infer<typeof ServiceStatus>;

export const OPERATIONS = ["install", "rollback", "uninstall", "verify"] as const;
export const RESULTS = ["succeeded", "failed", "rolled-back"] as const;

/** What a look at an installed version found, and what came of it. */
export const VerifyReport = z.object({
  checkedFiles: z.int().nonnegative(),
  checkedBytes: z.int().nonnegative(),
  damagedCount: z.int().nonnegative(),
  /** The first of them. */
  damaged: z.array(z.object({ path: z.string(), what: z.string() })).max(100),
  mendedCount: z.int().nonnegative(),
  /** Of them, had to come from the server. */
  fetchedCount: z.int().nonnegative(),
  /** Beside the version's own files, and left alone. */
  unknownCount: z.int().nonnegative(),
});
export type VerifyReport = z.infer<typeof VerifyReport>;

/** One entry an operation, however often it was interrupted. */
export const HistoryEntry = z.object({
  id: z.uuid(),
  operation: z.enum(OPERATIONS),
  /** Done by a provider, which `product` names then too. */
  provider: ProviderId.optional(),
  product: Product,
  fromVersion: Version.optional(),
  toVersion: Version.optional(),
  manifestSha256: Sha256.optional(),
  title: z.string(),
  startedMs: z.int(),
  endedMs: z.int(),
  result: z.enum(RESULTS),
  /** True: installed after the metadata that vouched for it at download had expired. */
  metadataExpired: z.boolean().optional(),
  verify: VerifyReport.optional(),
  /** Of an install: how the update had come here. */
  download: DownloadPlan.optional(),
  error: ErrorReport.optional(),
});
export type HistoryEntry = z.infer<typeof HistoryEntry>;
