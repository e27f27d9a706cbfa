/**
 * The next days of this machine, by the code that decides on it (`core/simulate.ts`) from what it
 * knows now. What nobody can know is made up and said: who is at the machine when, how fast it is.
 */
import type { Gathered } from "../../../content/gather.ts";
import { type SimulatedEvent, type SimulatedMachine, simulate } from "../../../core/simulate.ts";
import { activeHoursChangeMs, isActiveAt } from "../../../core/timing/activeHours.ts";
import type { Situation } from "../../../core/timing/situation.ts";
import { formatUpdate } from "../../../protocol/ids.ts";
import type { Simulation } from "../../../protocol/simulation.ts";
import type { DevicePolicy } from "../settings/devicePolicy.ts";

const MINUTE_MS = 60_000;
const DOWNLOAD_BYTES_PER_SECOND = 2_000_000;
const INSTALL_MS = 2 * MINUTE_MS;
const RESTART_MS = 2 * MINUTE_MS;
const MAX_EVENTS = 5_000;

const ASSUMPTIONS = [
  "The machine is always on, on mains power, on a network that does not cost by volume.",
  "Somebody is at it in the active hours and signed in at no other time.",
  "It downloads 2 MB a second; an install and a restart take two minutes each.",
  "Nothing new is published, and nothing fails.",
];

export interface SimulationInput {
  readonly gathered: Gathered;
  readonly policy: DevicePolicy;
  /** For the zone and the active hours, set or learned. */
  readonly situation: Pick<Situation, "zone" | "activeHours">;
  readonly lastCheckMs: number | undefined;
  readonly days: number;
  readonly nowMs: number;
  readonly random: () => number;
}

export function simulateDays(input: SimulationInput): Simulation {
  const { gathered, policy, situation, nowMs, days } = input;
  const { rules, ...rest } = gathered.input;
  const { zone, activeHours } = situation;
  const events: Simulation["events"] = [];
  let lastOffers = "";
  simulate(
    {
      ...rest,
      ...(input.lastCheckMs === undefined ? {} : { lastCheckMs: input.lastCheckMs }),
      startMs: nowMs,
      days,
      zone,
      activeHours,
      rulesAt(atMs) {
        const { settings, setBy } = policy.combined(atMs);
        return { ...rules, nowMs: atMs, settings, setBy };
      },
      machine: officeMachine(situation),
      random: input.random,
    },
    (event) => {
      if (events.length >= MAX_EVENTS) return;
      // Sixty days are some seventy checks; only those after which something is otherwise are news.
      if (event.kind === "check") {
        const found = JSON.stringify([
          event.offers,
          event.notOffered.map((it) => [it.product, it.version, it.reason]),
        ]);
        if (found === lastOffers) return;
        lastOffers = found;
      }
      events.push({ atMs: event.atMs, kind: event.kind, sentence: sentenceOf(event) });
    },
  );
  return { fromMs: nowMs, days, assumptions: ASSUMPTIONS, events };
}

function officeMachine({ zone, activeHours }: SimulationInput["situation"]): SimulatedMachine {
  return {
    at: (realMs) => ({
      isOn: true,
      network: "unmetered",
      power: "mains",
      people: isActiveAt(activeHours, zone, realMs) ? "present" : "nobody",
      busy: false,
    }),
    nextChangeMs: (realMs) => activeHoursChangeMs(activeHours, zone, realMs),
    downloadBytesPerSecond: DOWNLOAD_BYTES_PER_SECOND,
    installMs: INSTALL_MS,
    restartMs: RESTART_MS,
  };
}

function sentenceOf(event: SimulatedEvent): string {
  switch (event.kind) {
    case "check": {
      const [first] = event.notOffered.filter(({ reason }) => !BORING.has(reason));
      const kept = first === undefined ? "" : ` ${formatUpdate(first)}: ${first.detail}`;
      return `It checks: ${event.offers} offered.${kept}`;
    }
    case "warning":
      return `It warns of the restart (${event.warning}).`;
    case "restart": {
      const updates = event.plan.restart?.plan.updates ?? [];
      return `It restarts for ${updates.map(formatUpdate).join(", ")}.`;
    }
    default:
      return `${formatUpdate(event.update)}: ${event.kind}.`;
  }
}

const BORING: ReadonlySet<string> = new Set(["installed", "superseded", "older-than-installed"]);
