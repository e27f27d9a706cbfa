/** How programs reach the services of this device: over their sockets, below the device's root. */
import { z } from "zod";
import { DecisionRecord, DecisionReplay } from "../protocol/decisionLog.ts";
import { Explanation } from "../protocol/decisions.ts";
import { Inhibitor, type InhibitRequest } from "../protocol/inhibitors.ts";
import {
  Change,
  type ChangeRequest,
  DeviceStatus,
  FactReport,
  type SettingsChange,
} from "../protocol/orchestratorApi.ts";
import type { RestartWish } from "../protocol/restartWishes.ts";
import { type ServiceAction, ServiceInfo, type ServiceName } from "../protocol/servicesApi.ts";
import { EffectivePolicy } from "../protocol/settings.ts";
import { Simulation } from "../protocol/simulation.ts";
import { HistoryEntry } from "../protocol/updateServiceApi.ts";
import { callLocal } from "./localClient.ts";
import { devicePaths } from "./paths.ts";

/** Stopping a service waits for what it is doing to end. */
const SERVICE_ACTION_TIMEOUT_MS = 60_000;

export const deviceStatus = (root: string): Promise<DeviceStatus> =>
  callLocal(devicePaths(root).orchestratorSocket, "GET", "/v1/status", DeviceStatus);

export const requestChange = (root: string, request: ChangeRequest): Promise<Change> =>
  callLocal(devicePaths(root).orchestratorSocket, "POST", "/v1/changes", Change, request);

/** Programs of the administrator's may run for it. */
const FACTS_TIMEOUT_MS = 30_000;

export const deviceFacts = (root: string): Promise<FactReport> => {
  const socket = devicePaths(root).orchestratorSocket;
  return callLocal(socket, "GET", "/v1/facts", FactReport, undefined, FACTS_TIMEOUT_MS);
};

export const inhibitRestart = (root: string, request: InhibitRequest): Promise<Inhibitor> =>
  callLocal(devicePaths(root).orchestratorSocket, "POST", "/v1/inhibitors", Inhibitor, request);

export async function releaseInhibitor(root: string, id: string): Promise<boolean> {
  const socket = devicePaths(root).orchestratorSocket;
  const path = `/v1/inhibitors/${encodeURIComponent(id)}/release`;
  return (await callLocal(socket, "POST", path, z.object({ released: z.boolean() }), {})).released;
}

export const changeSettings = (root: string, change: SettingsChange): Promise<EffectivePolicy> =>
  callLocal(devicePaths(root).orchestratorSocket, "POST", "/v1/settings", EffectivePolicy, change);

export const effectivePolicy = (root: string): Promise<EffectivePolicy> =>
  callLocal(devicePaths(root).orchestratorSocket, "GET", "/v1/policy", EffectivePolicy);

/** Hundreds of days of a machine with many updates take a while on a small one. */
const SIMULATION_TIMEOUT_MS = 120_000;

export function simulateDevice(root: string, days: number): Promise<Simulation> {
  const socket = devicePaths(root).orchestratorSocket;
  const path = `/v1/simulation?days=${days}`;
  return callLocal(socket, "GET", path, Simulation, undefined, SIMULATION_TIMEOUT_MS);
}

export const wishRestart = (root: string, wish: RestartWish): Promise<DeviceStatus> =>
  callLocal(devicePaths(root).orchestratorSocket, "POST", "/v1/restart", DeviceStatus, wish);

/** It may have to fetch and verify a manifest that no decision needed. */
const WHY_TIMEOUT_MS = 60_000;

export function explainUpdate(
  root: string,
  asked: { readonly product: string; readonly version?: string },
): Promise<Explanation> {
  const path = `/v1/why?${new URLSearchParams(asked)}`;
  const socket = devicePaths(root).orchestratorSocket;
  return callLocal(socket, "GET", path, Explanation, undefined, WHY_TIMEOUT_MS);
}

export async function listDecisions(root: string, limit: number): Promise<DecisionRecord[]> {
  const socket = devicePaths(root).orchestratorSocket;
  const schema = z.object({ decisions: z.array(DecisionRecord) });
  return (await callLocal(socket, "GET", `/v1/decisions?limit=${limit}`, schema)).decisions;
}

export const replayDecision = (root: string, id: string): Promise<DecisionReplay> =>
  callLocal(devicePaths(root).orchestratorSocket, "GET", `/v1/decisions/${id}`, DecisionReplay);

export async function deviceHistory(root: string, limit: number): Promise<HistoryEntry[]> {
  const schema = z.object({ entries: z.array(HistoryEntry) });
  const socket = devicePaths(root).orchestratorSocket;
  return (await callLocal(socket, "GET", `/v1/history?limit=${limit}`, schema)).entries;
}

export async function listServices(root: string): Promise<ServiceInfo[]> {
  const schema = z.object({ services: z.array(ServiceInfo) });
  return (await callLocal(devicePaths(root).managerSocket, "GET", "/v1/services", schema)).services;
}

export const actOnService = (
  root: string,
  name: ServiceName,
  action: ServiceAction,
): Promise<ServiceInfo> =>
  callLocal(
    devicePaths(root).managerSocket,
    "POST",
    `/v1/services/${name}/${action}`,
    ServiceInfo,
    {},
    SERVICE_ACTION_TIMEOUT_MS,
  );

export async function serviceLogs(root: string, name: ServiceName, lines: number) {
  const schema = z.object({ lines: z.array(z.string()) });
  const path = `/v1/services/${name}/logs?lines=${lines}`;
  return (await callLocal(devicePaths(root).managerSocket, "GET", path, schema)).lines;
}
