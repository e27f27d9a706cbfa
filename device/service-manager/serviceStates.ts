/**
 * The life of one supervised service: state -> event -> next state, and when to try again.
 *
 * Pure. Recovery numbers: design.md, "Numbers to keep": restart after 1 s, 2 min, 5 min, then stop
 * and say so; ten minutes of health forget earlier crashes.
 */
import type { SERVICE_STATES } from "../../protocol/servicesApi.ts";

export type ServiceState = (typeof SERVICE_STATES)[number];

// biome-ignore format: the columns carry the meaning
export const TRANSITIONS = {
  stopped:       { start: "starting" },
  starting:      { ready: "running", crash: "backing-off", giveUp: "failed", stop: "stopping" },
  running:       { crash: "backing-off", giveUp: "failed", stop: "stopping" },
  stopping:      { exited: "stopped" },
  "backing-off": { start: "starting", stop: "stopped" },
  failed:        { start: "starting", stop: "stopped" },
} as const satisfies Record<ServiceState, Readonly<Record<string, ServiceState>>>;

export type ServiceEvent = { [S in ServiceState]: keyof (typeof TRANSITIONS)[S] }[ServiceState];

/** The next state, or undefined when the table has no such row. */
export function nextServiceState(
  state: ServiceState,
  event: ServiceEvent,
): ServiceState | undefined {
  const row: Partial<Record<ServiceEvent, ServiceState>> = TRANSITIONS[state];
  return row[event];
}

export interface RecoveryRules {
  /** How long to wait after the first, second … crash in a row. */
  readonly delaysMs: readonly number[];
  /** So long without a crash, and earlier ones are forgotten. */
  readonly healthyMs: number;
}

export const RECOVERY: RecoveryRules = {
  delaysMs: [1_000, 120_000, 300_000],
  healthyMs: 600_000,
};

export type Recovery =
  | { event: "crash"; crashesInRow: number; delayMs: number }
  | { event: "giveUp"; crashesInRow: number };

/** What an unasked exit leads to. `ranMs`: how long the service was running before it. */
export function recoveryAfter(
  rules: RecoveryRules,
  crashesBefore: number,
  ranMs: number,
): Recovery {
  const crashesInRow = (ranMs >= rules.healthyMs ? 0 : crashesBefore) + 1;
  const delayMs = rules.delaysMs[crashesInRow - 1];
  return delayMs === undefined
    ? { event: "giveUp", crashesInRow }
    : { event: "crash", crashesInRow, delayMs };
}
