/**
 * What the service console needs from whatever runs the services: the built-in supervisor
 * (`builtInHost.ts`) or, on a machine that has it, systemd.
 */
import type { ServiceAction, ServiceInfo, ServiceName } from "../../protocol/servicesApi.ts";

export interface ServiceHost {
  list(): Promise<ServiceInfo[]>;
  /**
   * Resolves when the action is done: a started service answers or has left `starting`.
   * Errors: UPB-SERVICE-DISABLED.
   */
  act(name: ServiceName, action: ServiceAction): Promise<ServiceInfo>;
  /** The newest lines of its log, oldest first. */
  logs(name: ServiceName, lines: number): Promise<string[]>;
}
