/**
 * What timing decides from: the machine at this moment, what is pending, what people wish. Times are
 * milliseconds since 1970. The device fills it from its sensors, the simulator makes it up.
 */
import type { UpdateId } from "../../protocol/ids.ts";
import type { UpdateManifest } from "../../protocol/manifest.ts";
import type { ActiveHours, Settings } from "../../protocol/settings.ts";
import type { Windows } from "./maintenanceWindows.ts";
import type { Zone } from "./zone.ts";

export interface Machine {
  readonly network: "none" | "metered" | "unmetered";
  readonly power: "mains" | "battery";
  /** nobody is signed in · away: signed in, and no input for some time · present. */
  readonly people: "nobody" | "away" | "present";
  /** The machine works hard for somebody. */
  readonly busy: boolean;
}

type FromManifest = Pick<UpdateManifest, "classification" | "restart" | "userInput" | "exclusive">;

export interface PendingUpdate extends FromManifest {
  readonly id: UpdateId;
  readonly stage: "offered" | "downloading" | "downloaded" | "installing" | "restart-pending";
  readonly optional: boolean;
  /** When this machine was first offered this build. */
  readonly firstOfferedMs: number;
  /** A date of the manifest or of an approval; the earlier of all deadlines counts. */
  readonly deadlineMs?: number | undefined;
  /** Instead of the settings' days. */
  readonly deadlineDays?: number | undefined;
  /** Since when it waits for a restart. */
  readonly restartPendingMs?: number | undefined;
  /** What a person asked for; it goes at once then. */
  readonly asked: "nothing" | "download" | "install";
  /** After a failure: not before (`core/retry.ts`). */
  readonly notBeforeMs?: number | undefined;
}

export interface RestartWishes {
  /** Somebody said "restart now". */
  readonly now: boolean;
  /** The time that somebody chose. */
  readonly chosenMs?: number | undefined;
  readonly snoozedUntilMs?: number | undefined;
  /** When each warning of this restart was last shown. */
  readonly warnedMs: { readonly [Kind in "24h" | "4h" | "15min"]?: number | undefined };
  /** The lock service said no, or nothing, in its own words; it is asked again then. */
  readonly lockDenied?:
    | { readonly by: string; readonly untilMs: number; readonly because: string }
    | undefined;
}

export interface Situation {
  readonly nowMs: number;
  /** When the server was last asked, whatever came of it; absent: that does not matter here. */
  readonly askedServerMs?: number | undefined;
  readonly settings: Settings;
  readonly zone: Zone;
  readonly windows: Windows;
  /** Set, or learned from use. */
  readonly activeHours: ActiveHours;
  readonly machine: Machine;
  readonly updates: readonly PendingUpdate[];
  readonly restart: RestartWishes;
  readonly inhibitors: readonly {
    readonly who: string;
    readonly why: string;
    readonly untilMs?: number | undefined;
  }[];
}
