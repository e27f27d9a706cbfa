/**
 * What may happen now, what is waited for, and when to look again: the one function that the
 * device, the simulator and the server's preview share. Pure; milliseconds.
 *
 * Called again whenever something changes (an event, a person, the network) and at `lookAgainMs`.
 */
import type { Waiting } from "../../protocol/decisions.ts";
import type { UpdateId } from "../../protocol/ids.ts";
import { activeHoursChangeMs } from "./activeHours.ts";
import { installDeadlineMs, restartDeadlineMs } from "./deadline.ts";
import { decideRestart, type RestartDecision, WARNED_BEFORE_MS } from "./restart.ts";
import type { PendingUpdate, Situation } from "./situation.ts";
import { downloadWaits, installWaits } from "./work.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Ours: a check costs one small request, a halted update on a machine costs its person a day. */
const ASK_AGAIN_MS = HOUR_MS;

export interface Plan {
  /** In this order: the earliest deadline first. */
  readonly download: readonly UpdateId[];
  /**
   * Something could be installed, and the server was not asked for an hour: check first, so that
   * what was halted meanwhile is not installed. Asked in vain is asked: no server holds an update up.
   */
  readonly checkFirst: boolean;
  /** One after the other; an exclusive one stands alone. */
  readonly install: readonly UpdateId[];
  /** What is at work and would not be begun now: it stops where that does no harm. */
  readonly pause: readonly UpdateId[];
  /** Installed when the person shuts down or restarts by themselves. */
  readonly atShutdown: readonly UpdateId[];
  readonly waiting: readonly {
    readonly update: UpdateId;
    readonly step: "download" | "install";
    readonly waiting: readonly Waiting[];
  }[];
  readonly restart: RestartDecision | undefined;
  readonly lookAgainMs: number;
}

export function planNow(now: Situation): Plan {
  const updates = now.updates.toSorted((a, b) => urgency(a, now) - urgency(b, now));
  const steps = updates.flatMap((update) => {
    const step = nextStep(update);
    if (step === undefined) return [];
    const waiting = step === "download" ? downloadWaits(update, now) : installWaits(update, now);
    return [{ update, step, waiting }];
  });
  const free = steps.filter(({ waiting }) => waiting.length === 0);
  const downloads = free.filter(({ step }) => step === "download").map((it) => it.update);
  const ready = free.filter(({ step }) => step === "install").map((it) => it.update);
  const working = updates.some((it) => it.stage === "installing");
  const needing = (list: readonly PendingUpdate[]) => list.filter((it) => it.restart !== "never");
  // A restart that is about to happen takes along what is downloaded, whoever is at the machine.
  const alone = decideRestart(now, { working, installs: [], downloads: needing(downloads) });
  const along = isImminent(alone) ? needing(steps.filter(mayGoAlong).map((it) => it.update)) : [];
  const installs = together([...new Set([...ready, ...along])], updates);
  const restart = decideRestart(now, { working, installs, downloads: needing(downloads) });
  const checkFirst = installs.length > 0 && isLongAgo(now);
  return {
    download: downloads.map((it) => it.id),
    checkFirst,
    install: checkFirst ? [] : installs.map((it) => it.id),
    pause: toPause(updates, now).map((it) => it.id),
    atShutdown: atShutdown(updates, now).map((it) => it.id),
    waiting: steps
      .filter(({ waiting }) => waiting.length > 0)
      .map(({ update, step, waiting }) => ({ update: update.id, step, waiting })),
    restart,
    lookAgainMs: lookAgainMs(now, [
      ...steps.flatMap((it) => it.waiting),
      ...(restart?.plan.waiting ?? []),
    ]),
  };
}

const isLongAgo = ({ askedServerMs, machine, nowMs }: Situation): boolean =>
  askedServerMs !== undefined &&
  machine.network !== "none" &&
  Math.abs(nowMs - askedServerMs) > ASK_AGAIN_MS;

/** It happens now, or its countdown runs. */
const isImminent = (restart: RestartDecision | undefined): boolean =>
  restart?.plan.waiting.every((it) => it.reason === "warning-time") ?? false;

