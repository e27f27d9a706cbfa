/**
 * What the Settings page in a browser says to its own process over HTTP on loopback, and how
 * `upbeat settings` asks that process for a link over its Unix socket.
 *
 *   POST /api/session   SessionRequest       -> Session         uses up the link, sets the cookie
 *   GET  /api/session                        -> Session
 *   GET  /api/live                           -> text/event-stream of DeviceView, at each difference
 *   GET  /api/history?limit=N                -> { entries: HistoryEntry[] }
 *   POST /api/changes   ChangeRequest        -> 202 Change
 *   POST /api/restart   RestartWish          -> DeviceStatus
 *   GET  /api/why?product=P&version=V        -> Explanation
 *   GET  /api/policy                         -> EffectivePolicy
 *   POST /api/settings  SettingsChange       -> EffectivePolicy   a person's own wishes
 *   POST /api/policy    PolicyChange         -> EffectivePolicy   the administrator's file
 *   POST /api/services/:name/:action         -> ServiceInfo
 *   GET  /api/services/:name/logs?lines=N    -> { lines: string[] }
 *   GET  /api/troubleshoot                   -> TroubleshootRun
 *   POST /api/troubleshoot  {repair}         -> TroubleshootRun   begins one
 *   POST /api/troubleshoot/undo              -> TroubleshootRun
 *   POST /api/manager/start                  -> { services: ServiceInfo[] }
 *
 *   socket: POST /v1/links  LinkRequest      -> Link
 *
 * Errors are `ErrorReport` bodies with a 4xx or 5xx status.
 */
import { z } from "zod";
import { ErrorReport } from "./errors/error.ts";
import { DeviceStatus } from "./orchestratorApi.ts";
import { ServiceInfo } from "./servicesApi.ts";
import { AdminSettings } from "./settings.ts";
import { CheckOutcome, Diagnosis } from "./troubleshooting/diagnosis.ts";

/** Each includes the ones before it. `administer`: policy and what the services run as. */
export const ACCESS = ["read", "change", "administer"] as const;
export const Access = z.enum(ACCESS);
export type Access = z.infer<typeof Access>;

export const includesAccess = (has: Access, needs: Access): boolean =>
  ACCESS.indexOf(has) >= ACCESS.indexOf(needs);

export const LinkRequest = z.strictObject({
  /** Less than the account may have, never more. */
  atMost: Access.default("administer"),
});

export const Link = z.object({ url: z.url(), access: Access, expiresMs: z.int() });
export type Link = z.infer<typeof Link>;

export const SessionRequest = z.strictObject({ token: z.string().max(100) });
export type SessionRequest = z.infer<typeof SessionRequest>;

export const Session = z.object({
  may: z.object({ change: z.boolean(), administer: z.boolean() }),
  /**
   * The second half of the session: goes into a header of each request. The cookie alone proves
   * nothing, because browsers send it to every port of this machine.
   */
  key: z.string(),
  hostName: z.string(),
});
export type Session = z.infer<typeof Session>;

export const SESSION_KEY_HEADER = "x-upbeat-key";

/** What an administrator changes of `etc/upbeat/settings.json`. */
export const PolicyChange = z.strictObject({
  set: AdminSettings.default({}),
  unset: z.array(z.string().max(100)).max(100).default([]),
});
export type PolicyChange = z.infer<typeof PolicyChange>;

/** The run of the troubleshooter that is going on, or the last one. */
export const TroubleshootRun = z.object({
  state: z.enum(["idle", "running", "done", "failed"]),
  repair: z.boolean(),
  /** In the order in which they were made. */
  checks: z.array(CheckOutcome),
  /** The repair that is being made. */
  doing: z.string().optional(),
  diagnosis: Diagnosis.optional(),
  /** What was taken back, one change a line. */
  undone: z.array(z.string()),
  error: ErrorReport.optional(),
});
export type TroubleshootRun = z.infer<typeof TroubleshootRun>;

/** What was asked of another process: its answer, or why there is none. */
export const asked = <T extends z.ZodType>(value: T) =>
  z.discriminatedUnion("state", [
    z.object({ state: z.literal("ready"), value }),
    z.object({ state: z.literal("failed"), error: ErrorReport }),
  ]);
export type Asked<T> =
  | { readonly state: "ready"; readonly value: T }
  | { readonly state: "failed"; readonly error: ErrorReport };

export const DeviceView = z.object({
  device: asked(DeviceStatus),
  services: asked(z.array(ServiceInfo)),
});
export type DeviceView = z.infer<typeof DeviceView>;
