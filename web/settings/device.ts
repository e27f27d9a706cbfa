/** What every page of the Settings page shares: the live device, and what this person may do. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import type { Change, ChangeRequest, DeviceStatus } from "../../protocol/orchestratorApi.ts";
import type { RestartWish } from "../../protocol/restartWishes.ts";
import type { ServiceAction, ServiceInfo, ServiceName } from "../../protocol/servicesApi.ts";
import type { EffectivePolicy, SettingLayer } from "../../protocol/settings.ts";
import type { DeviceView, Session } from "../../protocol/settingsPageApi.ts";
import { callApi } from "../kit/api.ts";
import type { LiveValue } from "../kit/liveSource.ts";
import { pageProcess } from "./session.ts";

export interface DeviceContext {
  readonly session: Session;
  readonly live: LiveValue<DeviceView>;
}

export const DeviceContext = createContext<DeviceContext | undefined>(undefined);

export function useDevice(): DeviceContext {
  const context = useContext(DeviceContext);
  if (context === undefined) throw new Error("outside of the frame");
  return context;
}

/** Asks this process; used by queries. */
export const ask = <Answer>(path: string): Promise<Answer> =>
  callApi<Answer>(pageProcess, "GET", path);

export const tell = <Answer>(path: string, body: unknown = {}): Promise<Answer> =>
  callApi<Answer>(pageProcess, "POST", path, body);

/** The request as a browser writes it: ids are not branded here, the other side checks them. */
export type WantedChange = {
  kind: ChangeRequest["kind"];
  product?: string;
  provider?: string;
  full?: boolean;
};

export const useChange = () =>
  useMutation({ mutationFn: (wanted: WantedChange) => tell<Change>("/api/changes", wanted) });

export const useServiceAction = () =>
  useMutation({
    mutationFn: ({ name, action }: { name: ServiceName; action: ServiceAction }) =>
      tell<ServiceInfo>(`/api/services/${name}/${action}`),
  });

export const useStartManager = () =>
  useMutation({ mutationFn: () => tell<{ services: ServiceInfo[] }>("/api/manager/start") });

export const useRestart = () =>
  useMutation({ mutationFn: (wish: RestartWish) => tell<DeviceStatus>("/api/restart", wish) });

/** What is in force on this machine, asked again when something was changed here. */
export const usePolicy = () =>
  useQuery({ queryKey: ["policy"], queryFn: () => ask<EffectivePolicy>("/api/policy") });

/** `policy`: for everybody on this machine, by an administrator; else a person's own wish. */
export function useSettingsChange() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wanted: { set?: object; unset?: string[]; policy?: boolean }) => {
      const { policy = false, set = {}, unset = [] } = wanted;
      return tell<EffectivePolicy>(policy ? "/api/policy" : "/api/settings", { set, unset });
    },
    onSuccess: (policy) => queries.setQueryData(["policy"], policy),
  });
}

/** Somebody above the person decides it. */
export const isManaged = (setBy: SettingLayer | undefined): boolean =>
  setBy === "admin" || setBy === "server";
