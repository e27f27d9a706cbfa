/**
 * Active hours learned from use: the shortest span of whole hours that holds nearly all of it. Pure.
 *
 * What is learned from stays on the machine. Windows learns too and says not how; these numbers are
 * ours: four weeks show a working week four times, 95 % leaves out the odd late evening.
 */
import { ACTIVE_HOURS_MAX_MINUTES, type ActiveHours } from "../../protocol/settings.ts";

const MIN_DAYS_OF_USE = 7;
const SHARE_OF_USE = 0.95;
const HOURS = 24;

export interface Use {
  /** On how many of the last 28 days somebody used the machine in each hour of the day, 24 numbers. */
  readonly daysByHour: readonly number[];
  /** On how many of them it was used at all. */
  readonly days: number;
}

/** Undefined: too little use to learn from. Never more than 18 hours, however the machine is used. */
export function learnedActiveHours(use: Use): ActiveHours | undefined {
  const total = use.daysByHour.reduce((sum, days) => sum + days, 0);
  if (use.days < MIN_DAYS_OF_USE || total === 0) return undefined;
  const longest = ACTIVE_HOURS_MAX_MINUTES / 60;
  let best = { start: 0, length: longest, held: -1 };
  for (let length = 1; length <= longest; length++) {
    for (let start = 0; start < HOURS; start++) {
      const held = heldBy(use.daysByHour, start, length);
      if (held > best.held && (length === longest || held >= total * SHARE_OF_USE)) {
        best = { start, length, held };
      }
    }
    if (best.held >= total * SHARE_OF_USE) break;
  }
  return { start: clock(best.start), end: clock(best.start + best.length) };
}

function heldBy(daysByHour: readonly number[], start: number, length: number): number {
  let held = 0;
  for (let hour = start; hour < start + length; hour++) held += daysByHour[hour % HOURS] ?? 0;
  return held;
}

const clock = (hour: number): string => `${String(hour % HOURS).padStart(2, "0")}:00`;
