/**
 * What every service host does alike: the order. Starting a service first starts what it depends on;
 * stopping one first stops what depends on it. A dependency that crashes does not take its dependants
 * down: the orchestrator copes with an update service that is away, and says so. Actions run one
 * after the other. Who really starts and stops is a driver: the built-in supervisor or systemd.
 */
import { UpbeatError } from "../../protocol/errors/error.ts";
import type {
  ServiceAction,
  ServiceInfo,
  ServiceName,
  StartUpType,
} from "../../protocol/servicesApi.ts";
import type { ServiceDefinition } from "./definitions.ts";
import type { ServiceHost } from "./serviceHost.ts";

export interface ServiceDriver {
  info(name: ServiceName): Promise<ServiceInfo>;
  /** Resolves when the service answers, or has crashed. Also takes it out of `failed`. */
  start(name: ServiceName): Promise<void>;
  stop(name: ServiceName): Promise<void>;
  startUp(name: ServiceName): Promise<StartUpType>;
  setStartUp(name: ServiceName, type: StartUpType): Promise<void>;
  logs(name: ServiceName, lines: number): Promise<string[]>;
}

export interface OrderedHost extends ServiceHost {
  /** What happens at boot: every automatic service, dependencies first. */
  startAutomatic(): Promise<void>;
  /** Dependants first. */
  stopAll(): Promise<void>;
}

type Defined = Pick<ServiceDefinition, "name" | "dependsOn">;

/** `definitions` in start order: a dependency stands before what depends on it. */
export function orderedHost(definitions: readonly Defined[], driver: ServiceDriver): OrderedHost {
  const get = (name: ServiceName): Defined => {
    const found = definitions.find((it) => it.name === name);
    if (found === undefined) throw new UpbeatError("UPB-LOCAL-BAD-REQUEST", { object: name });
    return found;
  };
  /** With everything that it needs, dependencies first. */
  const withDependencies = (name: ServiceName): ServiceName[] => [
    ...get(name).dependsOn.flatMap(withDependencies),
    name,
  ];
  /** With everything that needs it, dependants first. */
  const withDependants = (name: ServiceName): ServiceName[] =>
    definitions
      .map((it) => it.name)
      .filter((other) => withDependencies(other).includes(name))
      .toReversed();

  const isUp = async (name: ServiceName): Promise<boolean> =>
    !["stopped", "stopping", "failed"].includes((await driver.info(name)).state);
  const disabledOf = async (names: readonly ServiceName[]): Promise<ServiceName | undefined> => {
    for (const name of names) if ((await driver.startUp(name)) === "disabled") return name;
    return undefined;
  };

  const start = async (name: ServiceName): Promise<void> => {
    const needed = withDependencies(name);
    const disabled = await disabledOf(needed);
    if (disabled !== undefined) throw new UpbeatError("UPB-SERVICE-DISABLED", { object: disabled });
    for (const each of needed) await driver.start(each);
  };
  const stop = async (name: ServiceName): Promise<void> => {
    for (const each of withDependants(name)) await driver.stop(each);
  };
  const startAutomatic = async (): Promise<void> => {
    for (const { name } of definitions) {
      const wanted = (await driver.startUp(name)) === "automatic";
      if (wanted && (await disabledOf(withDependencies(name))) === undefined) await start(name);
    }
  };

  const actions: Record<ServiceAction, (name: ServiceName) => Promise<void>> = {
    start,
    stop,
    async restart(name) {
      const wereUp: ServiceName[] = [];
      for (const each of withDependants(name)) if (await isUp(each)) wereUp.unshift(each);
      await stop(name);
      await start(name);
      for (const dependant of wereUp) await start(dependant);
    },
    /** Runs now and at every start-up; so does what was down only because of it. */
    async enable(name) {
      await driver.setStartUp(name, "automatic");
      await start(name);
      await startAutomatic();
    },
    manual: (name) => driver.setStartUp(name, "manual"),
    async disable(name) {
      await driver.setStartUp(name, "disabled");
      await stop(name);
    },
  };

  let last: Promise<unknown> = Promise.resolve();
  const oneAfterTheOther = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };

  return {
    list: () => Promise.all(definitions.map(({ name }) => driver.info(name))),
    act: (name, action) =>
      oneAfterTheOther(async () => {
        get(name);
        await actions[action](name);
        return await driver.info(name);
      }),
    logs: async (name, lines) => {
      get(name);
      return await driver.logs(name, lines);
    },
    startAutomatic: () => oneAfterTheOther(startAutomatic),
    stopAll: () =>
      oneAfterTheOther(async () => {
        for (const { name } of definitions.toReversed()) await driver.stop(name);
      }),
  };
}