/** What makes room for people or waits for a window does not when the machine restarts anyway. */
const GIVES_WAY: ReadonlySet<Waiting["reason"]> = new Set([
  "person-away",
  "machine-idle",
  "maintenance-window",
]);
const mayGoAlong = (it: { step: string; update: PendingUpdate; waiting: readonly Waiting[] }) =>
  it.step === "install" &&
  !it.update.exclusive &&
  it.waiting.every(({ reason }) => GIVES_WAY.has(reason));

/** Its own work makes a machine busy, and a try that began is not put off to its next one. */
const NO_REASON_TO_STOP: ReadonlySet<Waiting["reason"]> = new Set(["machine-idle", "retry"]);

function toPause(updates: readonly PendingUpdate[], now: Situation): PendingUpdate[] {
  const begun = updates.flatMap((update) => {
    const { stage } = update;
    if (stage !== "downloading" && stage !== "installing") return [];
    const waits = stage === "installing" ? installWaits(update, now) : downloadWaits(update, now);
    return [{ update, waits: waits.filter(({ reason }) => !NO_REASON_TO_STOP.has(reason)) }];
  });
  const unwelcome = begun.filter(({ waits }) => waits.length > 0);
  if (unwelcome.length === 0) return [];
  // What goes along with a restart goes on to its end.
  const restart = decideRestart(now, { working: false, installs: [], downloads: [] });
  return unwelcome
    .filter(
      ({ update, waits }) =>
        update.stage === "downloading" ||
        !isImminent(restart) ||
        !waits.every(({ reason }) => GIVES_WAY.has(reason)),
    )
    .map(({ update }) => update);
}

function nextStep(update: PendingUpdate): "download" | "install" | undefined {
  if (update.stage === "offered" || update.stage === "downloading") return "download";
  return update.stage === "downloaded" ? "install" : undefined;
}

const urgency = (update: PendingUpdate, { settings }: Situation): number =>
  installDeadlineMs(update, settings) ?? update.firstOfferedMs + 1e6 * DAY_MS;

/** The others first, so that an exclusive one finds the machine to itself. */
function together(
  installs: readonly PendingUpdate[],
  all: readonly PendingUpdate[],
): readonly PendingUpdate[] {
  const shared = installs.filter((it) => !it.exclusive);
  if (shared.length > 0) return shared;
  const isFree = !all.some((it) => it.stage === "installing");
  return isFree ? installs.slice(0, 1) : [];
}

/** What a shutdown takes along: nothing that somebody would still have to be asked about. */
function atShutdown(updates: readonly PendingUpdate[], now: Situation): PendingUpdate[] {
  const { settings } = now;
  return updates.filter((update) => {
    if (update.stage !== "downloaded" || update.userInput || update.exclusive) return false;
    if (update.asked === "install") return true;
    const mayInstall = settings.installAtShutdown && settings.install === "automatic";
    return mayInstall && !update.optional && (update.notBeforeMs ?? 0) <= now.nowMs;
  });
}

/** The first moment at which the answer can be another one without an event. */
function lookAgainMs(now: Situation, waiting: readonly Waiting[]): number {
  const { nowMs, settings, windows } = now;
  const deadlines = now.updates.flatMap((update) => {
    const restartMs = restartDeadlineMs(update, settings);
    const warnings =
      restartMs === undefined
        ? []
        : Object.values(WARNED_BEFORE_MS).map((before) => restartMs - before);
    return [installDeadlineMs(update, settings), restartMs, ...warnings];
  });
  const engaged = now.updates.map(({ restartPendingMs }) =>
    restartPendingMs === undefined
      ? undefined
      : restartPendingMs + settings.engagedRestartDays * DAY_MS,
  );
  const announced = Object.values(now.restart.warnedMs).flatMap((ms) =>
    ms === undefined ? [] : Object.values(WARNED_BEFORE_MS).map((after) => ms + after),
  );
  const moments = [
    ...waiting.map((it) => it.untilMs),
    ...deadlines,
    ...engaged,
    // Four hours from the first warning, and fifteen minutes before that.
    ...announced,
    ...announced.map((ms) => ms - WARNED_BEFORE_MS["15min"]),
    now.restart.chosenMs,
    activeHoursChangeMs(now.activeHours, now.zone, nowMs),
    windows.openAt(nowMs)?.endMs,
    windows.nextAfter(nowMs)?.startMs,
  ];
  const ahead = moments.filter((ms) => ms !== undefined && ms > nowMs);
  return Math.min(nowMs + DAY_MS, ...ahead.filter((ms) => ms !== undefined));
}
