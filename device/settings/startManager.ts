/**
 * Starts the service manager when it is down, and with it both services. It is a process of its
 * own that outlives this one.
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

const PATIENCE_MS = 20_000;
const POLL_MS = 100;

/** Resolves when it answers. Errors: UPB-SERVICE-MANAGER-NO-START, with what it said. */
export async function startManager(paths: DevicePaths): Promise<ServiceInfo[]> {
  const child = spawn(process.execPath, [managerProgram(), "--root", paths.root], {
    detached: true,
    stdio: ["ignore", "ignore", logFile(paths)],
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(`it ended with ${code ?? signal}`));
  });
  child.unref();
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
