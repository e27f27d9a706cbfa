/** Gives the automat its eyes and hands on this device. */
import type { Change, ChangeRequest } from "../../../protocol/orchestratorApi.ts";
import type { Settings } from "../../../protocol/settings.ts";
import { readDeviceConfig } from "../../deviceConfig.ts";
import { readDeviceKey } from "../../deviceKey.ts";
import type { DevicePaths } from "../../paths.ts";
import type { OrchestratorDatabase } from "../database.ts";
import type { DecisionLog } from "../decisions/decisionLog.ts";
import type { FailureLog } from "../failures.ts";
import { type FleetLockService, takeRestartSlot } from "../fleetLock.ts";
import type { Inhibitors } from "../machine/inhibitors.ts";
import type { Notices } from "../machine/notices.ts";
import { sensors } from "../machine/sensors.ts";
import { logOfUse } from "../machine/use.ts";
import type { Memory } from "../memory.ts";
import { recallProviders } from "../providerWork.ts";
import type { DevicePolicy } from "../settings/devicePolicy.ts";
import type { UpdateServiceCalls } from "../updateServiceCalls.ts";
import { type Automat, automat } from "./automat.ts";
import { pendingUpdates } from "./pending.ts";
import type { RestartMemory } from "./restartState.ts";
import { situationOf } from "./situation.ts";

export interface AutomatParts {
  readonly paths: DevicePaths;
  readonly database: OrchestratorDatabase;
  readonly memory: Memory;
  readonly policy: DevicePolicy;
  readonly failures: FailureLog;
  readonly inhibitors: Inhibitors;
  readonly restart: RestartMemory;
  readonly notices: Pick<Notices, "tell">;
  readonly decisions: DecisionLog;
  readonly calls: UpdateServiceCalls;
  readonly current: () => Change | undefined;
  readonly request: (request: ChangeRequest) => void;
  readonly now: () => number;
  readonly log: (message: string, facts: object) => void;
}

export function startAutomat(parts: AutomatParts): Automat {
  const { paths, database, now, calls } = parts;
  const use = logOfUse(database);
  const serverUrl = () => readDeviceConfig(paths)?.serverUrl;
  const machine = sensors(paths.root, serverUrl, now);
  return automat({
    now,
    combined: () => parts.policy.combined(),
    pending: (status) =>
      pendingUpdates(database, {
        evaluation: parts.memory.evaluation(),
        status,
        // A pause is for everything new, whoever brings it.
        reports: isPaused(parts.policy.combined().settings, now()) ? [] : recallProviders(database),
        failures: parts.failures,
        nowMs: now(),
      }),
    situation: async (combined, { updates }) =>
      situationOf({
        combined,
        machine: await machine.read(combined.settings),
        updates,
        restart: parts.restart,
        inhibitors: parts.inhibitors.list(),
        use,
        askedServerMs: parts.memory.plan()?.askedMs,
        nowMs: now(),
      }),
    restart: parts.restart,
    current: parts.current,
    request: parts.request,
    pause: calls.pause,
    restartMachine: calls.restartMachine,
    async takeRestartSlot({ settings }) {
      const service = lockService(paths, settings.restartLock, now);
      return service === undefined ? { is: "granted" } : await takeRestartSlot(service);
    },
    log: parts.log,
    tell: parts.notices.tell,
    decided: parts.decisions.timing,
  });
}

const isPaused = ({ pause }: Settings, nowMs: number): boolean =>
  pause !== null && Date.parse(pause.until) > nowMs;

/** Undefined: nobody has to be asked. */
export function lockService(
  paths: DevicePaths,
  lock: { readonly url: string; readonly group: string } | null,
  now: () => number,
): FleetLockService | undefined {
  const config = readDeviceConfig(paths);
  if (lock === null || config === undefined) return undefined;
  return {
    url: new URL(lock.url),
    group: lock.group,
    id: config.deviceId,
    key: () => readDeviceKey(paths),
    now,
  };
}
