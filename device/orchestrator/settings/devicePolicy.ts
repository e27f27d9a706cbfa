/**
 * The settings that count on this machine: its own layers, and what the last check found in the
 * signed policies on top. What the server said stays until it says otherwise, also while it is away.
 */
import { z } from "zod";
import {
  type CombinedSettings,
  combineSettings,
  type SettingsLayer,
  serverLayers,
} from "../../../core/settings.ts";
import type { Facts } from "../../../protocol/deviceApi.ts";
import type { UpbeatError } from "../../../protocol/errors/error.ts";
import type { OfferPolicy } from "../../../protocol/offerPolicy.ts";
import type { SettingsChange } from "../../../protocol/orchestratorApi.ts";
import { ServerSettings } from "../../../protocol/settings.ts";
import type { OrchestratorDatabase } from "../database.ts";
import { localSettings } from "./localSettings.ts";

export interface DevicePolicy {
  /** Without what is signed. */
  local(): SettingsLayer[];
  /** At another time than now: for a simulation. */
  combined(atMs?: number): CombinedSettings;
  problem(): UpbeatError | undefined;
  change(change: SettingsChange): void;
  /** What the last evaluation found. */
  keepServer(policies: Iterable<OfferPolicy | "unreadable">, facts: Facts): void;
}

const Kept = z.array(
  z.object({ layer: z.literal("server"), entry: z.string().optional(), values: ServerSettings }),
);

export function devicePolicy(
  file: string,
  database: OrchestratorDatabase,
  now: () => number,
): DevicePolicy {
  const local = localSettings(file, database, now);
  const server = (): SettingsLayer[] =>
    (database.recall("serverSettings", Kept) ?? []).map(({ entry, ...layer }) =>
      entry === undefined ? layer : { ...layer, entry },
    );
  return {
    local: local.layers,
    combined: (atMs = now()) => combineSettings([...local.layers(), ...server()], atMs),
    problem: local.problem,
    change: local.change,
    keepServer(policies, facts) {
      const all = [...policies];
      // One that cannot be read says nothing new: what it said before counts on.
      if (all.includes("unreadable")) return;
      const readable = all.filter((it) => it !== "unreadable");
      database.remember("serverSettings", serverLayers(readable, facts));
    },
  };
}
