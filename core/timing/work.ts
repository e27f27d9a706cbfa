/**
 * What a download and an install wait for; an empty list means now. Pure.
 *
 * The order of the list is the order in which a person would want to know. Up to the deadline
 * everything counts; after it only what would do harm or cost money. What somebody asked for goes at
 * once.
 */
import type { Waiting } from "../../protocol/decisions.ts";
import { installDeadlineMs } from "./deadline.ts";
import type { PendingUpdate, Situation } from "./situation.ts";

const DAY_MS = 86_400_000;
/**
 * Work makes room for a person for so long, then goes on beside them: a machine that is only on while
 * somebody uses it would never be done (half of the unpatched lacked time online: windows-update.md
 * section 5, no. 18). Installs: 2 days, section 1.9; downloads, which disturb less, half of it.
 */
const MAKES_ROOM_MS = { download: DAY_MS, install: 2 * DAY_MS };

export function downloadWaits(update: PendingUpdate, now: Situation): Waiting[] {
  const { settings, machine } = now;
  const asked = update.asked !== "nothing";
  const waits: Waiting[] = [];
  if (machine.network === "none") {
    waits.push({ reason: "network", sentence: "It waits for a network." });
  }
  if (asked) return waits;
  waits.push(...retryWait(update, now));
  if (update.optional) waits.push(consent("download", "It is optional and waits to be asked for."));
  if (machine.network === "metered" && !settings.downloadOnMetered) {
    waits.push({
      reason: "unmetered-network",
      sentence: "It waits for a network that does not cost by volume.",
    });
  }
  if (isOverdue(update, now)) return waits;
  if (settings.download === "ask" && !update.optional) {
    waits.push(consent("download", "It waits until somebody says that it may be downloaded."));
  }
  return [...waits, ...room("download", update, now)];
}

export function installWaits(update: PendingUpdate, now: Situation): Waiting[] {
  const { settings, machine, windows, nowMs } = now;
  const waits = restartWaits(update, now);
  if (update.asked === "install") return waits;
  waits.push(...retryWait(update, now));
  if (update.userInput) {
    waits.push(
      consent("install", "It asks questions while it installs, so somebody must start it."),
    );
  } else if (update.optional) {
    waits.push(consent("install", "It is optional and waits to be asked for."));
  }
  if (isOverdue(update, now)) return waits;
  if (settings.install === "ask" && !update.optional && !update.userInput) {
    waits.push(consent("install", "It waits until somebody says that it may be installed."));
  }
  if (settings.maintenanceWindows.length > 0 && windows.openAt(nowMs) === undefined) {
    waits.push(windowWait(now));
  }
  if (machine.power === "battery" && !settings.installOnBattery) {
    waits.push({ reason: "mains-power", sentence: "It waits for mains power." });
  }
  // A window is the administrator's word that this is a good moment.
  return settings.maintenanceWindows.length > 0
    ? waits
    : [...waits, ...room("install", update, now)];
}

export function windowWait({ windows, nowMs }: Situation): Waiting {
  const next = windows.nextAfter(nowMs);
  return next === undefined
    ? { reason: "maintenance-window", sentence: "No maintenance window comes any more." }
    : {
        reason: "maintenance-window",
        sentence: "It waits for the next maintenance window.",
        untilMs: next.startMs,
      };
}

/** Its deadline has passed. */
export function isOverdue(update: PendingUpdate, { settings, nowMs }: Situation): boolean {
  const deadlineMs = installDeadlineMs(update, settings);
  return deadlineMs !== undefined && nowMs >= deadlineMs;
}

/** What would be installed on top of a version that waits for its restart, or beside one, waits. */
function restartWaits(update: PendingUpdate, { updates }: Situation): Waiting[] {
  const pending = updates.find(
    (it) =>
      it.stage === "restart-pending" &&
      (it.id.product === update.id.product || it.exclusive || update.exclusive),
  );
  if (pending === undefined) return [];
  const sentence = `It waits for the restart that ${pending.id.product} ${pending.id.version} needs.`;
  return [{ reason: "restart-pending", sentence }];
}

function retryWait(update: PendingUpdate, { nowMs }: Situation): Waiting[] {
  if (update.notBeforeMs === undefined || update.notBeforeMs <= nowMs) return [];
  const sentence = "It failed and is tried again later.";
  return [{ reason: "retry", sentence, untilMs: update.notBeforeMs }];
}

function room(work: "download" | "install", update: PendingUpdate, now: Situation): Waiting[] {
  const untilMs = update.firstOfferedMs + MAKES_ROOM_MS[work];
  if (now.nowMs >= untilMs) return [];
  if (now.machine.people === "present") {
    const sentence = "It makes room for the person at the machine.";
    return [{ reason: "person-away", sentence, untilMs }];
  }
  if (!now.machine.busy) return [];
  return [
    { reason: "machine-idle", sentence: "It waits until the machine has less to do.", untilMs },
  ];
}

const consent = (work: "download" | "install", sentence: string): Waiting => ({
  reason: `${work}-consent`,
  sentence,
});
