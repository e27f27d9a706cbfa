/**
 * Starts the service manager when it is down, and with it both services: through systemd where that
 * keeps it, so that it goes on keeping it; else as a process of its own that outlives this one.
 */
import { spawn } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import { extname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { ServiceInfo } from "../../protocol/servicesApi.ts";
import { listServices } from "../deviceCalls.ts";
import type { DevicePaths } from "../paths.ts";
import { runSystemctl, systemdUnit } from "../troubleshooter/systemd.ts";

const PATIENCE_MS = 20_000;
const POLL_MS = 100;

/** Resolves when it answers. Errors: UPB-SERVICE-MANAGER-NO-START, with what it said. */
export async function startManager(paths: DevicePaths): Promise<ServiceInfo[]> {
  const unit = systemdUnit(paths.root);
  const ended = unit === undefined ? startProcess(paths) : startUnit(unit);
  for (const untilMs = performance.now() + PATIENCE_MS; ; ) {
    const services = await listServices(paths.root).catch(() => undefined);
    if (services !== undefined) return services;
    const detail =
      (await Promise.race([ended, wait(POLL_MS, undefined)])) ??
      (performance.now() > untilMs ? "it does not answer" : undefined);
    if (detail === undefined) continue;
    throw new UpbeatError("UPB-SERVICE-MANAGER-NO-START", { object: paths.managerSocket, detail });
  }
}

/** Resolves with why it did not go well, and else never. */
const startUnit = (unit: string): Promise<string> =>
  new Promise((resolve) => {
    runSystemctl(["start", unit]).catch((error: Error) => resolve(error.message));
  });

/** Resolves with how it ended, should it end. */
function startProcess(paths: DevicePaths): Promise<string> {
  const child = spawn(process.execPath, [managerProgram(), "--root", paths.root], {
    detached: true,
    stdio: ["ignore", "ignore", logFile(paths)],
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(`it ended with ${code ?? signal}`));
  });
  child.unref();
  return ended;
}

function logFile(paths: DevicePaths): number | "ignore" {
  try {
    mkdirSync(paths.logs, { recursive: true, mode: 0o750 });
    return openSync(join(paths.logs, "service-manager.log"), "a", 0o640);
  } catch {
    return "ignore"; // the services can run where no log can be written
  }
}

function managerProgram(): string {
  const here = fileURLToPath(import.meta.url);
  return join(here, "..", `../service-manager/main${extname(here)}`);
}
