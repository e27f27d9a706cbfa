/**
 * What the CLI and the Settings page say to the orchestrator over its socket.
 *
 *   GET  /v1/status                    -> DeviceStatus
 *   POST /v1/changes  ChangeRequest    -> 202 Change     a check, a download, an install …
 *   GET  /v1/changes/:id               -> Change
 *   GET  /v1/why?product=P&version=V   -> Explanation
 *   GET  /v1/policy                    -> EffectivePolicy
 *   POST /v1/settings SettingsChange   -> EffectivePolicy   a person's own
 *   POST /v1/restart RestartWish       -> DeviceStatus
 *   GET  /v1/decisions …               see `decisionLog.ts`
 *   POST /v1/inhibitors …              see `inhibitors.ts`
 *   GET  /v1/facts                    -> FactReport     collected for the answer
 *   GET  /v1/history?limit=N           -> { entries: HistoryEntry[] } (as the update service keeps it)
 *
 * Errors are `ErrorReport` bodies with a 4xx or 5xx status.
 */
import { z } from "zod";
import { NotOffered, RestartPlan, Waiting } from "./decisions.ts";
import { Facts } from "./deviceApi.ts";
import { DownloadPlan } from "./downloadPlan.ts";
import { ErrorReport } from "./errors/error.ts";
import { Channel, DeviceId, Product, UpdateId, Version } from "./ids.ts";
import { Inhibitor } from "./inhibitors.ts";
import { CLASSIFICATIONS, SEVERITIES } from "./manifest.ts";
import { PolicyEntryId } from "./offerPolicy.ts";
import { ProviderId, ProviderReport } from "./providers.ts";
import { SETTING_LAYERS, UserSettings } from "./settings.ts";
import { Finding } from "./troubleshooting/diagnosis.ts";
import { InstalledProduct, Progress, UpdateRecord, VerifyReport } from "./updateServiceApi.ts";

/** Neither product nor provider: every offered update, and what the providers have. */
const WhichUpdates = {
  product: Product.optional(),
  provider: ProviderId.optional(),
  /** Exactly these, of what is offered. */
  updates: z.array(UpdateId).max(1_000).optional(),
  /** Nobody waits for it: it takes less of the network and stops when somebody comes back. */
  background: z.boolean().optional(),
  /** The machine goes down: nobody comes back before that. */
  atShutdown: z.boolean().optional(),
};

export const ChangeRequest = z.discriminatedUnion("kind", [
  /** `full` ignores what is cached about the server's state and asks for everything again. */
  z.strictObject({
    kind: z.literal("check"),
    full: z.boolean().default(false),
    /** From the catalogue that the administrator has put in place, not from the server. */
    offline: z.boolean().optional(),
  }),
  z.strictObject({ kind: z.literal("download"), ...WhichUpdates }),
  z.strictObject({ kind: z.literal("install"), ...WhichUpdates }),
  z.strictObject({ kind: z.literal("rollback"), product: Product }),
  z.strictObject({ kind: z.literal("uninstall"), product: Product }),
  /** How downloads would go, without doing them. Without `product`: of every offered update. */
  z.strictObject({ kind: z.literal("plan"), product: Product.optional() }),
  /** Without `product`: everything that is installed. */
  z.strictObject({ kind: z.literal("verify"), product: Product.optional() }),
]);
export type ChangeRequest = z.infer<typeof ChangeRequest>;

/** As far as this machine has measured such work. */
export const InstallForecast = z.object({
  /** From its begin to its end, without the download and without a restart. */
  installMs: z.int().nonnegative(),
  /** How long of that the old version does not run and the new one is not proved. */
  downtimeMs: z.int().nonnegative(),
});
export type InstallForecast = z.infer<typeof InstallForecast>;

/** An update that suits this machine and is not installed. */
export const Offer = z.object({
  update: UpdateId,
  channel: Channel,
  title: z.string(),
  classification: z.enum(CLASSIFICATIONS),
  severity: z.enum(SEVERITIES),
  releaseNotes: z.string(),
  /** Sum of the payload's files, before anything that is already here is taken off. */
  sizeBytes: z.int().nonnegative(),
  installedVersion: Version.optional(),
  restart: z.enum(["never", "canRequest", "always"]),
  /** Absent: nothing was installed on this machine yet. */
  forecast: InstallForecast.optional(),
  /** It may ask questions while it installs, so only a person starts it. */
  userInput: z.boolean().default(false),
  /** It is installed alone. */
  exclusive: z.boolean().default(false),
  /** Listed and installed only when somebody asks for it. */
  optional: z.boolean().default(false),
  /** Which rollout it came by, and whether that one is in a hurry. */
  rollout: PolicyEntryId.optional(),
  expedited: z.boolean().default(false),
  /** A date by which it must be installed, from its manifest or an approval. */
  deadlineMs: z.int().optional(),
  /** Days from the first offer that count instead of the settings' deadline. */
  deadlineDays: z.int().optional(),
});
export type Offer = z.infer<typeof Offer>;

export const CheckResult = z.object({
  /** `unchanged`: the server's signed state is the one already evaluated. */
  outcome: z.enum(["unchanged", "evaluated"]),
  requests: z.int().nonnegative(),
  receivedBytes: z.int().nonnegative(),
  offers: z.array(Offer),
  notOffered: z.array(NotOffered),
  /** What other updaters have. */
  providers: z.array(ProviderReport).default([]),
});
export type CheckResult = z.infer<typeof CheckResult>;

