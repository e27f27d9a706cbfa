/**
 * The machine that is looked at. What several checks need is read once a run and shared here; a
 * repair is followed by a new `Machine`, so that nothing old is believed.
 */
import type { DeviceConfig } from "../../protocol/deviceApi.ts";
import { readDeviceConfig } from "../deviceConfig.ts";
import type { DevicePaths } from "../paths.ts";
import { proxyEnvironment } from "../proxy.ts";
import { probeServer, type ServerFacts } from "./probes/server.ts";
import { readState, type StateFacts } from "./probes/state.ts";

export interface Machine {
  readonly paths: DevicePaths;
  /** Milliseconds since 1970, by this machine's own clock. */
  readonly nowMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Undefined: not enrolled, or not readable (`checks/config.ts` says which). */
  readonly config: DeviceConfig | undefined;
  /** What the way to the server looks like, step by step. Never throws. Undefined: no address. */
  server(): Promise<ServerFacts | undefined>;
  /** What the services' databases hold. Never throws. */
  state(): StateFacts;
}

export function thisMachine(paths: DevicePaths, env: Machine["env"], nowMs: number): Machine {
  const config = configOf(paths);
  let server: Promise<ServerFacts | undefined> | undefined;
  let state: StateFacts | undefined;
  return {
    paths,
    nowMs,
    env,
    config,
    server() {
      server ??= config === undefined ? Promise.resolve(undefined) : probe(config, env);
      return server;
    },
    state() {
      state ??= readState(paths);
      return state;
    },
  };
}

const probe = (config: DeviceConfig, env: Machine["env"]): Promise<ServerFacts> =>
  probeServer(new URL(config.serverUrl), proxyEnvironment(config.transfer, env));

function configOf(paths: DevicePaths): DeviceConfig | undefined {
  try {
    return readDeviceConfig(paths);
  } catch {
    return undefined; // a check of its own says why
  }
}
