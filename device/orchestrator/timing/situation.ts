/** Puts together what timing decides from: settings, sensors, what is pending, what people wish. */
import type { CombinedSettings } from "../../../core/settings.ts";
import { learnedActiveHours } from "../../../core/timing/learnedHours.ts";
import { maintenanceWindows } from "../../../core/timing/maintenanceWindows.ts";
import type { Machine, PendingUpdate, Situation } from "../../../core/timing/situation.ts";
import { type Zone, zoneNamed } from "../../../core/timing/zone.ts";
import type { Inhibitor } from "../../../protocol/inhibitors.ts";
import type { ActiveHours } from "../../../protocol/settings.ts";
import type { UseLog } from "../machine/use.ts";
import type { RestartMemory } from "./restartState.ts";

export interface SituationInput {
  readonly combined: CombinedSettings;
  readonly machine: Machine;
  readonly updates: readonly PendingUpdate[];
  readonly restart: RestartMemory;
  readonly inhibitors: readonly Inhibitor[];
  readonly use: UseLog;
  readonly askedServerMs: number | undefined;
  readonly nowMs: number;
}

export function situationOf(input: SituationInput): Situation {
  const { combined, machine, updates, restart, inhibitors, use, nowMs } = input;
  const { settings } = combined;
  const zone = zoneOf(settings.timeZone);
  if (machine.people === "present") use.note(zone, nowMs);
  return {
    nowMs,
    askedServerMs: input.askedServerMs,
    settings,
    zone,
    windows: maintenanceWindows(settings.maintenanceWindows, zone),
    activeHours: activeHours(combined, use, zone, nowMs),
    machine,
    updates,
    restart: restart.wishes(),
    inhibitors: inhibitors.map(({ who, why, untilMs }) => ({ who, why, untilMs })),
  };
}

/** The machine's own, unless a setting says otherwise. */
function zoneOf(name: string | null): Zone {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zone = (name === null ? undefined : zoneNamed(name)) ?? zoneNamed(own) ?? zoneNamed("UTC");
  if (zone === undefined) throw new RangeError("the zone database has no UTC");
  return zone;
}

/** What was set counts more than what was learned. */
function activeHours(
  { settings, setBy }: CombinedSettings,
  use: UseLog,
  zone: Zone,
  nowMs: number,
): ActiveHours {
  const learns = settings.learnActiveHours && setBy("activeHours") === "default";
  return (learns ? learnedActiveHours(use.recall(zone, nowMs)) : undefined) ?? settings.activeHours;
}
