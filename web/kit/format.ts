/** Sizes and times as people read them, in the browser's time zone and the language of the page. */

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** 12,400,000 -> `12.4 MB`. Decimal units, as disks and networks are sold. */
export function bytes(sizeBytes: number, language: string): string {
  const power =
    sizeBytes < 1 ? 0 : Math.min(Math.floor(Math.log10(sizeBytes) / 3), UNITS.length - 1);
  const value = sizeBytes / 1000 ** power;
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: UNITS[power] ?? "byte",
    unitDisplay: power === 0 ? "long" : "short",
    maximumFractionDigits: value < 10 && power > 0 ? 1 : 0,
  }).format(value);
}

/** `today at 09:41`, `yesterday at 17:02`, `Thu, 26 Nov, 17:00`: by the calendar, not by hours. */
export function moment(atMs: number, nowMs: number, language: string): string {
  const time = new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(atMs);
  const days = daysBetween(nowMs, atMs);
  if (Math.abs(days) <= 1) {
    const day = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(days, "day");
    return `${day}, ${time}`;
  }
  const date = new Intl.DateTimeFormat(language, {
    weekday: "short",
    day: "numeric",
    month: "short",
    ...(sameYear(nowMs, atMs) ? {} : { year: "numeric" }),
  }).format(atMs);
  return `${date}, ${time}`;
}

/** `in 4 minutes`, `2 hours ago`. */
export function relative(atMs: number, nowMs: number, language: string): string {
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const seconds = Math.round((atMs - nowMs) / 1000);
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return format.format(0, "second");
}

/** `3 min 20 s`: how long something took or takes. */
export function duration(lastsMs: number, language: string): string {
  const total = Math.max(0, Math.round(lastsMs / 1000));
  const parts = [
    [Math.floor(total / 3600), "hour"],
    [Math.floor((total % 3600) / 60), "minute"],
    [total % 60, "second"],
  ] as const;
  const shown = parts.filter(([value]) => value > 0).slice(0, 2);
  return (shown.length === 0 ? [[0, "second"] as const] : shown)
    .map(([value, unit]) =>
      new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(value),
    )
    .join(" ");
}

const STEPS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

function daysBetween(fromMs: number, toMs: number): number {
  const midnight = (ms: number) => new Date(ms).setHours(0, 0, 0, 0);
  return Math.round((midnight(toMs) - midnight(fromMs)) / 86_400_000);
}

const sameYear = (one: number, other: number): boolean =>
  new Date(one).getFullYear() === new Date(other).getFullYear();
