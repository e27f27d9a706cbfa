/**
 * What the simulated fleet lives through: one update that goes out to pilots and then, along a curve,
 * to everyone; a second one that is halted half-way. A machine is a pilot by its tag.
 */
import type { OfferRules } from "../../core/offerContext.ts";
import { OfferPolicy } from "../../protocol/offerPolicy.ts";
import { knownUpdate, offerRules, STABLE } from "../../tests/support/knownUpdates.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** A Monday. */
export const START_MS = Date.parse("2026-03-02T00:00:00Z");
export const DAYS = 30;

export const GOOD = knownUpdate("kiosk", "2.0", payload(200e6));
export const BAD = knownUpdate("kiosk", "3.0", payload(50e6));
export const UPDATES = [GOOD, BAD, knownUpdate("kiosk", "1.0")];

/** Half an hour of nothing, then a straight line over seven days. */
export const BROAD_MS = START_MS + 3 * DAY_MS;
export const BROAD_HOURS = 7 * 24;
const BAD_MS = START_MS + 14 * DAY_MS;
const BAD_HOURS = 5 * 24;
export const HALT_MS = START_MS + 16 * DAY_MS;

const at = (ms: number): string => new Date(ms).toISOString();
const line = (hours: number) => [
  { afterHours: 0, percent: 0 },
  { afterHours: hours, percent: 100 },
];

export const GOOD_ROLLOUT = {
  id: "kiosk-2.0",
  product: "kiosk",
  version: "2.0",
  createdAt: at(START_MS),
  rings: [
    {
      name: "pilot",
      who: { fact: "tag.pilot", exists: true },
      startsAt: at(START_MS + DAY_MS),
    },
    { name: "everyone", startsAt: at(BROAD_MS), curve: line(BROAD_HOURS) },
  ],
};

const policy = (state: "running" | "halted"): OfferPolicy =>
  OfferPolicy.parse({
    schema: "upbeat.policy/1.0",
    channel: STABLE,
    revision: state === "running" ? 1 : 2,
    issuedAt: at(state === "running" ? START_MS : HALT_MS),
    rolloutRequired: true,
    rollouts: [
      GOOD_ROLLOUT,
      {
        id: "kiosk-3.0",
        product: "kiosk",
        version: "3.0",
        createdAt: at(BAD_MS),
        rings: [{ name: "everyone", startsAt: at(BAD_MS), curve: line(BAD_HOURS) }],
        state,
        ...(state === "halted" ? { text: "It forgets its settings" } : {}),
      },
    ],
  });

const running = new Map([[STABLE, policy("running")]]);
const halted = new Map([[STABLE, policy("halted")]]);
const base = offerRules(START_MS);

/** What the signed policy is at a moment, for one machine. */
export const rulesAt = (deviceId: string, nowMs: number): OfferRules => ({
  ...base,
  deviceId,
  nowMs,
  policies: nowMs < HALT_MS ? running : halted,
});

function payload(totalBytes: number) {
  return { payload: { sha256: "a".repeat(64), sizeBytes: 300, files: 1, totalBytes } };
}
