/** Where things stand on a chart: pure, so that it can be tested without a browser. */

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** From zero to at least `max` in steps that people count in: 1, 2 or 5 times a power of ten. */
export function valueTicks(max: number, wanted = 4): number[] {
  const rough = Math.max(max, 1) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((one) => one * power >= rough) ?? 10;
  // What is counted are machines: there is no half of one.
  const step = Math.max(1, factor * power);
  const count = Math.max(1, Math.ceil(max / step));
  return Array.from({ length: count + 1 }, (_, at) => at * step);
}

const TIME_STEPS_MS = [
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  DAY_MS,
  2 * DAY_MS,
  7 * DAY_MS,
  14 * DAY_MS,
  30 * DAY_MS,
  90 * DAY_MS,
];

/** Full hours or midnights of the person's own zone between both ends. */
export function timeTicks(fromMs: number, toMs: number, atMost: number): number[] {
  const span = toMs - fromMs;
  const fit = TIME_STEPS_MS.find((step) => span / step <= atMost) ?? span / atMost;
  const start = new Date(fromMs);
  if (fit >= DAY_MS) start.setHours(24, 0, 0, 0);
  else start.setHours(Math.ceil((start.getHours() * HOUR_MS + 1) / fit) * (fit / HOUR_MS), 0, 0, 0);
  const ticks: number[] = [];
  for (const at = start; at.getTime() <= toMs && ticks.length <= atMost; advance(at, fit)) {
    ticks.push(at.getTime());
  }
  return ticks;
}

/** By the calendar where it is days: with summer time a day may have 23 hours. */
function advance(at: Date, stepMs: number): void {
  if (stepMs >= DAY_MS) at.setDate(at.getDate() + Math.round(stepMs / DAY_MS));
  else at.setTime(at.getTime() + stepMs);
}

/** Maps a span to pixels. A span of nothing lies at the start. */
export const scale =
  (from: number, to: number, start: number, end: number) =>
  (value: number): number =>
    to === from ? start : start + ((value - from) / (to - from)) * (end - start);

/** Each line on top of the ones before; all lines have the same moments. */
export function stack(lines: readonly (readonly Point[])[]): { low: number; high: number }[][] {
  const tops: number[] = [];
  return lines.map((points) =>
    points.map(({ value }, at) => {
      const low = tops[at] ?? 0;
      tops[at] = low + value;
      return { low, high: low + value };
    }),
  );
}
