/**
 * Whether a rollout has reached one machine, since when, or when it will. Pure; milliseconds.
 *
 * A machine's place in a rollout is a hash of both, in [0, 1): another rollout has another order, so
 * that no machine is always the first victim (electron-updater hashes the machine alone; apt hashes
 * both, as here: peers.md). The place never changes and the curve never falls, so that no machine
 * moves back. Everything is a function of the signed rollout, the machine's facts and the clock.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { Facts } from "../protocol/deviceApi.ts";
import type { PolicyEntryId, Ring, Rollout } from "../protocol/offerPolicy.ts";
import { evaluateRule } from "./applicability.ts";

const HOUR_MS = 3_600_000;

/** `pausedMs`: the curve stands still since then, and nobody can say when it goes on. */
export type Reach =
  | { is: "reached"; ring: PolicyEntryId; sinceMs: number }
  | { is: "waiting"; ring: PolicyEntryId; atMs: number }
  | { is: "paused"; ring: PolicyEntryId; pausedMs: number }
  | { is: "beyond-curve"; ring: PolicyEntryId; highestPercent: number }
  | { is: "halted" }
  | { is: "no-ring" };

/** The first 48 bits of SHA-256 of `ROLLOUT LINE-FEED DEVICE`, as a share of the whole. */
export function placeOf(deviceId: string, rolloutId: string): number {
  const digest = sha256(utf8ToBytes(`${rolloutId}\n${deviceId}`));
  return digest.slice(0, 6).reduce((value, byte) => value * 256 + byte, 0) / 2 ** 48;
}

export function reachOf(
  rollout: Rollout,
  device: { readonly deviceId: string; readonly facts: Facts },
  nowMs: number,
): Reach {
  if (rollout.state === "halted") return { is: "halted" };
  const ring = ringOf(rollout, device.facts);
  if (ring === undefined) return { is: "no-ring" };
  const place = placeOf(device.deviceId, rollout.id);
  const afterMs = rollout.expedite === undefined ? afterStartMs(ring, place) : 0;
  if (afterMs === undefined) {
    const highestPercent = ring.curve.at(-1)?.percent ?? 0;
    return { is: "beyond-curve", ring: ring.name, highestPercent };
  }
  // In a hurry a ring's start does not count either, only the rollout's own.
  const startMs = Date.parse(rollout.expedite === undefined ? ring.startsAt : rollout.createdAt);
  const at = wallTime(rollout, startMs, afterMs);
  if (at.is === "never") return { is: "paused", ring: ring.name, pausedMs: at.pausedMs };
  return at.ms <= nowMs
    ? { is: "reached", ring: ring.name, sinceMs: at.ms }
    : { is: "waiting", ring: ring.name, atMs: at.ms };
}

/** A rule that cannot be evaluated names nobody: in doubt fewer machines. */
function ringOf(rollout: Rollout, facts: Facts): Ring | undefined {
  return rollout.rings.find((ring) => {
    if (ring.who === undefined) return true;
    const evaluation = evaluateRule(ring.who, facts);
    return evaluation.is === "evaluated" && evaluation.result;
  });
}

/** When the curve passes this place, counted from the ring's start; undefined: it ends below. */
function afterStartMs(ring: Ring, place: number): number | undefined {
  const percent = place * 100;
  let before: Ring["curve"][number] | undefined;
  for (const point of ring.curve) {
    if (point.percent > percent) {
      const share =
        before === undefined ? 1 : (percent - before.percent) / (point.percent - before.percent);
      const fromHours = before?.afterHours ?? 0;
      return Math.ceil((fromHours + share * (point.afterHours - fromHours)) * HOUR_MS);
    }
    before = point;
  }
  return undefined;
}

/** The moment at which the rollout has run for `runMs` since `startMs`, pauses taken out. */
export function wallTime(
  rollout: Rollout,
  startMs: number,
  runMs: number,
): { is: "at"; ms: number } | { is: "never"; pausedMs: number } {
  let atMs = startMs + runMs;
  for (const pause of rollout.pauses) {
    const fromMs = Date.parse(pause.from);
    // Reached before the pause began: it keeps what it has.
    if (atMs < fromMs) break;
    if (pause.to === undefined) return { is: "never", pausedMs: fromMs };
    atMs += Math.max(0, Date.parse(pause.to) - Math.max(fromMs, startMs));
  }
  return { is: "at", ms: atMs };
}
