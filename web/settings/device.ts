/** What every page of the Settings page shares: the live device, and what this person may do. */
import { useMutation } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState } from "react";
import type { Change, ChangeRequest } from "../../protocol/orchestratorApi.ts";
import type { ServiceAction, ServiceInfo, ServiceName } from "../../protocol/servicesApi.ts";
import type { DeviceView, Session } from "../../protocol/settingsPageApi.ts";
import { callApi } from "../kit/api.ts";
import type { LiveValue } from "../kit/live.ts";
import { sessionHeaders } from "./session.ts";

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
  callApi<Answer>(sessionHeaders, "GET", path);

export const tell = <Answer>(path: string, body: unknown = {}): Promise<Answer> =>
  callApi<Answer>(sessionHeaders, "POST", path, body);

/** The request as a browser writes it: ids are not branded here, the other side checks them. */
export type WantedChange = { kind: ChangeRequest["kind"]; product?: string; full?: boolean };

export const useChange = () =>
  useMutation({ mutationFn: (wanted: WantedChange) => tell<Change>("/api/changes", wanted) });

export const useServiceAction = () =>
  useMutation({
    mutationFn: ({ name, action }: { name: ServiceName; action: ServiceAction }) =>
      tell<ServiceInfo>(`/api/services/${name}/${action}`),
  });

export const useStartManager = () =>
  useMutation({ mutationFn: () => tell<{ services: ServiceInfo[] }>("/api/manager/start") });

/** The time, for words such as `in 4 minutes`. */
export function useNow(everyMs = 10_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
