/**
 * Providers: updaters of others (apt, firmware, a vendor's tool) that share Upbeat's checks, queue,
 * notices, history and restart. Each is a folder `etc/upbeat/providers.d/NAME` with executables; how
 * they are called is in docs/providers.md.
 */
import { z } from "zod";
import { ErrorReport } from "./errors/error.ts";
import { CLASSIFICATIONS } from "./manifest.ts";

export const ProviderId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,30}$/, "a provider is lower-case letters, digits and -")
  .brand<"ProviderId">();
export type ProviderId = z.infer<typeof ProviderId>;

/** A provider's own name of an update: data for its programs, never a path or a command. */
export const ProviderUpdateId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._+:~-]{0,127}$/, "letters, digits, . _ + : ~ -");

export const PROVIDER_MAX_UPDATES = 5_000;

export const ProviderUpdate = z.object({
  id: ProviderUpdateId,
  title: z.string().min(1).max(200),
  version: z.string().min(1).max(100),
  installedVersion: z.string().min(1).max(100).optional(),
  classification: z.enum(CLASSIFICATIONS).default("update"),
  sizeBytes: z.int().nonnegative().optional(),
  restart: z.enum(["never", "canRequest", "always"]).default("never"),
  /** Installed no later than this. */
  deadline: z.iso.datetime().optional(),
});
export type ProviderUpdate = z.infer<typeof ProviderUpdate>;

/** What `scan` prints. */
export const ProviderScan = z.object({
  updates: z.array(ProviderUpdate).max(PROVIDER_MAX_UPDATES),
});

/** `refresh` brings its lists up to date; the others get ids, one a line, on standard input. */
export const PROVIDER_VERBS = ["refresh", "download", "install", "uninstall"] as const;
export const ProviderVerb = z.enum(PROVIDER_VERBS);
export type ProviderVerb = z.infer<typeof ProviderVerb>;

/** What the other programs may print; nothing means that all is said. */
export const ProviderOutcome = z.object({
  /** What was done is complete only after a restart of the machine. */
  restart: z.boolean().default(false),
});

/** What the last check found at one provider. */
export const ProviderReport = z.object({
  provider: ProviderId,
  scannedMs: z.int(),
  tookMs: z.int(),
  verbs: z.array(ProviderVerb),
  updates: z.array(ProviderUpdate),
  /** Why nothing was found out; its updates are then none. */
  failure: z.string().optional(),
});
export type ProviderReport = z.infer<typeof ProviderReport>;

/** What the update service remembers of a provider. */
export const ProviderState = z.object({
  provider: ProviderId,
  last: z
    .object({
      jobId: z.uuid(),
      verb: ProviderVerb,
      endedMs: z.int(),
      error: ErrorReport.optional(),
    })
    .optional(),
  /** Since when it waits for a restart of the machine. */
  restartPendingMs: z.int().optional(),
});
export type ProviderState = z.infer<typeof ProviderState>;
