/**
 * How long each phase of an update takes on this machine: learned from every one that ran, guessed
 * until then. Pure; milliseconds and bytes.
 */
import { z } from "zod";
import { PHASES, type Progress } from "../protocol/updateServiceApi.ts";

type Phase = Progress["phase"];

const StageTime = z.object({
  /** One run of the phase. */
  ms: z.number().nonnegative(),
  /** Absent for phases that count nothing. */
  msPerByte: z.number().nonnegative().optional(),
});
export const StageTimes = z.partialRecord(z.enum(PHASES), StageTime);
export type StageTimes = z.infer<typeof StageTimes>;

export interface Expected {
  readonly ms: number;
  /** Nothing of the kind was ever measured here. */
  readonly isGuess: boolean;
}

/** Bytes per second of a modest machine, and what the rest takes on it. Ours. */
const rate = (bytesPerSecond: number): number => 1_000 / bytesPerSecond;
const GUESSES: Readonly<Record<Phase, z.infer<typeof StageTime>>> = {
  "refresh-metadata": { ms: 500 },
  plan: { ms: 500 },
  download: { ms: 10_000, msPerByte: rate(2_000_000) },
  apply: { ms: 5_000, msPerByte: rate(20_000_000) },
  verify: { ms: 1_000, msPerByte: rate(200_000_000) },
  stage: { ms: 2_000, msPerByte: rate(100_000_000) },
  switch: { ms: 500 },
  "health-check": { ms: 2_000 },
  commit: { ms: 200 },
  rollback: { ms: 2_000 },
  inspect: { ms: 2_000, msPerByte: rate(200_000_000) },
  mend: { ms: 1_000 },
  provider: { ms: 60_000 },
};

/** `bytes` undefined: how many is not known, so what the phase usually takes counts. */
export function expectedTime(times: StageTimes, phase: Phase, bytes: number | undefined): Expected {
  const known = times[phase];
  const { ms, msPerByte } = known ?? GUESSES[phase];
  if (bytes === undefined || msPerByte === undefined)
    return { ms: bytes === 0 ? 0 : ms, isGuess: known === undefined };
  return { ms: bytes * msPerByte, isGuess: known === undefined && bytes > 0 };
}

/** The last few runs count most: machines and lines change. */
const NEWEST_WEIGHT = 0.3;
/** A few bytes say nothing about the speed of many. */
const MEASURABLE_BYTES = 100_000;

export function learned(
  times: StageTimes,
  phase: Phase,
  run: { readonly tookMs: number; readonly bytes: number },
): StageTimes {
  const before = times[phase];
  const ms = mixed(before?.ms, Math.max(0, run.tookMs));
  const msPerByte =
    run.bytes < MEASURABLE_BYTES
      ? before?.msPerByte
      : mixed(before?.msPerByte, Math.max(0, run.tookMs) / run.bytes);
  // Short runs of a phase that counts leave the speed a guess, which is better than none.
  const speed = msPerByte ?? GUESSES[phase].msPerByte;
  return { ...times, [phase]: { ms, ...(speed === undefined ? {} : { msPerByte: speed }) } };
}

const mixed = (before: number | undefined, now: number): number =>
  before === undefined ? now : before + (now - before) * NEWEST_WEIGHT;
