/**
 * The two services as the troubleshooter sees and moves them: through the service manager where one
 * answers, else as processes that it finds by themselves.
 *
 * Errors: UPB-LOCAL-*.
 */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import {
  SERVICE_NAMES,
  type ServiceAction,
  ServiceInfo,
  ServiceName,
} from "../../protocol/servicesApi.ts";
import { callLocal } from "../localClient.ts";
import { answers } from "../localServer.ts";
import type { DevicePaths } from "../paths.ts";

/** Longer than the manager waits between SIGTERM and SIGKILL (10 s). */
const ACTION_MS = 20_000;
const LIST_MS = 3_000;
const MANAGER_START_MS = 15_000;

const Services = z.object({ services: z.array(ServiceInfo) });

export const listServices = async (paths: DevicePaths): Promise<ServiceInfo[]> =>
  (await callLocal(paths.managerSocket, "GET", "/v1/services", Services, undefined, LIST_MS))
    .services;

export async function actOnService(
  paths: DevicePaths,
  name: string,
  action: ServiceAction,
): Promise<ServiceInfo> {
  const service = ServiceName.parse(name);
  const path = `/v1/services/${service}/${action}`;
  return await callLocal(paths.managerSocket, "POST", path, ServiceInfo, {}, ACTION_MS);
}

export const socketOf = (paths: DevicePaths, service: string): string =>
  service === "update-service" ? paths.updateServiceSocket : paths.orchestratorSocket;

export const stateFolderOf = (paths: DevicePaths, service: string): string =>
  service === "update-service" ? paths.updateServiceState : paths.orchestratorState;

/**
 * Does something while a service, and what needs it, is stopped; then starts what ran before.
 * Without a manager nothing is stopped: nothing runs.
 */
export async function whileStopped<T>(
  paths: DevicePaths,
  service: string,
  work: () => T | Promise<T>,
): Promise<T> {
  const managed = await answers(paths.managerSocket);
  if (managed) await actOnService(paths, service, "stop");
  try {
    return await work();
  } finally {
    if (managed) await startAllAutomatic(paths);
  }
}

/** Every service whose start-up type is automatic, also one that the manager had given up. */
export async function startAllAutomatic(paths: DevicePaths): Promise<void> {
  for (const { name, startUp, state } of await listServices(paths)) {
    if (startUp === "automatic" && state !== "running") await actOnService(paths, name, "start");
  }
}

/**
 * Starts the service manager as a process that outlives this one. Only where no systemd runs it.
 * Throws when it does not answer in time.
 */
export async function startManager(paths: DevicePaths): Promise<number> {
  const here = fileURLToPath(import.meta.url);
  const program = join(here, `../../service-manager/main${extname(here)}`);
  const child = spawn(process.execPath, [program, "--root", paths.root], {
    detached: true,
    stdio: "ignore",
  });
  child.unref();
  for (let waited = 0; waited < MANAGER_START_MS; waited += 100) {
    if (await answers(paths.managerSocket)) break;
    await wait(100);
  }
  await settle(paths);
  return child.pid ?? 0;
}

/** Until every automatic service has come up or been given up. Throws when no manager answers. */
export async function settle(paths: DevicePaths): Promise<void> {
  for (let waited = 0; waited < MANAGER_START_MS; waited += 100) {
    const open = (await listServices(paths)).some(
      ({ startUp, state }) => startUp === "automatic" && state !== "running" && state !== "failed",
    );
    if (!open) return;
    await wait(100);
  }
}

/** Processes of this root's services, whoever started them: read from their command lines. */
export function serviceProcesses(
  paths: DevicePaths,
): { service: string; pid: number; parent: number }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const args = commandLine(Number(pid));
      const at = args.indexOf("--root");
      if (at < 0 || args[at + 1] !== paths.root) return [];
      const service = SERVICE_NAMES.find((name) =>
        args.some((arg) => arg.includes(`/device/${name}/main.`)),
      );
      return service === undefined
        ? []
        : [{ service, pid: Number(pid), parent: parentOf(Number(pid)) }];
    });
}

/** Empty when the process is gone. */
export function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean);
  } catch {
    return [];
  }
}

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
