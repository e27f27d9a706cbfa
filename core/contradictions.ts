/**
 * Settings that cannot all be meant, or that lead to nothing: one sentence each. Pure.
 *
 * Only what somebody set is told: a default contradicts nobody.
 */
import type { EffectivePolicy, SettingKey, Settings } from "../protocol/settings.ts";
import { maintenanceWindows, windowProblem } from "./timing/maintenanceWindows.ts";
import { zoneNamed } from "./timing/zone.ts";

type Contradiction = EffectivePolicy["contradictions"][number];

interface Pair {
  readonly settings: readonly SettingKey[];
  /** All of these were set by somebody; the others may be at their default. */
  readonly setByHand: readonly SettingKey[];
  holds(settings: Settings): boolean;
  sentence(settings: Settings): string;
}

const PAIRS: readonly Pair[] = [
  {
    settings: ["learnActiveHours", "activeHours"],
    setByHand: ["learnActiveHours", "activeHours"],
    holds: (it) => it.learnActiveHours,
    sentence: () =>
      "Active hours are set and are also to be learned: the ones that were set count.",
  },
  {
    settings: ["maintenanceWindows", "activeHours"],
    setByHand: ["maintenanceWindows", "activeHours"],
    holds: (it) => it.maintenanceWindows.length > 0,
    sentence: () =>
      "Active hours and maintenance windows are both set: the windows alone decide when the machine restarts.",
  },
  {
    settings: ["graceDays", "qualityDeadlineDays"],
    setByHand: ["graceDays", "qualityDeadlineDays"],
    holds: (it) => it.qualityDeadlineDays !== null && it.graceDays > it.qualityDeadlineDays,
    sentence: (it) =>
      `The grace of ${it.graceDays} days is longer than the deadline of ${it.qualityDeadlineDays}: the grace alone decides.`,
  },
  {
    settings: ["graceDays", "featureDeadlineDays"],
    setByHand: ["graceDays", "featureDeadlineDays"],
    holds: (it) => it.featureDeadlineDays !== null && it.graceDays > it.featureDeadlineDays,
    sentence: (it) =>
      `The grace of ${it.graceDays} days is longer than the deadline of ${it.featureDeadlineDays} for features: the grace alone decides.`,
  },
  {
    settings: ["graceDays"],
    setByHand: ["graceDays", "qualityDeadlineDays", "featureDeadlineDays"],
    holds: (it) => it.qualityDeadlineDays === null && it.featureDeadlineDays === null,
    sentence: () => "A grace is set, and there is no deadline after which it could count.",
  },
  {
    settings: ["engagedRestartDays", "qualityDeadlineDays", "featureDeadlineDays"],
    setByHand: ["engagedRestartDays"],
    holds: (it) =>
      [it.qualityDeadlineDays, it.featureDeadlineDays].every(
        (days) => days !== null && it.engagedRestartDays >= Math.max(days, it.graceDays),
      ),
    sentence: (it) =>
      `People are to be asked for a restart after ${it.engagedRestartDays} days, and the deadline always comes first.`,
  },
  {
    settings: ["downloadLimit", "activeHoursDownloadLimit"],
    setByHand: ["downloadLimit", "activeHoursDownloadLimit"],
    holds: (it) =>
      it.downloadLimit !== null &&
      it.activeHoursDownloadLimit !== null &&
      it.activeHoursDownloadLimit > it.downloadLimit,
    sentence: () => "Downloads may take more inside active hours than outside of them.",
  },
  {
    settings: ["notices", "restart", "install", "download"],
    setByHand: ["notices"],
    holds: (it) => it.notices === "none" && [it.restart, it.install, it.download].includes("ask"),
    sentence: () => "People are to be asked first, and no notice may ask them.",
  },
];

/** `isSet`: somebody other than the default said so. */
export function contradictionsAmong(
  settings: Settings,
  isSet: (key: SettingKey) => boolean,
  nowMs: number,
): Contradiction[] {
  return [
    ...PAIRS.filter((pair) => pair.setByHand.every(isSet) && pair.holds(settings)).map((pair) => ({
      settings: [...pair.settings],
      sentence: pair.sentence(settings),
    })),
    ...unusableZone(settings),
    ...unusableWindows(settings, nowMs),
  ];
}

function unusableZone({ timeZone }: Settings): Contradiction[] {
  if (timeZone === null || zoneNamed(timeZone) !== undefined) return [];
  const sentence = `There is no time zone ${timeZone}: the machine's own counts.`;
  return [{ settings: ["timeZone"], sentence }];
}

function unusableWindows(
  { maintenanceWindows: windows }: Settings,
  nowMs: number,
): Contradiction[] {
  const broken = windows.flatMap((window, at) => {
    const problem = windowProblem(window);
    return problem === undefined
      ? []
      : [`Maintenance window ${at + 1} cannot be used: ${problem}.`];
  });
  const utc = zoneNamed("UTC");
  const open = utc && maintenanceWindows(windows, utc);
  const isOver =
    windows.length > 0 && open?.openAt(nowMs) === undefined && open?.nextAfter(nowMs) === undefined;
  if (isOver) {
    broken.push(
      "No maintenance window ever comes again: nothing goes by itself before its deadline.",
    );
  }
  return broken.map((sentence) => ({ settings: ["maintenanceWindows"], sentence }));
}
