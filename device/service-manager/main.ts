/**
 * The service manager: `main.ts --root DIR`. Runs the update service and the orchestrator, or has
 * systemd run them where they are its units. Logs JSON lines to stderr; what its children print goes
 * to `paths.logs`.
 */
import { parseArgs } from "node:util";
import { pino } from "pino";
import { z } from "zod";
import { reportError } from "../../protocol/errors/error.ts";
import { SERVICE_NAMES } from "../../protocol/servicesApi.ts";
import { onEnd } from "../lifeline.ts";
import { listenLocally } from "../localServer.ts";
import { devicePaths } from "../paths.ts";
import { lockFolder } from "../singleInstance.ts";
import { builtInHost } from "./builtInHost.ts";
import { serviceDefinitions } from "./definitions.ts";
import { RECOVERY } from "./serviceStates.ts";
import { servicesServer } from "./servicesServer.ts";
import type { SupervisionTimes } from "./supervised.ts";
import { isUnderSystemd, systemdHost } from "./systemdHost.ts";
import { unaskedLooks } from "./unaskedLooks.ts";

const log = pino({ base: { service: "service-manager", pid: process.pid } }, pino.destination(2));

try {
  await main();
} catch (error) {
  log.fatal({ error: reportError(error) }, "the service manager cannot run");
  process.exit(1);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { root: { type: "string", default: "/" } } });
  const paths = devicePaths(values.root);
  const lock = lockFolder(paths.managerState);
  const looks = unaskedLooks(values.root, (message) => log.warn(message));
  const definitions = serviceDefinitions(paths);
  const bySystemd = isUnderSystemd(paths.root, SERVICE_NAMES);
  const host = bySystemd
    ? systemdHost(definitions, Date.now, process.env)
    : builtInHost({
        definitions,
        stateFolder: paths.managerState,
        logFolder: paths.logs,
        times: supervisionTimes(),
        now: Date.now,
        changed: (service, from, to) => {
          log.info({ service, from, to }, "service.state");
          if (to === "failed") looks.ask();
        },
      });
  const app = servicesServer(host, looks.ask);
  onEnd(async () => {
    looks.stop();
    await host.stopAll();
    await app.close();
    lock.release();
  });
  await listenLocally(app, paths.managerSocket);
  log.info({ socket: paths.managerSocket, bySystemd }, "listening");
  await host.startAutomatic();
}

/**
 * The real times, unless a test shortens them: nobody can wait 1 s + 2 min + 5 min to see a service
 * give up. Not a setting: it is read from the environment of the manager itself, which only the
 * account that runs it can set.
 */
function supervisionTimes(): SupervisionTimes {
  const Shortened = z.object({ delaysMs: z.array(z.int()), stopMs: z.int() });
  const text = process.env.UPBEAT_TEST_SUPERVISION;
  const test = text === undefined ? undefined : Shortened.parse(JSON.parse(text));
  return {
    recovery: { ...RECOVERY, delaysMs: test?.delaysMs ?? RECOVERY.delaysMs },
    stopMs: test?.stopMs ?? 10_000,
    readyMs: 30_000,
  };
}
