/**
 * The orchestrator process: `main.ts --root DIR`. It needs no rights but its own state folder, the
 * network and the update service's socket. Logs JSON lines to stderr.
 */
import { setGlobalProxyFromEnv } from "node:http";
import { setInterval } from "node:timers";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { reportError } from "../../protocol/errors/error.ts";
import { readDeviceConfig } from "../deviceConfig.ts";
import { onEnd } from "../lifeline.ts";
import { listenLocally } from "../localServer.ts";
import { type DevicePaths, devicePaths } from "../paths.ts";
import { proxyEnvironment } from "../proxy.ts";
import { lockFolder } from "../singleInstance.ts";
import { startOrchestrator } from "./orchestrator.ts";
import { orchestratorServer } from "./orchestratorServer.ts";

/** How exactly a scheduled check keeps its time, and how soon a state is noticed and reported. */
const TICK_MS = 30_000;

/** Background work has two seconds to stop when somebody comes back (windows-update.md 1.9). */
const WATCH_MS = 1_000;

const log = pino({ base: { service: "orchestrator", pid: process.pid } }, pino.destination(2));

try {
  await main();
} catch (error) {
  log.fatal({ error: reportError(error) }, "the orchestrator cannot run");
  process.exit(1);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { root: { type: "string", default: "/" } } });
  const paths = devicePaths(values.root);
  const lock = lockFolder(paths.orchestratorState);
  setGlobalProxyFromEnv(proxyEnvironment(transferOf(paths), process.env));
  const orchestrator = startOrchestrator({
    paths,
    now: Date.now,
    elapsed: () => performance.now(),
    random: Math.random,
    log: (message, facts) => log.info(facts, message),
  });
  const app = orchestratorServer(orchestrator);
  const tick = (): void => {
    orchestrator.tick().catch((error: unknown) => log.error({ error: reportError(error) }, "tick"));
  };
  const timer = setInterval(tick, TICK_MS);
  const watch = setInterval(() => {
    orchestrator
      .watch()
      .catch((error: unknown) => log.error({ error: reportError(error) }, "watch"));
  }, WATCH_MS);
  onEnd(async () => {
    clearInterval(timer);
    clearInterval(watch);
    await app.close();
    await orchestrator.stop();
    lock.release();
  });
  await listenLocally(app, paths.orchestratorSocket);
  log.info({ socket: paths.orchestratorSocket }, "listening");
  tick();
}

/** What cannot be read is said by everything that needs it; it must not keep this from running. */
function transferOf(paths: DevicePaths) {
  try {
    return readDeviceConfig(paths)?.transfer;
  } catch {
    return undefined;
  }
}
