/**
 * The built-in service host: child processes of the service manager, in dependency order.
 *
 * Starting a service first starts what it depends on; stopping one first stops what depends on it.
 * A dependency that crashes does not take its dependants down: the orchestrator copes with an update
 * service that is away, and says so. Actions run one after the other.
 */
import { join } from "node:path";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { ServiceAction, ServiceInfo, ServiceName } from "../../protocol/servicesApi.ts";
import type { ServiceDefinition } from "./definitions.ts";
import type { ServiceHost } from "./serviceHost.ts";
import { type ServiceLog, serviceLog } from "./serviceLog.ts";
import type { ServiceState } from "./serviceStates.ts";
import { startUpTypes } from "./startUpTypes.ts";
import { type Supervised, type SupervisionTimes, supervise } from "./supervised.ts";

export interface BuiltInHost extends ServiceHost {
  /** What happens at boot: every automatic service, dependencies first. */
  startAutomatic(): Promise<void>;
  /** Dependants first. */
  stopAll(): Promise<void>;
}

export interface BuiltInHostOptions {
  /** In start order: a dependency stands before what depends on it. */
  readonly definitions: readonly ServiceDefinition[];
  readonly stateFolder: string;
  readonly logFolder: string;
  readonly times: SupervisionTimes;
  readonly now: () => number;
  readonly changed: (name: ServiceName, from: ServiceState, to: ServiceState) => void;
}

export function builtInHost(options: BuiltInHostOptions): BuiltInHost {
  const { definitions, times, now } = options;
  const startUp = startUpTypes(options.stateFolder, definitions);
  const logs = new Map<ServiceName, ServiceLog>();
  const services = new Map<ServiceName, Supervised>();
  for (const definition of definitions) {
    const { name } = definition;
    const log = serviceLog(join(options.logFolder, `${name}.log`));
    const changed = (from: ServiceState, to: ServiceState) => options.changed(name, from, to);
    logs.set(name, log);
    services.set(name, supervise(definition, { log, times, now, changed }));
  }
  const inOrder = [...services.values()];
  const get = (name: ServiceName): Supervised => {
    const service = services.get(name);
    if (service === undefined) throw new UpbeatError("UPB-LOCAL-BAD-REQUEST", { object: name });
    return service;
  };
  const info = (service: Supervised): ServiceInfo =>
    service.info(startUp.of(service.definition.name));
  const isUp = (service: Supervised): boolean =>
    !["stopped", "stopping", "failed"].includes(info(service).state);

  /** With everything that it needs, dependencies first. */
  const withDependencies = (service: Supervised): Supervised[] => [
    ...service.definition.dependsOn.flatMap((name) => withDependencies(get(name))),
    service,
  ];
  /** With everything that needs it, dependants first. */
  const withDependants = (service: Supervised): Supervised[] =>
    inOrder.filter((other) => withDependencies(other).includes(service)).toReversed();

  const start = async (service: Supervised): Promise<void> => {
    const needed = withDependencies(service);
    const disabled = needed.find((it) => startUp.of(it.definition.name) === "disabled");
    if (disabled !== undefined) {
      throw new UpbeatError("UPB-SERVICE-DISABLED", { object: disabled.definition.name });
    }
    for (const each of needed) await each.start();
  };
  const stop = async (service: Supervised): Promise<void> => {
    for (const each of withDependants(service)) await each.stop();
  };
  const startAutomatic = async (): Promise<void> => {
    for (const service of inOrder) {
      const needs = withDependencies(service).map((it) => startUp.of(it.definition.name));
      const wanted = startUp.of(service.definition.name) === "automatic";
      if (wanted && !needs.includes("disabled")) await start(service);
    }
  };

  const actions: Record<ServiceAction, (service: Supervised) => Promise<void>> = {
    start,
    stop,
    async restart(service) {
      const wereUp = withDependants(service).filter(isUp).toReversed();
      await stop(service);
      await start(service);
      for (const dependant of wereUp) await start(dependant);
    },
    /** Runs now and at every start-up; so does what was down only because of it. */
    async enable(service) {
      startUp.set(service.definition.name, "automatic");
      await start(service);
      await startAutomatic();
    },
    async manual(service) {
      startUp.set(service.definition.name, "manual");
    },
    async disable(service) {
      startUp.set(service.definition.name, "disabled");
      await stop(service);
    },
  };

  let last: Promise<unknown> = Promise.resolve();
  const oneAfterTheOther = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };

  return {
    list: async () => inOrder.map(info),
    act: (name, action) =>
      oneAfterTheOther(async () => {
        const service = get(name);
        await actions[action](service);
        return info(service);
      }),
    logs: async (name, lines) => {
      get(name);
      return logs.get(name)?.tail(lines) ?? [];
    },
    startAutomatic: () => oneAfterTheOther(startAutomatic),
    stopAll: () =>
      oneAfterTheOther(async () => {
        for (const service of inOrder.toReversed()) await service.stop();
      }),
  };
}
