/**
 * The one restart for everything that is pending: what it waits for, which warning is due, and
 * whether it happens now. Pure; milliseconds.
 *
 * Before the deadline: at a good moment, never inside active hours, never while somebody is at the
 * machine or an application objects, and after a countdown if anybody is signed in. From the deadline
 * on: after its warnings, whatever else is wished. Only people can have it sooner.
 */
import type { RestartPlan, Waiting } from "../../protocol/decisions.ts";
import { activeHoursChangeMs, isActiveAt } from "./activeHours.ts";
import { restartDeadlineMs } from "./deadline.ts";
import type { PendingUpdate, Situation } from "./situation.ts";
import { windowWait } from "./work.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export type WarningKind = "24h" | "4h" | "15min";
/** How long before the restart each is shown (the design's numbers). */
export const WARNED_BEFORE_MS: Record<WarningKind, number> = {
  "24h": DAY_MS,
  "4h": 4 * HOUR_MS,
  "15min": 15 * MINUTE_MS,
};
/** An older countdown was slept through: it is shown again. */
const COUNTDOWN_FRESH_MS = 30 * MINUTE_MS;
/** A chosen time that was missed by more, e.g. asleep, is over. */
const CHOSEN_VALID_MS = HOUR_MS;
/** For so long a restart waits for what is just being downloaded, so that one does for both. */
const SHARED_WAIT_MS = DAY_MS;

export interface RestartDecision {
  readonly now: boolean;
  /** To be shown now, and its time remembered. */
  readonly warn?: WarningKind;
  readonly plan: RestartPlan;
}

/** What else there is to do, and could share the restart. `working`: an install runs. */
export interface OtherWork {
  readonly working: boolean;
  readonly installs: readonly PendingUpdate[];
  readonly downloads: readonly PendingUpdate[];
}

export function decideRestart(now: Situation, work: OtherWork): RestartDecision | undefined {
  const pending = now.updates.filter((it) => it.stage === "restart-pending");
  if (pending.length === 0) return undefined;
  const pendingSinceMs = Math.min(...pending.map((it) => it.restartPendingMs ?? now.nowMs));
  const deadlineMs = earliest(pending.map((it) => restartDeadlineMs(it, now.settings)));
  const forcedMs = deadlineMs === undefined ? undefined : announcedMs(deadlineMs, now);
  const isForced = forcedMs !== undefined && now.nowMs >= forcedMs;
  const mode = modeOf(now, pendingSinceMs);
  const isAsked = now.restart.now || isForced;
  const waiting = [
    ...(work.working ? [before("An install runs; the restart comes after it.")] : []),
    ...(isAsked ? [] : wishes(now, mode)),
    ...(isAsked || mode === "chosen" ? [] : goodMoment(now)),
    ...(isAsked ? [] : objections(now)),
    ...(now.restart.now ? [] : firstInstall(work)),
    ...(isAsked ? [] : downloads(work, now, pendingSinceMs, deadlineMs)),
    ...lock(now),
  ];
  const warn = dueWarning(now, forcedMs, waiting.length === 0);
  const countdown = countdownWait(now, warn);
  const plan = {
    updates: pending.map((it) => it.id),
    pendingSinceMs,
    ...(deadlineMs === undefined ? {} : { deadlineMs: forcedMs ?? deadlineMs }),
    mode,
    warnings: foreseenWarnings(now, forcedMs),
  };
  const all = waiting.length === 0 && countdown !== undefined ? [countdown] : waiting;
  const atMs = foreseenMs(now, mode, forcedMs, all);
  return {
    now: all.length === 0,
    ...(warn === undefined ? {} : { warn }),
    plan: { ...plan, ...(atMs === undefined ? {} : { atMs }), waiting: all },
  };
}

/**
 * The moment from which it is forced. Somebody who was away when the deadline passed has not seen a
 * warning: they get four hours from the first one (never without a deadline that was seen,
 * windows-update.md section 6).
 */
function announcedMs(deadlineMs: number, { restart, machine, nowMs }: Situation): number {
  if (machine.people === "nobody") return deadlineMs;
  const seen = [restart.warnedMs["24h"], restart.warnedMs["4h"]].filter((ms) => ms !== undefined);
  const firstSeenMs = Math.min(nowMs, ...seen);
  return Math.max(deadlineMs, firstSeenMs + WARNED_BEFORE_MS["4h"]);
}

function modeOf(now: Situation, pendingSinceMs: number): RestartPlan["mode"] {
  const { chosenMs } = now.restart;
  if (chosenMs !== undefined && now.nowMs < chosenMs + CHOSEN_VALID_MS) return "chosen";
  const engagedMs = pendingSinceMs + now.settings.engagedRestartDays * DAY_MS;
  // Where nobody is, nobody can be asked.
  return now.nowMs >= engagedMs && now.machine.people !== "nobody" ? "engaged" : "automatic";
}

function wishes({ restart, settings, nowMs }: Situation, mode: RestartPlan["mode"]): Waiting[] {
  if (mode === "chosen") {
    if (restart.chosenMs === undefined || restart.chosenMs <= nowMs) return [];
    const sentence = "It waits for the time that was chosen.";
    return [{ reason: "chosen-time", sentence, untilMs: restart.chosenMs }];
  }
  const waits: Waiting[] = [];
  if (restart.snoozedUntilMs !== undefined && restart.snoozedUntilMs > nowMs) {
    const sentence = "It was put off.";
    waits.push({ reason: "snoozed", sentence, untilMs: restart.snoozedUntilMs });
  }
  if (settings.restart === "ask" || mode === "engaged") {
    const sentence = "It waits until somebody chooses a time.";
    waits.push({ reason: "restart-consent", sentence });
  }
  return waits;
}

