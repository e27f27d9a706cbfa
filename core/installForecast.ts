/** What an install will take on this machine, from what its installs took before. Pure; milliseconds. */
import type { InstallForecast } from "../protocol/orchestratorApi.ts";
import type { Progress } from "../protocol/updateServiceApi.ts";
import { expectedTime, type StageTimes } from "./stageTimes.ts";
import { PHASES_OF } from "./wholeProgress.ts";

/** The version before does not run any more, and the new one is not proved yet. */
const AWAY: ReadonlySet<Progress["phase"]> = new Set(["switch", "health-check"]);

/** Undefined until this machine has installed something: a guess would be no promise. */
export function installForecast(times: StageTimes, sizeBytes: number): InstallForecast | undefined {
  const parts = PHASES_OF.install.map((phase) => ({
    phase,
    ...expectedTime(times, phase, phase === "stage" ? sizeBytes : undefined),
  }));
  const away = parts.filter(({ phase }) => AWAY.has(phase));
  if (away.some(({ isGuess }) => isGuess)) return undefined;
  return { installMs: sum(parts), downtimeMs: sum(away) };
}

const sum = (parts: readonly { readonly ms: number }[]): number =>
  Math.round(parts.reduce((all, { ms }) => all + ms, 0));
