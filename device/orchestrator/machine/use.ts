/**
 * In which hours of the day somebody used this machine, over the last four weeks. It never leaves
 * the machine; `core/timing/learnedHours.ts` makes active hours of it, where that is allowed.
 */
import { z } from "zod";
import type { Use } from "../../../core/timing/learnedHours.ts";
import type { Zone } from "../../../core/timing/zone.ts";
import type { OrchestratorDatabase } from "../database.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const KEPT_DAYS = 28;

/** By local day: the hours in which somebody was there. */
const Days = z.record(z.string(), z.array(z.int().min(0).max(23)));

export interface UseLog {
  /** Somebody is at the machine now. */
  note(zone: Zone, nowMs: number): void;
  recall(zone: Zone, nowMs: number): Use;
}

export function logOfUse(database: OrchestratorDatabase): UseLog {
  const days = () => database.recall("use", Days) ?? {};
  return {
    note(zone, nowMs) {
      const localMs = zone.localMs(nowMs);
      const day = String(Math.floor(localMs / DAY_MS));
      const hour = Math.floor((localMs % DAY_MS) / HOUR_MS);
      const known = days();
      const hours = known[day] ?? [];
      if (hours.includes(hour)) return;
      const next = { ...known, [day]: [...hours, hour] };
      database.remember("use", Object.fromEntries(recent(next, localMs)));
    },
    recall(zone, nowMs) {
      const kept = recent(days(), zone.localMs(nowMs));
      const daysByHour = Array.from(
        { length: 24 },
        (_, hour) => kept.filter(([, hours]) => hours.includes(hour)).length,
      );
      return { daysByHour, days: kept.length };
    },
  };
}

const recent = (days: z.infer<typeof Days>, localMs: number): [string, number[]][] => {
  const today = Math.floor(localMs / DAY_MS);
  return Object.entries(days).filter(
    ([day]) => Number(day) > today - KEPT_DAYS && Number(day) <= today,
  );
};
