/**
 * How each setting is shown and changed on the page: which control, within which bounds (those of
 * `protocol/settings.ts`), in which group. What is not here is listed with its value alone.
 */
import type { SettingKey } from "../../../protocol/settings.ts";

export type Control =
  | { readonly kind: "switch" }
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  | {
      readonly kind: "number";
      readonly min: number;
      readonly max: number;
      /** What null means, if it may be null. */
      readonly none?: "none";
    }
  /** Kilobytes a second on the page, bytes in the setting. */
  | { readonly kind: "speed" }
  | { readonly kind: "hours" }
  /** One of the time zones that the browser knows, or none. */
  | { readonly kind: "zone" }
  | { readonly kind: "windows" }
  | { readonly kind: "pins" };

const ASK = { kind: "choice", choices: ["automatic", "ask"] } as const;
const SWITCH = { kind: "switch" } as const;
const number = (min: number, max: number): Control => ({ kind: "number", min, max });

/** What a person may wish for; an administrator may set it for everybody. */
export const GROUPS: readonly (readonly [string, Partial<Record<SettingKey, Control>>])[] = [
  ["byItself", { download: ASK, install: ASK, restart: ASK, installAtShutdown: SWITCH }],
  [
    "when",
    {
      activeHours: { kind: "hours" },
      learnActiveHours: SWITCH,
      awayAfterMinutes: number(1, 240),
      notices: { kind: "choice", choices: ["all", "restarts", "none"] },
    },
  ],
  [
    "network",
    {
      downloadOnMetered: SWITCH,
      installOnBattery: SWITCH,
      downloadLimit: { kind: "speed" },
      activeHoursDownloadLimit: { kind: "speed" },
    },
  ],
  [
    "offered",
    {
      qualityDeferralDays: number(0, 30),
      featureDeferralDays: number(0, 365),
      optionalUpdates: { kind: "choice", choices: ["show", "hide"] },
    },
  ],
  ["troubleshooting", { reportDiagnoses: SWITCH }],
];

/** Only an administrator may set these, as the policy of this machine. */
export const ADMINISTRATORS: Partial<Record<SettingKey, Control>> = {
  targetVersions: { kind: "pins" },
  maintenanceWindows: { kind: "windows" },
  timeZone: { kind: "zone" },
  userMayPause: SWITCH,
  repairByItself: SWITCH,
  checkIntervalHours: number(1, 22),
  qualityDeadlineDays: { kind: "number", min: 0, max: 30, none: "none" },
  featureDeadlineDays: { kind: "number", min: 0, max: 30, none: "none" },
  graceDays: number(0, 7),
  engagedRestartDays: number(2, 30),
  snoozeDays: number(1, 3),
  rollbackDays: number(2, 60),
};
