/**
 * Whether a failed update is tried again on this machine, and when. Pure; milliseconds.
 *
 * The delays double from 8 hours to 2 weeks, twice as long after a restart that failed, as snapd
 * does for a revision that failed (peers.md: autorefresh.go). An error that passes by itself comes
 * back sooner and never holds an update; one that comes out the same every time is deterministic:
 * after some of them the update is held until a person asks for it or another build is published
 * (windows-update.md section 6: never retry the same deterministic failure for ever).
 */
import type { ErrorReport } from "../protocol/errors/error.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** 8 h, 16 h, 32 h … two weeks. */
const SLOW: readonly number[] = [8, 16, 32, 64, 128, 256, 336].map((hours) => hours * HOUR_MS);
const SOON: readonly number[] = [5, 15, 60, 240, 480].map((minutes) => minutes * MINUTE_MS);

interface RetryRule {
  /** After the first, the second … failure; the last one for all further. */
  readonly delaysMs: readonly number[];
  /** Held after so many failures that are equal; undefined: never. */
  readonly holdAfter: number | undefined;
}

// biome-ignore format: one row a class, the columns carry the meaning
export const RETRY_RULES: Record<ErrorReport["retry"], RetryRule> = {
  transient:      { delaysMs: SOON, holdAfter: undefined },
  server:         { delaysMs: SLOW, holdAfter: 5 },
  "local-damage": { delaysMs: SLOW, holdAfter: 5 },
  configuration:  { delaysMs: SLOW, holdAfter: 3 },
  // Nothing changes until the person does something.
  user:           { delaysMs: SLOW, holdAfter: 1 },
  information:    { delaysMs: [0], holdAfter: undefined },
};

/** One failed try of one build of an update, oldest first in a list. */
export interface Failure {
  readonly atMs: number;
  readonly error: Pick<ErrorReport, "code" | "text" | "retry" | "nativeCode">;
  /** It failed after a restart of the machine. */
  readonly afterRestart?: boolean;
}

export type Retry =
  | { readonly is: "now" }
  | { readonly is: "wait"; readonly untilMs: number; readonly failures: number }
  | { readonly is: "held"; readonly failures: number; readonly because: string };

/** `failures`: in a row, since the last success or since a person asked. */
export function retryOf(failures: readonly Failure[], nowMs: number): Retry {
  const last = failures.at(-1);
  if (last === undefined) return { is: "now" };
  const rule = RETRY_RULES[last.error.retry];
  const equal = equalAtEnd(failures);
  if (rule.holdAfter !== undefined && equal >= rule.holdAfter) {
    return { is: "held", failures: equal, because: `${last.error.text} (${last.error.code}).` };
  }
  const delayMs = rule.delaysMs[Math.min(failures.length, rule.delaysMs.length) - 1] ?? 0;
  // A clock that was set back must not make the wait longer than it was meant.
  const failedMs = Math.min(last.atMs, nowMs);
  const untilMs = failedMs + delayMs * (last.afterRestart === true ? 2 : 1);
  return untilMs <= nowMs ? { is: "now" } : { is: "wait", untilMs, failures: failures.length };
}

/** How many failures at the end of the list are the same one. */
function equalAtEnd(failures: readonly Failure[]): number {
  const name = ({ error }: Failure): string => `${error.code} ${error.nativeCode ?? ""}`;
  const last = failures.at(-1);
  const other = failures.findLastIndex((it) => last !== undefined && name(it) !== name(last));
  return failures.length - 1 - other;
}
