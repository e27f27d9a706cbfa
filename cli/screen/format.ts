/** Numbers and times as people read them; text from outside made safe for a terminal. */

/** Decimal units, as disks and networks are sold: `24.3 MB`. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 || value >= 99.95
    ? `${Math.round(value)} ${units[unit]}`
    : `${value.toFixed(1)} ${units[unit]}`;
}

/** `0.4 s`, `12 s`, `3 min`, `2 h`, `9 days`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  const minutes = seconds / 60;
  if (minutes < 100) return `${Math.round(minutes)} min`;
  const hours = minutes / 60;
  if (hours < 48) return `${Math.round(hours)} h`;
  return `${Math.round(hours / 24)} days`;
}

/** `3 min ago`, `in 22 h`, with the moment itself for anything older than a day. */
export function when(atMs: number, nowMs: number): string {
  const distance = atMs - nowMs;
  if (Math.abs(distance) > 36 * 3_600_000) return moment(atMs);
  if (Math.abs(distance) < 1000) return "now";
  return distance > 0 ? `in ${duration(distance)}` : `${duration(-distance)} ago`;
}

/** `2026-11-24 09:41` in the time zone of this machine. */
export function moment(atMs: number): string {
  const date = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

/**
 * Text from another machine, fit for a terminal: a title or a device's name could otherwise move
 * the cursor, change colours or rewrite what stands above it. Direction marks go too (Trojan Source).
 */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, " ");
}

/** `typescript 6.0.2 → 6.0.3` */
export function fromTo(
  product: string,
  from: string | undefined,
  to: string | undefined,
  arrow: string,
): string {
  if (from === undefined) return `${product} ${to ?? ""}`.trimEnd();
  return to === undefined
    ? `${product} ${from} ${arrow} none`
    : `${product} ${from} ${arrow} ${to}`;
}
