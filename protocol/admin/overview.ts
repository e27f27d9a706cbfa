/** How the fleet stands: counts, how they came about, and what is wrong with whom. */
import { z } from "zod";
import { FleetCause } from "../adminApi.ts";
import { RETRY_CLASSES, STAGES } from "../errors/catalogue.ts";
import { DEVICE_STATES } from "./fleet.ts";
import { ListedRollout } from "./rollouts.ts";

const Devices = z.int().nonnegative();

/** Each device counts in exactly one. */
export const DeviceCounts = z.record(z.enum(DEVICE_STATES), Devices);
export type DeviceCounts = z.infer<typeof DeviceCounts>;

/** Devices that stand with the same error now. */
export const FailureCluster = z.object({
  code: z.string(),
  /** From the catalogue; of a code that this server does not know: the code. */
  title: z.string(),
  stage: z.enum(STAGES).optional(),
  causes: z.array(z.string()),
  remedy: z.string().optional(),
  retry: z.enum(RETRY_CLASSES).optional(),
  devices: z.int().positive(),
});
export type FailureCluster = z.infer<typeof FailureCluster>;

/** What somebody should look at. */
export const Attention = z.discriminatedUnion("kind", [
  /** The list of devices filtered by this state says which. */
  z.object({
    kind: z.literal("devices"),
    state: z.enum(["failing", "silent", "unknown"]),
    devices: z.int().positive(),
  }),
  /** Signed metadata that expires soon, or has. */
  z.object({ kind: z.literal("expiry"), role: z.string(), expiresMs: z.int() }),
  z.object({ kind: z.literal("no-repository") }),
]);
export type Attention = z.infer<typeof Attention>;

export const Overview = z.object({
  atMs: z.int(),
  devices: Devices,
  counts: DeviceCounts,
  /** failing, silent and unknown together. */
  needingAttention: Devices,
  attention: z.array(Attention),
  /** Running and paused ones, newest first. */
  rollouts: z.array(ListedRollout),
  /** Most devices first. */
  failures: z.array(FailureCluster),
  /** What the troubleshooters of those devices found that tell; most devices first. */
  causes: z.array(FleetCause),
});
export type Overview = z.infer<typeof Overview>;

/** How the fleet stood at the end of a day in UTC; of today: how it stands. */
export const ComplianceDay = z.object({ dayMs: z.int(), counts: DeviceCounts });
export type ComplianceDay = z.infer<typeof ComplianceDay>;

export const COMPLIANCE_MAX_DAYS = 400;
