/**
 * Maintenance windows: RFC 5545 recurrences in a time zone, as spans of time. Pure; milliseconds.
 *
 * The rule is unrolled on the wall clock and each start is then read in its zone, so that 02:30 on
 * the night when the clock skips it is 03:30 (RFC 5545 sections 3.3.5 and 3.3.10), and a window of
 * two hours lasts two hours also in that night. `UNTIL` is a wall clock too, or UTC with its `Z`.
 */
import { RRuleTemporal } from "rrule-temporal";
import type { MaintenanceWindow } from "../../protocol/settings.ts";
import { type Zone, zoneNamed } from "./zone.ts";

const DAY_MS = 86_400_000;
/** Unrolled at once: the rules of a month and a year repeat, looking is cheap afterwards. */
const CHUNK_MS = 64 * DAY_MS;
/** How far ahead "the next one" is looked for: a window on 29 February comes within eight years. */
const HORIZON_MS = 9 * 366 * DAY_MS;
/** Steps of a rule without a start, e.g. 30 February, before it counts as never. */
const MAX_STEPS = 5_000;

export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

export interface Windows {
  /** The window that is open now, neighbours that touch joined to one. */
  openAt(nowMs: number): Span | undefined;
  /** The next one that starts after now; undefined: none in the next years. */
  nextAfter(nowMs: number): Span | undefined;
}

/** Why a window cannot be used, as the end of a sentence; undefined when it can. */
export function windowProblem(window: MaintenanceWindow): string | undefined {
  const opened = occurrencesOf(window, UTC);
  return typeof opened === "string" ? opened : undefined;
}

/** Windows that cannot be used are left out; `windowProblem` is where they are named. */
export function maintenanceWindows(windows: readonly MaintenanceWindow[], zone: Zone): Windows {
  const usable = windows
    .map((window) => occurrencesOf(window, zone))
    .filter((opened) => typeof opened !== "string");
  const chunks = new Map<number, readonly Span[]>();

  /** All spans that touch this stretch of time, joined and in order. */
  const spansOf = (chunk: number): readonly Span[] => {
    const known = chunks.get(chunk);
    if (known !== undefined) return known;
    const spans = joined(
      usable.flatMap((between) => between(chunk * CHUNK_MS, (chunk + 1) * CHUNK_MS)),
    );
    if (chunks.size > 64) chunks.clear();
    chunks.set(chunk, spans);
    return spans;
  };
  const chunkOf = (ms: number): number => Math.floor(ms / CHUNK_MS);

  return {
    openAt: (nowMs) =>
      spansOf(chunkOf(nowMs)).find((span) => span.startMs <= nowMs && nowMs < span.endMs),
    nextAfter(nowMs) {
      if (usable.length === 0) return undefined;
      for (let chunk = chunkOf(nowMs); chunk * CHUNK_MS < nowMs + HORIZON_MS; chunk++) {
        const next = spansOf(chunk).find((span) => span.startMs > nowMs);
        if (next !== undefined) return next;
      }
      return undefined;
    },
  };
}

type Occurrences = (fromMs: number, toMs: number) => Span[];

/** Spans that touch the stretch from `fromMs` to `toMs`; or the problem, as text. */
function occurrencesOf(window: MaintenanceWindow, deviceZone: Zone): Occurrences | string {
  const zone = window.timeZone === undefined ? deviceZone : zoneNamed(window.timeZone);
  if (zone === undefined) return `there is no time zone ${window.timeZone}`;
  const durationMs = window.durationMinutes * 60_000;
  const starts = localStarts(window, zone);
  if (typeof starts === "string") return starts;
  return (fromMs, toMs) =>
    // A day on each side: the wall clock and UTC are never further apart.
    starts(fromMs - durationMs - DAY_MS, toMs + DAY_MS)
      .map((localMs) => zone.atMs(localMs))
      .map((startMs) => ({ startMs, endMs: startMs + durationMs }))
      .filter((span) => span.endMs > fromMs && span.startMs < toMs);
}

/** The starts on the wall clock, read as if it were UTC. */
function localStarts(
  { start, rule }: MaintenanceWindow,
  zone: Zone,
): ((fromMs: number, toMs: number) => number[]) | string {
  const first = readLocal(start);
  if (first === undefined) return `there is no ${start}`;
  if (rule === undefined) {
    const only = first.epochMilliseconds;
    return (fromMs, toMs) => (only >= fromMs && only < toMs ? [only] : []);
  }
  try {
    const recurrence = new RRuleTemporal({
      rruleString: withLocalUntil(rule, zone),
      dtstart: first,
      strict: true,
      maxIterations: MAX_STEPS,
    });
    if (recurrence.next(first, true) === null) return "it never happens";
    const instant = (ms: number) =>
      Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO("UTC");
    return (fromMs, toMs) =>
      toMs <= first.epochMilliseconds
        ? []
        : recurrence
            .between(instant(Math.max(fromMs, first.epochMilliseconds)), instant(toMs), true)
            .map((at) => at.epochMilliseconds);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return text.startsWith("Maximum") ? `it never happens within ${MAX_STEPS} steps` : text;
  }
}

function readLocal(start: string): Temporal.ZonedDateTime | undefined {
  try {
    return Temporal.PlainDateTime.from(start, { overflow: "reject" }).toZonedDateTime("UTC");
  } catch {
    return undefined;
  }
}

/** The recurrence runs on the wall clock, so an end in UTC is brought there too. */
function withLocalUntil(rule: string, zone: Zone): string {
  return rule.replace(/UNTIL=(\d{8}(?:T\d{6})?)(Z?)/, (_, until: string, isUtc: string) => {
    const wall = Temporal.PlainDateTime.from(until).toZonedDateTime("UTC");
    const localMs = isUtc === "" ? wall.epochMilliseconds : zone.localMs(wall.epochMilliseconds);
    const digits = new Date(localMs).toISOString().replace(/[-:]|\.\d+/g, "");
    return `UNTIL=${digits}`;
  });
}

function joined(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.startMs - b.startMs)) {
    const last = result.at(-1);
    if (last === undefined || span.startMs > last.endMs) result.push(span);
    else result.splice(-1, 1, { ...last, endMs: Math.max(last.endMs, span.endMs) });
  }
  return result;
}

const UTC: Zone = {
  name: "UTC",
  localMs: (ms) => ms,
  atMs: (ms) => ms,
  nextJumpMs: () => undefined,
};
