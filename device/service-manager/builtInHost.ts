/** The built-in service host: child processes of the service manager, in dependency order. */
import { join } from "node:path";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { ServiceName } from "../../protocol/servicesApi.ts";
import type { ServiceDefinition } from "./definitions.ts";
import { type OrderedHost, orderedHost } from "./orderedHost.ts";
import { serviceLog } from "./serviceLog.ts";
import type { ServiceState } from "./serviceStates.ts";
import { startUpTypes } from "./startUpTypes.ts";
import { type SupervisionTimes, supervise } from "./supervised.ts";

export interface BuiltInHostOptions {
  /** In start order: a dependency stands before what depends on it. */
  readonly definitions: readonly ServiceDefinition[];
  readonly stateFolder: string;
  readonly logFolder: string;
  readonly times: SupervisionTimes;
  readonly now: () => number;
  readonly changed: (name: ServiceName, from: ServiceState, to: ServiceState) => void;
}

export function builtInHost(options: BuiltInHostOptions): OrderedHost {
  const { definitions, times, now } = options;
  const startUp = startUpTypes(options.stateFolder, definitions);
  const services = new Map(
    definitions.map((definition) => {
      const { name } = definition;
      const log = serviceLog(join(options.logFolder, `${name}.log`));
      const changed = (from: ServiceState, to: ServiceState) => options.changed(name, from, to);
      return [name, { log, process: supervise(definition, { log, times, now, changed }) }] as const;
    }),
  );
  const get = (name: ServiceName) => {
    const service = services.get(name);
    if (service === undefined) throw new UpbeatError("UPB-LOCAL-BAD-REQUEST", { object: name });
    return service;
  };
  return orderedHost(definitions, {
    info: async (name) => get(name).process.info(startUp.of(name)),
    start: (name) => get(name).process.start(),
    stop: (name) => get(name).process.stop(),
    startUp: async (name) => startUp.of(name),
    setStartUp: async (name, type) => startUp.set(name, type),
    logs: async (name, lines) => get(name).log.tail(lines),
  });
}
