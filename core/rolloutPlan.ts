/**
 * How far the signed plan of a rollout has come at any time: what `rollout.ts` says of one machine,
 * seen from all of them. Pure; milliseconds and percent.
 */
import type { Ring, Rollout } from "../protocol/offerPolicy.ts";
import { wallTime } from "./rollout.ts";

const HOUR_MS = 3_600_000;

/** Which share of a ring's machines the plan has reached by then, 0 to 100. */
export function percentAt(rollout: Rollout, ring: Ring, atMs: number): number {
  const { startsMs } = ringTimes(rollout, ring);
  if (startsMs === undefined || atMs < startsMs) return 0;
  const startMs = startOf(rollout, ring);
  const ranMs = atMs - startMs - pausedMs(rollout, startMs, atMs);
  return rollout.expedite === undefined ? percentAfter(ring, ranMs) : 100;
}

/** When the ring begins and when its curve is at its end; absent: a pause is open before that. */
export function ringTimes(rollout: Rollout, ring: Ring): { startsMs?: number; endsMs?: number } {
  const at = (runMs: number): number | undefined => {
    const wall = wallTime(rollout, startOf(rollout, ring), runMs);
    return wall.is === "at" ? wall.ms : undefined;
  };
  const [first, last] = [ring.curve[0], ring.curve.at(-1)];
  const isHurried = rollout.expedite !== undefined;
  const startsMs = at(isHurried ? 0 : (first?.afterHours ?? 0) * HOUR_MS);
  const endsMs = at(isHurried ? 0 : (last?.afterHours ?? 0) * HOUR_MS);
  return {
    ...(startsMs === undefined ? {} : { startsMs }),
    ...(endsMs === undefined ? {} : { endsMs }),
  };
}

/** The moments at which the plan bends, in order; between them it is a straight line. */
export function planTimes(rollout: Rollout): number[] {
  const bends = rollout.rings.flatMap((ring) => {
    const startMs = startOf(rollout, ring);
    const isHurried = rollout.expedite !== undefined;
    return ring.curve.flatMap(({ afterHours }, at) => {
      const wall = wallTime(rollout, startMs, isHurried ? 0 : afterHours * HOUR_MS);
      if (wall.is === "never") return [];
      // The first point is a step: the plan is still below it a moment before.
      return at === 0 ? [wall.ms - 1, wall.ms] : [wall.ms];
    });
  });
  const edges = rollout.pauses.flatMap(({ from, to }) => [
    Date.parse(from),
    ...(to === undefined ? [] : [Date.parse(to)]),
  ]);
  return [...new Set([Date.parse(rollout.createdAt), ...bends, ...edges])].toSorted(
    (a, b) => a - b,
  );
}

/** In a hurry a ring's start does not count, only the rollout's own (`rollout.ts`). */
const startOf = (rollout: Rollout, ring: Ring): number =>
  Date.parse(rollout.expedite === undefined ? ring.startsAt : rollout.createdAt);

function pausedMs(rollout: Rollout, startMs: number, atMs: number): number {
  return rollout.pauses.reduce((sum, { from, to }) => {
    const fromMs = Math.max(Date.parse(from), startMs);
    const toMs = Math.min(to === undefined ? Number.POSITIVE_INFINITY : Date.parse(to), atMs);
    return sum + Math.max(0, toMs - fromMs);
  }, 0);
}

function percentAfter({ curve }: Ring, ranMs: number): number {
  const hours = ranMs / HOUR_MS;
  let before: Ring["curve"][number] | undefined;
  for (const point of curve) {
    if (hours < point.afterHours) {
      if (before === undefined) return 0;
      const share = (hours - before.afterHours) / (point.afterHours - before.afterHours);
      return before.percent + share * (point.percent - before.percent);
    }
    before = point;
  }
  return before?.percent ?? 0;
}
