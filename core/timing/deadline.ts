/**
 * The deadline, with the one written formula. Pure; milliseconds.
 *
 *   effective = max(first offered + deadline, restart pending + grace)
 *
 * The original's documentation gives two different ones (windows-update.md section 7, no. 1); this
 * is the design's. Until it an update or a restart waits for a good moment; from then on for nothing
 * but what would do harm.
 */
import type { Settings } from "../../protocol/settings.ts";
import type { PendingUpdate } from "./situation.ts";

const DAY_MS = 86_400_000;

/** By when the update must be installed; undefined: it has no deadline. */
export function installDeadlineMs(update: PendingUpdate, settings: Settings): number | undefined {
  // Nobody may be kept waiting by a question, and what is optional nobody has to have.
  const isWish = update.userInput || (update.optional && update.asked !== "install");
  return isWish ? undefined : firstTermMs(update, settings);
}

/** By when the machine must restart for it. */
export function restartDeadlineMs(update: PendingUpdate, settings: Settings): number | undefined {
  const first = firstTermMs(update, settings);
  if (first === undefined || update.restartPendingMs === undefined) return undefined;
  return Math.max(first, update.restartPendingMs + settings.graceDays * DAY_MS);
}

/** First offered + deadline, or the date that was given if it is earlier. */
function firstTermMs(update: PendingUpdate, settings: Settings): number | undefined {
  const days =
    update.deadlineDays ??
    (update.classification === "feature"
      ? settings.featureDeadlineDays
      : settings.qualityDeadlineDays);
  const fromDays = days === null ? undefined : update.firstOfferedMs + days * DAY_MS;
  const terms = [fromDays, update.deadlineMs].filter((ms) => ms !== undefined);
  return terms.length === 0 ? undefined : Math.min(...terms);
}
