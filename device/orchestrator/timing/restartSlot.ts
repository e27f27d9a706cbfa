/**
 * Frees the slot of the lock service once this machine is well after its restart. Whether it holds
 * one is not remembered: a machine that has come up frees what it may hold (`fleetLock.ts`).
 */
import type { ServiceStatus } from "../../../protocol/updateServiceApi.ts";
import type { DevicePaths } from "../../paths.ts";
import { freeRestartSlot } from "../fleetLock.ts";
import type { DevicePolicy } from "../settings/devicePolicy.ts";
import type { RestartMemory } from "./restartState.ts";
import { lockService } from "./startAutomat.ts";

const AGAIN_MS = 5 * 60_000;

export function restartSlot(
  paths: DevicePaths,
  policy: DevicePolicy,
  restart: RestartMemory,
  now: () => number,
): { freeWhenWell(status: ServiceStatus): Promise<void> } {
  let freedAt: string | undefined;
  let notBeforeMs = 0;
  return {
    async freeWhenWell({ busy, updates, providers }) {
      const { restartLock } = policy.combined().settings;
      const service = lockService(paths, restartLock, now);
      if (restart.read().begunMs !== undefined) freedAt = undefined;
      if (service === undefined || freedAt === restartLock?.url || now() < notBeforeMs) return;
      // Until the new versions have proved themselves the others of the group wait.
      const isPending =
        busy !== undefined ||
        restart.read().begunMs !== undefined ||
        updates.some(({ state }) => state === "restart-pending" || state === "committing") ||
        providers.some(({ restartPendingMs }) => restartPendingMs !== undefined);
      if (isPending) return;
      const answer = await freeRestartSlot(service);
      if (answer.is === "granted") freedAt = restartLock?.url;
      else notBeforeMs = now() + AGAIN_MS;
    },
  };
}