/** One bar over everything that a change has to do (`core/wholeProgress.ts`). */
export const WholeProgress = z.object({
  /** 0 to 1: never goes back, and is 1 only when all is done. */
  fraction: z.number().min(0).max(1),
  /** What the rest takes, as far as this machine has measured such work; absent: too early to say. */
  leftMs: z.int().nonnegative().optional(),
});
export type WholeProgress = z.infer<typeof WholeProgress>;

export const Change = z.object({
  id: z.uuid(),
  request: ChangeRequest,
  state: z.enum(["waiting", "running", "succeeded", "nothing-to-do", "failed"]),
  startedMs: z.int(),
  endedMs: z.int().optional(),
  /** When a job of it was last seen at work. */
  movedMs: z.int().optional(),
  progress: Progress.optional(),
  /** Absent for what has no phases: a check, an undoing. */
  whole: WholeProgress.optional(),
  /** The updates that it concerns and where they stand. */
  updates: z.array(UpdateRecord),
  check: CheckResult.optional(),
  plans: z.array(z.object({ update: UpdateId, plan: DownloadPlan })).optional(),
  verified: z
    .array(z.object({ product: Product, version: Version, report: VerifyReport }))
    .optional(),
  error: ErrorReport.optional(),
});
export type Change = z.infer<typeof Change>;

export const UpdateWaiting = z.object({
  update: UpdateId,
  step: z.enum(["download", "install"]),
  waiting: z.array(Waiting),
});

/** What `now` cannot say in one sentence. */
export const Activity = z.object({
  /** Since when it is so. Absent: nobody knows. */
  sinceMs: z.int().optional(),
  /** What it needs to go on; goes on the words "it waits for". */
  waitsFor: z.string(),
  /** When that comes by itself, if that is known. */
  untilMs: z.int().optional(),
  /** Counts as stuck then, unless something moves before. Absent: waiting is what it should do. */
  stuckMs: z.int().optional(),
  /** It is stuck: which phase, since when, and what to do. */
  stuck: ErrorReport.optional(),
  /** What a person can do about it, or does to have it at once. */
  advice: z.string(),
});
export type Activity = z.infer<typeof Activity>;

/** What people at the machine were told without asking. */
export const Notice = z.object({
  atMs: z.int(),
  kind: z.enum(["restart", "update"]),
  sentence: z.string(),
});
export type Notice = z.infer<typeof Notice>;

export const DeviceStatus = z.object({
  pid: z.int(),
  startedMs: z.int(),
  deviceId: DeviceId.optional(),
  serverUrl: z.url().optional(),
  /** One plain sentence: what is happening now, or what it waits for. */
  now: z.string(),
  activity: Activity.optional(),
  /** The change that is being carried out. */
  running: Change.optional(),
  lastCheckMs: z.int().optional(),
  lastCheckError: ErrorReport.optional(),
  nextCheckMs: z.int().optional(),
  trust: z.object({ versions: z.record(z.string(), z.int()), expiresMs: z.int() }).optional(),
  offers: z.array(Offer),
  notOffered: z.array(NotOffered).default([]),
  products: z.array(InstalledProduct),
  updates: z.array(UpdateRecord),
  updateService: z.enum(["running", "not-running"]),
  /** What offered updates wait for, one step each. */
  waiting: z.array(UpdateWaiting).default([]),
  /** What a shutdown by the person takes along. */
  atShutdown: z.array(UpdateId).default([]),
  /** The one restart for everything that is pending. */
  restart: RestartPlan.optional(),
  /** Why it did not happen when it was tried. */
  restartError: ErrorReport.optional(),
  /** Nothing new is offered until then. */
  paused: z.object({ untilMs: z.int(), setBy: z.enum(SETTING_LAYERS) }).optional(),
  /** Why the administrator's settings are not used as they stand. */
  settingsProblem: ErrorReport.optional(),
  /** What other updaters had at the last check. */
  providers: z.array(ProviderReport).default([]),
  /** Who objects to a restart now. */
  inhibitors: z.array(Inhibitor).default([]),
  /** The last ones, the newest first. */
  notices: z.array(Notice).default([]),
  reportsWaiting: z.int().nonnegative(),
  /** What the troubleshooter found last and is still open; absent: it has not run. */
  found: z
    .object({
      atMs: z.int(),
      findings: z.array(
        Finding.pick({ cause: true, severity: true, title: true, object: true, remedy: true }),
      ),
    })
    .optional(),
});
export type DeviceStatus = z.infer<typeof DeviceStatus>;

/** What a person wishes of this machine's settings; the administrator's and the server's come on top. */
export const SettingsChange = z.strictObject({
  set: UserSettings.default({}),
  unset: z.array(z.string().max(100)).max(100).default([]),
});
export type SettingsChange = z.infer<typeof SettingsChange>;

/** What this machine is, by where it was found out. */
export const FactReport = z.object({
  collectedMs: z.int(),
  sources: z.array(
    z.object({
      source: z.string(),
      facts: Facts,
      tookMs: z.int(),
      /** Why this source has no facts to give. */
      failure: z.string().optional(),
    }),
  ),
});
export type FactReport = z.infer<typeof FactReport>;
