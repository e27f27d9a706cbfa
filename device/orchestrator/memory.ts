/** What the orchestrator knows between checks, kept over restarts; and what follows from it. */
import { z } from "zod";
import { firstCheckMs, nextCheckMs, retryMs } from "../../core/schedule.ts";
import { ErrorReport, reportError } from "../../protocol/errors/error.ts";
import type { Offer } from "../../protocol/orchestratorApi.ts";
import type { ServiceStatus } from "../../protocol/updateServiceApi.ts";
import type { OrchestratorDatabase } from "./database.ts";
import { askedWaitMs } from "./retryAfter.ts";
import { Evaluation } from "./scan.ts";

const HOUR_MS = 3_600_000;

const Plan = z.object({
  nextCheckMs: z.int(),
  failures: z.int(),
  lastError: ErrorReport.optional(),
  /** When the server was last asked, also in vain. */
  askedMs: z.int().optional(),
});
export type Plan = z.infer<typeof Plan>;

export interface Memory {
  evaluation(): Evaluation | undefined;
  plan(): Plan | undefined;
  planFirstCheck(): void;
  /** The next one, in the settings' hours. */
  planAfterSuccess(intervalHours: number): void;
  /** What is offered stays as it was. */
  planAfterFailure(error: unknown): void;
}

export function memory(
  database: OrchestratorDatabase,
  clock: { now: () => number; random: () => number },
): Memory {
  const plan = (): Plan | undefined => database.recall("plan", Plan);
  const keep = (next: Plan): void => database.remember("plan", next);
  return {
    evaluation: () => database.recall("evaluation", Evaluation),
    plan,
    planFirstCheck() {
      const before = plan();
      const { nextCheckMs: planned, failures } = before ?? { failures: 0 };
      const next = firstCheckMs(clock.now(), planned, clock.random(), failures);
      keep({ ...(before ?? { failures: 0 }), nextCheckMs: next });
    },
    planAfterSuccess(intervalHours) {
      const intervalMs = intervalHours * HOUR_MS;
      const askedMs = clock.now();
      keep({ nextCheckMs: nextCheckMs(askedMs, clock.random(), intervalMs), failures: 0, askedMs });
    },
    planAfterFailure(error) {
      const failures = (plan()?.failures ?? 0) + 1;
      const next = retryMs(clock.now(), failures, clock.random(), askedWaitMs(error));
      const askedMs = clock.now();
      keep({ nextCheckMs: next, failures, lastError: reportError(error), askedMs });
    },
  };
}

/** Without those that were installed or rolled back since the check. */
export function openOffers(
  evaluation: Evaluation | undefined,
  status: ServiceStatus | undefined,
): Offer[] {
  return (evaluation?.result.offers ?? []).filter(({ update }) => {
    const record = status?.updates.find((it) => it.manifestSha256 === update.manifestSha256);
    if (record?.state === "installed" || record?.state === "rolled-back") return false;
    return !status?.products.some(
      (it) => it.product === update.product && it.current === update.version,
    );
  });
}
