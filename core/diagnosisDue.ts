/**
 * When the troubleshooter runs without being asked: after a failure, once a day for each kind of it;
 * when no check has worked for 30 days (windows-update.md, row 34); and once more when what it was
 * about is over, so that nobody reads of trouble that is gone. Pure.
 */
import { formatUpdate } from "../protocol/ids.ts";
import type { UpdateRecord } from "../protocol/updateServiceApi.ts";

const DAY_MS = 24 * 60 * 60_000;
export const LONG_WITHOUT_SUCCESS_MS = 30 * DAY_MS;

export interface MachineState {
  /** The code with which the last check failed. */
  readonly checkError?: string | undefined;
  readonly updates: readonly UpdateRecord[];
  /** Services that the manager has given up. */
  readonly givenUp: readonly string[];
  readonly lastSuccessMs?: number | undefined;
}

/** What the last run was about, and when each kind was last a reason to run. */
export interface LastRun {
  readonly about: readonly string[];
  readonly triedMs: Readonly<Record<string, number>>;
}

/** The kinds of trouble that a machine has now, as names that compare. */
export function kindsOfTrouble(state: MachineState, nowMs: number): string[] {
  const { checkError, updates, givenUp, lastSuccessMs } = state;
  return [
    ...(checkError === undefined ? [] : [`check ${checkError}`]),
    ...updates.flatMap((record) =>
      (record.state === "failed" || record.state === "rolled-back") && record.error !== undefined
        ? [`update ${formatUpdate(record)} ${record.error.code}`]
        : [],
    ),
    ...givenUp.map((service) => `service ${service}`),
    ...(lastSuccessMs !== undefined && nowMs - lastSuccessMs > LONG_WITHOUT_SUCCESS_MS
      ? ["no success for long"]
      : []),
  ];
}

export function isDiagnosisDue(
  kinds: readonly string[],
  last: LastRun | undefined,
  nowMs: number,
): boolean {
  if (last === undefined) return kinds.length > 0;
  if (kinds.length === 0) return last.about.length > 0;
  return kinds.some((kind) => !isRecent(last.triedMs[kind], nowMs));
}

/** The reasons of a run that is made now, beside those of the day before. */
export function triedNow(
  kinds: readonly string[],
  last: LastRun | undefined,
  nowMs: number,
): Record<string, number> {
  const recent = Object.entries(last?.triedMs ?? {}).filter(([, atMs]) => isRecent(atMs, nowMs));
  return Object.fromEntries([...recent, ...kinds.map((kind) => [kind, nowMs] as const)]);
}

/** A time that lies ahead comes from a clock that was wrong. */
const isRecent = (atMs: number | undefined, nowMs: number): boolean =>
  atMs !== undefined && atMs <= nowMs && nowMs - atMs < DAY_MS;