function goodMoment(now: Situation): Waiting[] {
  const { settings, windows, activeHours, zone, nowMs, machine } = now;
  const waits: Waiting[] = [];
  if (settings.maintenanceWindows.length > 0) {
    if (windows.openAt(nowMs) === undefined) waits.push(windowWait(now));
  } else if (isActiveAt(activeHours, zone, nowMs)) {
    const untilMs = activeHoursChangeMs(activeHours, zone, nowMs);
    waits.push({
      reason: "active-hours",
      sentence: "It waits for the end of active hours.",
      untilMs,
    });
  }
  if (machine.people === "present") {
    waits.push({ reason: "person-away", sentence: "It waits until nobody uses the machine." });
  }
  if (machine.power === "battery" && !settings.installOnBattery) {
    waits.push({ reason: "mains-power", sentence: "It waits for mains power." });
  }
  if (machine.busy) {
    waits.push({ reason: "machine-idle", sentence: "It waits until the machine has less to do." });
  }
  return waits;
}

const objections = ({ inhibitors, nowMs }: Situation): Waiting[] =>
  inhibitors
    .filter(({ untilMs }) => untilMs === undefined || untilMs > nowMs)
    .map(({ who, why, untilMs }) => ({
      reason: "inhibitor",
      sentence: `${who} objects: ${why}.`,
      by: who,
      ...(untilMs === undefined ? {} : { untilMs }),
    }));

/**
 * What can be installed now comes first, so that one restart does for both. It has no limit in time:
 * an install that fails is not free to go any more.
 */
const firstInstall = ({ installs: [first] }: OtherWork): Waiting[] =>
  first === undefined
    ? []
    : [before(`It waits for the install of ${nameOf(first)}, to do both at once.`)];

/** What is just being downloaded has a day, and never longer than the deadline. */
function downloads(
  { downloads: [first] }: OtherWork,
  { nowMs }: Situation,
  pendingSinceMs: number,
  deadlineMs = Number.POSITIVE_INFINITY,
): Waiting[] {
  const untilMs = Math.min(pendingSinceMs + SHARED_WAIT_MS, deadlineMs);
  if (first === undefined || nowMs >= untilMs) return [];
  return [
    { ...before(`It waits for the download of ${nameOf(first)}, to do both at once.`), untilMs },
  ];
}

const nameOf = ({ id }: PendingUpdate): string => `${id.product} ${id.version}`;

function lock({ restart, nowMs }: Situation): Waiting[] {
  const { lockDenied } = restart;
  if (lockDenied === undefined || lockDenied.untilMs <= nowMs) return [];
  const sentence = `It waits for its turn in the cluster. ${lockDenied.because}`;
  return [{ reason: "restart-lock", sentence, untilMs: lockDenied.untilMs, by: lockDenied.by }];
}

/** The most urgent warning that is due and was not given. */
function dueWarning(
  now: Situation,
  forcedMs: number | undefined,
  nothingElse: boolean,
): WarningKind | undefined {
  const { nowMs, restart, machine } = now;
  if (machine.people === "nobody" || restart.now) return undefined;
  const leftMs = forcedMs === undefined ? Number.POSITIVE_INFINITY : forcedMs - nowMs;
  if (nothingElse || leftMs <= WARNED_BEFORE_MS["15min"]) {
    return isFresh(restart.warnedMs["15min"], nowMs) ? undefined : "15min";
  }
  if (leftMs <= WARNED_BEFORE_MS["4h"]) {
    return restart.warnedMs["4h"] === undefined ? "4h" : undefined;
  }
  if (leftMs > WARNED_BEFORE_MS["24h"]) return undefined;
  const { "24h": day, "4h": hours } = restart.warnedMs;
  return day === undefined && hours === undefined ? "24h" : undefined;
}

/** With somebody signed in nothing restarts before a countdown of 15 minutes was seen. */
function countdownWait(now: Situation, warn: WarningKind | undefined): Waiting | undefined {
  const { nowMs, restart, machine } = now;
  if (machine.people === "nobody" || restart.now) return undefined;
  const startedMs = warn === "15min" ? nowMs : restart.warnedMs["15min"];
  if (startedMs === undefined) return undefined;
  const untilMs = startedMs + WARNED_BEFORE_MS["15min"];
  if (untilMs <= nowMs) return undefined;
  return { reason: "warning-time", sentence: "The countdown runs.", untilMs };
}

const isFresh = (warnedMs: number | undefined, nowMs: number): boolean =>
  warnedMs !== undefined && warnedMs <= nowMs && nowMs - warnedMs <= COUNTDOWN_FRESH_MS;

function foreseenWarnings(
  { nowMs }: Situation,
  forcedMs: number | undefined,
): RestartPlan["warnings"] {
  if (forcedMs === undefined) return [];
  const kinds: WarningKind[] = ["24h", "4h", "15min"];
  return kinds
    .map((kind) => ({ kind, atMs: forcedMs - WARNED_BEFORE_MS[kind] }))
    .filter(({ atMs }) => atMs > nowMs);
}

/** When it will be as things stand: the last of what has a time, or the deadline if that is sooner. */
function foreseenMs(
  { nowMs, restart }: Situation,
  mode: RestartPlan["mode"],
  forcedMs: number | undefined,
  waiting: readonly Waiting[],
): number | undefined {
  if (restart.now) return nowMs;
  const needsPerson = waiting.some((it) => it.reason === "restart-consent");
  if (needsPerson && mode !== "chosen") return forcedMs;
  const last = Math.max(nowMs, ...waiting.map((it) => it.untilMs ?? nowMs));
  return Math.min(last, forcedMs ?? Number.POSITIVE_INFINITY);
}

const before = (sentence: string): Waiting => ({ reason: "before-it", sentence });

const earliest = (times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((ms) => ms !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};
