/**
 * Where everything on a device is, under one root (`/` on a real machine, any folder elsewhere).
 * FHS 3.0 names. The only module that knows them.
 */
import { join } from "node:path";

export interface DevicePaths {
  readonly root: string;
  /** `DeviceConfig`; owned by root, read by both services. */
  readonly config: string;
  /** A signed catalogue that the administrator has brought: what a server serves. */
  readonly catalogue: string;
  /** The administrator's settings of this machine (`AdminSettings`). */
  readonly settings: string;
  /** `RestartCommand`: how this machine is restarted, where it is not by systemd. */
  readonly restartCommand: string;
  /** Names that the administrator gives this machine, one a line. */
  readonly tags: string;
  /** Executables and files that say more about this machine (`facts/custom.ts`). */
  readonly factsFolder: string;
  /** Updaters of others: a folder of programs each (`providerFolder.ts`). */
  readonly providersFolder: string;
  /** The shipped TUF root that the update service starts from. */
  readonly trustedRoot: string;
  readonly orchestratorState: string;
  readonly updateServiceState: string;
  /** Installed products: `products/PRODUCT/{current,versions/VERSION}`, `store/`. One file system. */
  readonly installed: string;
  readonly managerState: string;
  readonly troubleshooterState: string;
  readonly run: string;
  readonly updateServiceSocket: string;
  readonly orchestratorSocket: string;
  readonly managerSocket: string;
  readonly logs: string;
}

export function devicePaths(root: string): DevicePaths {
  const state = join(root, "var/lib/upbeat");
  const run = join(root, "run/upbeat");
  return {
    root,
    config: join(root, "etc/upbeat/device.json"),
    catalogue: join(state, "catalogue"),
    settings: join(root, "etc/upbeat/settings.json"),
    restartCommand: join(root, "etc/upbeat/restart.json"),
    tags: join(root, "etc/upbeat/tags"),
    factsFolder: join(root, "etc/upbeat/facts.d"),
    providersFolder: join(root, "etc/upbeat/providers.d"),
    trustedRoot: join(root, "usr/share/upbeat/root.json"),
    orchestratorState: join(state, "orchestrator"),
    updateServiceState: join(state, "update-service"),
    installed: join(state, "installed"),
    managerState: join(state, "service-manager"),
    troubleshooterState: join(state, "troubleshooter"),
    run,
    updateServiceSocket: join(run, "update-service.sock"),
    orchestratorSocket: join(run, "orchestrator.sock"),
    managerSocket: join(run, "manager.sock"),
    logs: join(root, "var/log/upbeat"),
  };
}
