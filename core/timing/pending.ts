/** An offer and what has become of it on this machine, as timing takes it. Pure; milliseconds. */
import type { Offer } from "../../protocol/orchestratorApi.ts";
import type { PendingUpdate } from "./situation.ts";

/** What the device remembers of an offer, by the hash of its manifest. */
export type OfferHistory = Pick<
  PendingUpdate,
  "stage" | "firstOfferedMs" | "restartPendingMs" | "asked" | "notBeforeMs"
>;

export const pendingUpdate = (offer: Offer, history: OfferHistory): PendingUpdate => ({
  id: offer.update,
  classification: offer.classification,
  restart: offer.restart,
  userInput: offer.userInput,
  exclusive: offer.exclusive,
  optional: offer.optional,
  deadlineMs: offer.deadlineMs,
  deadlineDays: offer.deadlineDays,
  ...history,
});

/**
 * To be kept whenever the clock was found to be set back: what would lie in the future happened now.
 * Otherwise a wrong clock, put right, would move a deadline by as much as it was wrong.
 */
export const afterClockSetBack = <History extends OfferHistory>(
  history: History,
  nowMs: number,
): History => ({
  ...history,
  firstOfferedMs: Math.min(history.firstOfferedMs, nowMs),
  restartPendingMs:
    history.restartPendingMs === undefined ? undefined : Math.min(history.restartPendingMs, nowMs),
});
