/** Spans of time as people write them: `90s`, `30min`, `2h`, `3d`, `2 days`, `1w`. */
import { z } from "zod";

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  sec: 1_000,
  m: 60_000,
  min: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
  w: 604_800_000,
  week: 604_800_000,
  weeks: 604_800_000,
};

/** Undefined: it is no span. */
export function spanMs(text: string): number | undefined {
  const [, number = "", unit = ""] = /^(\d{1,6}(?:\.\d{1,3})?)\s*([a-z]+)$/.exec(text.trim()) ?? [];
  const factor = Object.hasOwn(UNITS_MS, unit) ? UNITS_MS[unit] : undefined;
  return factor === undefined ? undefined : Math.round(Number(number) * factor);
}

/** For a command's input. */
export const Span = z.string().transform((text, context) => {
  const ms = spanMs(text);
  if (ms !== undefined && ms > 0) return ms;
  context.addIssue({
    code: "custom",
    message: "a span is a number and s, min, h, d or w, e.g. 2h",
  });
  return z.NEVER;
});
