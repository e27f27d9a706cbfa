/** The service manager as a process of its own, with the two real services below it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { DeviceStatus } from "../../protocol/orchestratorApi.ts";
import { ServiceInfo } from "../../protocol/servicesApi.ts";
import { callLocal } from "../localClient.ts";
import { type DevicePaths, devicePaths } from "../paths.ts";

const Services = z.object({ services: z.array(ServiceInfo) });

let root: string;
let paths: DevicePaths;
let managers: ChildProcess[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "upbeat-manager-"));
  paths = devicePaths(root);
  managers = [];
});

afterEach(async () => {
  for (const manager of managers) await end(manager, "SIGTERM");
  rmSync(root, { recursive: true, force: true });
});

it("starts both services, restarts one that was killed, and takes both along when it ends", async () => {
  const manager = startManager();
  const before = await allRunning();
  const status = await callLocal(paths.orchestratorSocket, "GET", "/v1/status", DeviceStatus);
  expect(status).toMatchObject({ updateService: "running", now: expect.stringContaining("enrol") });

  process.kill(pidOf(before, "update-service"), "SIGKILL");
  await until(async () => (await services())[0]?.restarts === 1);
  const after = await allRunning();
  expect(pidOf(after, "orchestrator")).toBe(pidOf(before, "orchestrator"));

  const { lines } = await callLocal(
    paths.managerSocket,
    "GET",
    "/v1/services/orchestrator/logs?lines=5",
    z.object({ lines: z.array(z.string()) }),
  );
  expect(lines.join()).toContain("listening");
  expect(await end(manager, "SIGTERM")).toBe(0);
  for (const { pid } of after) expect(existsSync(`/proc/${pid}`)).toBe(false);
});

it("refuses to run twice on one folder, and names the first", async () => {
  const first = startManager();
  await allRunning();
  const second = startManager();
  let output = "";
  second.stderr?.on("data", (bytes: Buffer) => {
    output += bytes.toString();
  });
  const [code] = await once(second, "close");
  expect(code).toBe(1);
  expect(output).toContain("UPB-SERVICE-ALREADY-RUNNING");
  expect(output).toContain(String(first.pid));
  expect((await services()).map((it) => it.state)).toEqual(["running", "running"]);
});

it("that was killed leaves no orphans, and the next one runs both services at its first try", async () => {
  const first = startManager();
  const orphans = await allRunning();
  await end(first, "SIGKILL");
  startManager();
  const now = await allRunning();
  // What was killed is reaped by process 1, in its own time.
  for (const { pid } of orphans) await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
  expect(now.map((it) => it.restarts)).toEqual([0, 0]);
});

it("refuses what it does not know, with a code", async () => {
  startManager();
  await allRunning();
  for (const path of ["orchestrator/explode", "cron/start"]) {
    const call = callLocal(paths.managerSocket, "POST", `/v1/services/${path}`, ServiceInfo);
    await expect(call).rejects.toMatchObject({ code: "UPB-LOCAL-BAD-REQUEST" });
  }
});

function startManager(): ChildProcess {
  const main = join(import.meta.dirname, "main.ts");
  const manager = spawn(process.execPath, [main, "--root", root], {
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      ...process.env,
      UPBEAT_TEST_SUPERVISION: JSON.stringify({ delaysMs: [10, 20, 30], stopMs: 10_000 }),
    },
  });
  managers.push(manager);
  return manager;
}

async function end(manager: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (manager.exitCode !== null || manager.signalCode !== null) return manager.exitCode;
  const closed = once(manager, "exit");
  manager.kill(signal);
  await closed;
  return manager.exitCode;
}

const services = async (): Promise<ServiceInfo[]> => {
  try {
    return (await callLocal(paths.managerSocket, "GET", "/v1/services", Services)).services;
  } catch {
    return []; // Not listening yet.
  }
};

async function allRunning(): Promise<ServiceInfo[]> {
  await until(async () => {
    const all = await services();
    return all.length === 2 && all.every((it) => it.state === "running");
  });
  return await services();
}

const pidOf = (all: readonly ServiceInfo[], name: string): number =>
  all.find((it) => it.name === name)?.pid ?? 0;

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await condition()) return;
    await wait(50);
  }
  throw new Error(`it did not happen: ${JSON.stringify(await services())}`);
}
