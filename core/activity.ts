/**
 * What goes on on a machine besides the one sentence: since when, what it waits for, when it counts
 * as stuck, and what a person can do. Pure. Every state of a device has an answer, so that nobody
 * ever looks at a machine that only says "working" (windows-update.md 5, rows 7, 9 and 10).
 */
import type { Waiting } from "../protocol/decisions.ts";
import { type ErrorReport, reportError, UpbeatError } from "../protocol/errors/error.ts";
import type { Activity, Change, DeviceStatus } from "../protocol/orchestratorApi.ts";
import type { Progress } from "../protocol/updateServiceApi.ts";
import {
  BEGIN_LIMIT_MS,
  CHECK_LATE_MS,
  STAGE_LIMIT_MS,
  stuckMs,
  WAITS_FOR,
} from "./stageLimits.ts";

/** Of a device that can work; `deviceStatus.ts` names what keeps it from that. */
export interface Doing {
  readonly nowMs: number;
  readonly running: Change | undefined;
  /** What the update service does, also when no change asked for it. */
  readonly busy: Progress | undefined;
  readonly status: Pick<
    DeviceStatus,
    "restart" | "lastCheckError" | "lastCheckMs" | "nextCheckMs" | "offers" | "waiting" | "paused"
  >;
}

export function activityOf({ nowMs, running, busy, status }: Doing): Activity {
  const progress = running?.progress ?? busy;
  if (progress !== undefined) return ofPhase(progress, nowMs);
  if (running !== undefined) return ofBeginning(running, nowMs);
  if (status.restart !== undefined) return ofRestart(status.restart);
  return ofRest(status, nowMs);
}

/** What stands in the event and in the status when a phase has passed its limit. */
export function stuckReport(progress: Progress): ErrorReport {
  const { phase, sinceMs, movedMs = sinceMs, doneBytes, totalBytes } = progress;
  const how = totalBytes === 0 ? "" : `, ${doneBytes} of ${totalBytes} bytes`;
  return reportError(
    new UpbeatError("UPB-UPDATE-STUCK", {
      object: `the phase "${phase}"`,
      detail: `it began ${iso(sinceMs)}${how}; nothing has moved since ${iso(movedMs)}`,
    }),
  );
}

function ofPhase(progress: Progress, nowMs: number): Activity {
  const isStuck = nowMs > stuckMs(progress);
  return {
    sinceMs: progress.sinceMs,
    waitsFor: WAITS_FOR[progress.phase],
    stuckMs: stuckMs(progress),
    ...(isStuck ? { stuck: stuckReport(progress) } : {}),
    advice: isStuck ? STUCK_ADVICE : "Nothing: it goes on by itself, also when this is closed.",
  };
}

const STUCK_ADVICE =
  "Let it be found and mended with `upbeat troubleshoot --fix`; nothing that arrived is lost.";

/** The update service has not begun it yet, or between two of its jobs; a check has no phases. */
function ofBeginning({ request, startedMs, movedMs }: Change, nowMs: number): Activity {
  const sinceMs = movedMs ?? startedMs;
  const isCheck = request.kind === "check";
  const limitMs = isCheck ? STAGE_LIMIT_MS["refresh-metadata"] : BEGIN_LIMIT_MS;
  const isStuck = nowMs > sinceMs + limitMs;
  const object = isCheck ? "the check for updates" : `the ${request.kind}`;
  const detail = `nothing of it was seen since ${iso(sinceMs)}`;
  return {
    sinceMs,
    waitsFor: isCheck ? WAITS_FOR["refresh-metadata"] : "the update service, to take the work up",
    stuckMs: sinceMs + limitMs,
    ...(isStuck
      ? { stuck: reportError(new UpbeatError("UPB-UPDATE-STUCK", { object, detail })) }
      : {}),
    advice: isStuck ? STUCK_ADVICE : "Nothing: it goes on by itself, also when this is closed.",
  };
}

function ofRestart(plan: NonNullable<DeviceStatus["restart"]>): Activity {
  const [first] = plan.waiting;
  const untilMs = plan.atMs ?? first?.untilMs;
  return {
    sinceMs: plan.pendingSinceMs,
    waitsFor: "a restart of this machine",
    ...(untilMs === undefined ? {} : { untilMs }),
    advice: "Restart when it suits you with `upbeat restart now`, or choose a time.",
  };
}

function ofRest(status: Doing["status"], nowMs: number): Activity {
  const { lastCheckError, lastCheckMs, nextCheckMs, paused } = status;
  const late = nextCheckMs !== undefined && nowMs > nextCheckMs + CHECK_LATE_MS;
  const check = {
    ...(lastCheckMs === undefined ? {} : { sinceMs: lastCheckMs }),
    ...(nextCheckMs === undefined ? {} : { stuckMs: nextCheckMs + CHECK_LATE_MS }),
    ...(late ? { stuck: lateReport(nextCheckMs) } : {}),
  };
  const next = nextCheckMs === undefined ? {} : { untilMs: nextCheckMs };
  if (lastCheckError !== undefined) {
    const advice = `${lastCheckError.remedy}. To have the cause found: \`upbeat troubleshoot\`.`;
    return { ...check, ...next, waitsFor: "the next try to check for updates", advice };
  }
  const held = status.waiting.flatMap(({ waiting }) => waiting)[0];
  if (status.offers.length > 0 && held !== undefined) {
    const until = held.untilMs === undefined ? {} : { untilMs: held.untilMs };
    const advice = "To have it at once: `upbeat install`.";
    return { ...check, ...until, waitsFor: HELD_BY[held.reason], advice };
  }
  if (status.offers.length > 0)
    return { ...check, waitsFor: "you", advice: "Install with `upbeat install`." };
  if (paused !== undefined) {
    const advice = "End the pause with `upbeat resume`.";
    return { ...check, untilMs: paused.untilMs, waitsFor: "the end of the pause", advice };
  }
  return {
    ...check,
    ...next,
    waitsFor: "the next check for updates",
    advice: "Nothing; to check now: `upbeat check`.",
  };
}

const HELD_BY: Readonly<Record<Waiting["reason"], string>> = {
  "download-consent": "you, to say yes to the download",
  "install-consent": "you, to say yes to the install",
  "restart-consent": "you, to say yes to the restart",
  network: "a network",
  "unmetered-network": "a network that does not cost by volume",
  "mains-power": "mains power",
  "person-away": "a moment at which nobody works here",
  "machine-idle": "a moment at which the machine has little to do",
  "active-hours": "the end of the active hours",
  "maintenance-window": "the next maintenance window",
  retry: "the time of its next try",
  "before-it": "another update that comes first",
  "restart-pending": "a restart of this machine",
  inhibitor: "an application that objects",
  snoozed: "the time to which it was put off",
  "chosen-time": "the time that was chosen",
  "warning-time": "the time that people are given ahead",
  "restart-lock": "its turn among the machines that restart one after the other",
};

const lateReport = (dueMs: number): ErrorReport =>
  reportError(
    new UpbeatError("UPB-CHECK-LATE", {
      object: "checks for updates",
      detail: `one was due ${iso(dueMs)}`,
    }),
  );

const iso = (ms: number): string => new Date(ms).toISOString();
