/**
 * Maintenance windows as people choose them, and as the setting keeps them: a recurrence of RFC 5545.
 * A rule that has more to it than a person can choose here is kept as it stands.
 */
import type { MaintenanceWindow } from "../../../protocol/settings.ts";

/** Monday first, as RFC 5545 names them. */
export const WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export const REPEATS = ["once", "daily", "weekly"] as const;

/** What a person chooses; `other` is a rule that was written by hand. */
export type Choice =
  | { readonly repeat: "once" | "daily" }
  | { readonly repeat: "weekly"; readonly days: readonly Weekday[] }
  | { readonly repeat: "other"; readonly rule: string };

export function choiceOf({ rule, start }: MaintenanceWindow): Choice {
  if (rule === undefined) return { repeat: "once" };
  if (rule === "FREQ=DAILY") return { repeat: "daily" };
  if (rule === "FREQ=WEEKLY") return { repeat: "weekly", days: [weekdayOf(start)] };
  const named = /^FREQ=WEEKLY;BYDAY=([A-Z,]+)$/.exec(rule)?.[1]?.split(",") ?? [];
  const days = WEEKDAYS.filter((day) => named.includes(day));
  if (days.length > 0 && days.length === named.length) return { repeat: "weekly", days };
  return { repeat: "other", rule };
}

export function withChoice(window: MaintenanceWindow, choice: Choice): MaintenanceWindow {
  const { rule: _, ...rest } = window;
  const rule = ruleOf(choice);
  return rule === undefined ? rest : { ...rest, rule };
}

function ruleOf(choice: Choice): string | undefined {
  switch (choice.repeat) {
    case "once":
      return undefined;
    case "daily":
      return "FREQ=DAILY";
    case "weekly":
      return `FREQ=WEEKLY;BYDAY=${choice.days.join(",")}`;
    case "other":
      return choice.rule;
  }
}

/** The day after `nowMs`, two to five in the morning, every day: when most machines are not used. */
export function newWindow(nowMs: number): MaintenanceWindow {
  const day = new Date(nowMs + 86_400_000 - new Date(nowMs).getTimezoneOffset() * 60_000);
  return {
    start: `${day.toISOString().slice(0, 10)}T02:00`,
    rule: "FREQ=DAILY",
    durationMinutes: 180,
  };
}

/** `2026-01-05T02:00` is a Monday wherever one is. */
export const weekdayOf = (start: string): Weekday =>
  WEEKDAYS[(new Date(`${start.slice(0, 10)}T00:00Z`).getUTCDay() + 6) % 7] ?? "MO";
