/**
 * What the service console says to the service manager over its socket.
 *
 *   GET  /v1/services                        -> { services: ServiceInfo[] }
 *   POST /v1/services/:name/:action          -> ServiceInfo      action: start|stop|restart|enable|manual|disable
 *   GET  /v1/services/:name/logs?lines=N     -> { lines: string[] }
 *
 * Errors are `ErrorReport` bodies with a 4xx or 5xx status.
 */
import { z } from "zod";

export const SERVICE_NAMES = ["update-service", "orchestrator"] as const;
export const ServiceName = z.enum(SERVICE_NAMES);
export type ServiceName = z.infer<typeof ServiceName>;

export const StartUpType = z.enum(["automatic", "manual", "disabled"]);
export type StartUpType = z.infer<typeof StartUpType>;

export const SERVICE_STATES = [
  "stopped",
  "starting",
  "running",
  "stopping",
  "backing-off",
  "failed",
] as const;

export const ServiceAction = z.enum([
  "start",
  "stop",
  "restart",
  /** Start-up type automatic, and started now. */
  "enable",
  /** Start-up type manual; whether it runs now does not change. */
  "manual",
  /** Start-up type disabled, and stopped now, with what depends on it. */
  "disable",
]);
export type ServiceAction = z.infer<typeof ServiceAction>;

export const ServiceInfo = z.object({
  name: ServiceName,
  title: z.string(),
  description: z.string(),
  state: z.enum(SERVICE_STATES),
  startUp: StartUpType,
  account: z.string(),
  dependsOn: z.array(ServiceName),
  pid: z.int().optional(),
  /** When the state was entered, milliseconds since 1970. */
  sinceMs: z.int(),
  restarts: z.int().nonnegative(),
  nextStartMs: z.int().optional(),
  lastExit: z
    .object({
      code: z.int().nullable(),
      signal: z.string().nullable(),
      atMs: z.int(),
      lastWords: z.string(),
    })
    .optional(),
});
export type ServiceInfo = z.infer<typeof ServiceInfo>;
