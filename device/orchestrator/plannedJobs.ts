/** The jobs that bringing updates takes, as the one bar expects them (`core/wholeProgress.ts`). */
import type { PlannedJob } from "../../core/wholeProgress.ts";
import type { UpdateId } from "../../protocol/ids.ts";
import type { ServiceStatus, UpdateState } from "../../protocol/updateServiceApi.ts";
import { jobKey } from "./bar.ts";
import type { Evaluation } from "./scan.ts";

const STEPS = { download: ["download"], install: ["download", "install"] } as const;
export type Bringing = keyof typeof STEPS;

/** Whether nothing of that is left to do for an update in this state; undefined: it has none yet. */
export const isDone = (state: UpdateState | undefined, step: Bringing): boolean =>
  state === "installed" ||
  state === "restart-pending" ||
  (step === "download" && state === "downloaded");

/** What is left to do of the updates, in order. */
export function plannedJobs(
  kind: Bringing,
  wanted: readonly UpdateId[],
  status: ServiceStatus,
  evaluation: Evaluation | undefined,
): PlannedJob[] {
  const offers = evaluation?.result.offers ?? [];
  return wanted.flatMap((update) => {
    const isIt = (it: UpdateId) => it.manifestSha256 === update.manifestSha256;
    const record = status.updates.find(isIt);
    const sizeBytes = offers.find((offer) => isIt(offer.update))?.sizeBytes;
    return STEPS[kind]
      .filter((step) => !isDone(record?.state, step))
      .map((step) => ({
        key: jobKey({ kind: step, update }),
        kind: step,
        sizeBytes,
        plan: record?.plan,
      }));
  });
}
