/**
 * Wall clocks of time zones, fast enough to simulate years: what time it is somewhere, and when it
 * will be that time there. Pure; `localMs` is a wall clock read as if it were UTC.
 *
 * A time that the wall clock skips is read with the offset before the jump, one that it shows twice
 * is its first (RFC 5545 section 3.3.5, Temporal's "compatible").
 */
const DAY_MS = 86_400_000;

export interface Zone {
  readonly name: string;
  localMs(atMs: number): number;
  atMs(localMs: number): number;
  /** The next moment at which the wall clock jumps; undefined: it never does again. */
  nextJumpMs(atMs: number): number | undefined;
}

/** A stretch without a jump: `fromMs` is in it, `toMs` is not. */
interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly offsetMs: number;
}

const zones = new Map<string, Zone>();

/** Undefined for a name that is not in the zone database. */
export function zoneNamed(name: string): Zone | undefined {
  const known = zones.get(name);
  if (known !== undefined) return known;
  try {
    const zone = zoneOf(Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name));
    zones.set(name, zone);
    return zone;
  } catch {
    return undefined;
  }
}

function zoneOf(reference: Temporal.ZonedDateTime): Zone {
  const name = reference.timeZoneId;
  let last = stretchAt(0, name);
  let before = last;
  const offsetMs = (atMs: number): number => {
    if (atMs >= last.fromMs && atMs < last.toMs) return last.offsetMs;
    // Two are remembered: around a jump the two sides are asked in turn.
    [last, before] = [before, last];
    if (atMs < last.fromMs || atMs >= last.toMs) last = stretchAt(atMs, name);
    return last.offsetMs;
  };
  return {
    name,
    localMs: (atMs) => atMs + offsetMs(atMs),
    atMs(localMs) {
      const earlier = offsetMs(localMs - DAY_MS);
      const later = offsetMs(localMs + DAY_MS);
      if (earlier === later || offsetMs(localMs - earlier) === earlier) return localMs - earlier;
      return offsetMs(localMs - later) === later ? localMs - later : localMs - earlier;
    },
    nextJumpMs(atMs) {
      offsetMs(atMs);
      return Number.isFinite(last.toMs) ? last.toMs : undefined;
    },
  };
}

function stretchAt(atMs: number, name: string): Stretch {
  const here = Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(name);
  // "previous" is strictly before, and the stretch begins with its jump.
  const from = here.add({ nanoseconds: 1 }).getTimeZoneTransition("previous");
  const to = here.getTimeZoneTransition("next");
  return {
    fromMs: from?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    toMs: to?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    offsetMs: here.offsetNanoseconds / 1e6,
  };
}
