/** One machine of the laboratory: its service manager, the commands typed on it, and their ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { callLocal } from "../../../device/localClient.ts";
import { type DevicePaths, devicePaths } from "../../../device/paths.ts";
import { listAgentFiles } from "../../../device/troubleshooter/agentFiles.ts";
import { serviceProcesses } from "../../../device/troubleshooter/services.ts";
import { ServiceInfo } from "../../../protocol/servicesApi.ts";
import { Diagnosis } from "../../../protocol/troubleshooting/diagnosis.ts";
import { ServiceStatus } from "../../../protocol/updateServiceApi.ts";
import type { Lab } from "./lab.ts";

export interface LabDevice {
  readonly root: string;
  /** The folder from which its programs run. */
  readonly program: string;
  /** Puts the programs there as they were built; for a machine with programs of its own. */
  installProgram(): Promise<void>;
  readonly paths: DevicePaths;
  readonly lab: Lab;
  /** Any command; its exit code and its one object. */
  upbeat(...args: string[]): Promise<{ exitCode: number; json: unknown; err: string }>;
  /** The same, which has to end with 0 or "nothing to do". */
  must(...args: string[]): Promise<unknown>;
  troubleshoot(...args: string[]): Promise<{ exitCode: number; diagnosis: Diagnosis }>;
  services(): Promise<ServiceInfo[]>;
  status(): Promise<ServiceStatus>;
  pidOf(service: string): Promise<number>;
  /** Which version runs. */
  version(): string | undefined;
  installVersion(version: string): Promise<void>;
  /** Ends the manager; `kill`: at once, and the services with it. */
  stop(kill?: boolean): Promise<void>;
  startManager(): Promise<void>;
  /** Starts everything anew in a network name space where nothing is connected, or in the usual one. */
  unplug(unplugged: boolean): Promise<void>;
  /** Of its services and of every command; counts from the next start on. */
  readonly env: Record<string, string>;
}

const CHECKOUT = join(import.meta.dirname, "../../..");
const PATIENCE_MS = 60_000;
/** Crashes come quickly here; nobody can wait 1 s + 2 min + 5 min. */
const SUPERVISION = JSON.stringify({ delaysMs: [50, 50, 50], stopMs: 3_000 });

export async function startDevice(
  lab: Lab,
  root: string,
  env: Readonly<Record<string, string>>,
  prepare: (device: LabDevice) => Promise<void>,
  program = CHECKOUT,
): Promise<LabDevice> {
  const paths = devicePaths(root);
  let manager: ChildProcess | undefined;
  let unplugged = false;
  const entering = (args: readonly string[]): [string, string[]] =>
    unplugged
      ? lab.entering("unshare", ["-n", process.execPath, ...args])
      : lab.entering(process.execPath, args);
  const environment: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    HOME: root,
    NODE_COMPILE_CACHE: join(lab.folder, "compiled"),
    UPBEAT_ROOT: root,
    UPBEAT_TEST_SUPERVISION: SUPERVISION,
    ...env,
  };

  const device: LabDevice = {
    root,
    program,
    async installProgram() {
      for (const folder of ["protocol", "core", "content", "device", "cli"])
        lab.inside("cp", ["-aT", join(CHECKOUT, folder), join(program, folder)]);
      lab.inside("ln", ["-sfn", join(CHECKOUT, "node_modules"), join(program, "node_modules")]);
      lab.inside("cp", [join(CHECKOUT, "package.json"), program]);
      await listAgentFiles(program);
    },
    paths,
    lab,
    async upbeat(...args) {
      const words = [join(program, "cli/main.ts"), ...args, "--json"];
      const [first, all] = entering(words);
      const child = spawn(first, all, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
      const killer = setTimeout(() => child.kill("SIGKILL"), 120_000);
      let [out, err] = ["", ""];
      child.stdout.on("data", (bytes) => {
        out += String(bytes);
      });
      child.stderr.on("data", (bytes) => {
        err += String(bytes);
      });
      const [code] = await once(child, "close");
      clearTimeout(killer);
      return { exitCode: Number(code ?? 1), json: parsed(out), err: `${err}\n${out}` };
    },
    async must(...args) {
      const { exitCode, json, err } = await device.upbeat(...args);
      if (exitCode !== 0 && exitCode !== 2) throw new Error(`upbeat ${args.join(" ")}: ${err}`);
      return json;
    },
    async troubleshoot(...args) {
      const { exitCode, json, err } = await device.upbeat("troubleshoot", ...args);
      const found = Diagnosis.safeParse(json);
      if (!found.success) throw new Error(`no diagnosis: ${err}`);
      return { exitCode, diagnosis: found.data };
    },
    async services() {
      const schema = z.object({ services: z.array(ServiceInfo) });
      return (await callLocal(paths.managerSocket, "GET", "/v1/services", schema)).services;
    },
    status: () => callLocal(paths.updateServiceSocket, "GET", "/v1/status", ServiceStatus),
    async pidOf(service) {
      const pid = (await device.services()).find(({ name }) => name === service)?.pid;
      if (pid === undefined) throw new Error(`${service} does not run`);
      return pid;
    },
    version() {
      try {
        const link = lab.inside("readlink", [join(paths.installed, "products/kiosk/current")]);
        return link.trim().replace("versions/", "");
      } catch {
        return undefined;
      }
    },
    async installVersion(version) {
      // The newest is offered first; the first device of the laboratory takes the one before.
      if (device.version() === version) return;
      const found = await device.upbeat("install", "kiosk");
      if (found.exitCode !== 0 || device.version() !== version)
        throw new Error(`${device.version()} runs, not ${version}: ${found.err}`);
    },
    async stop(kill = false) {
      const running = serviceProcesses(paths);
      if (manager !== undefined && manager.exitCode === null && manager.signalCode === null) {
        manager.kill(kill ? "SIGKILL" : "SIGTERM");
        const killer = setTimeout(() => manager?.kill("SIGKILL"), 15_000);
        await once(manager, "close");
        clearTimeout(killer);
      }
      // What a fault or a repair of the test started beside it; all of this root, so all ours.
      for (const { pid } of [...running, ...serviceProcesses(paths), ...managersOf(root)]) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // gone
        }
      }
      await until(async () => serviceProcesses(paths).length === 0);
    },
    env: environment,
    async unplug(next) {
      await device.stop();
      unplugged = next;
      await device.startManager();
    },
    async startManager() {
      const words = [join(program, "device/service-manager/main.ts"), "--root", root];
      const [first, all] = entering(words);
      manager = spawn(first, all, { env: environment, stdio: ["ignore", "ignore", "pipe"] });
      let said = "";
      manager.stderr?.on("data", (bytes) => {
        said += String(bytes);
      });
      await until(async () => {
        if (manager?.exitCode !== null) throw new Error(`the manager ended: ${said}`);
        const found = await device.services().catch(() => []);
        return found.length === 2 && found.every(({ state }) => state === "running");
      });
    },
  };
  await prepare(device);
  await device.startManager();
  return device;
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await holds()); await wait(50)) {
    if (Date.now() > deadline) throw new Error("it did not come true in time");
  }
}

/** Managers of this root that outlive the one that we started. */
function managersOf(root: string): { pid: number }[] {
  const words = `/device/service-manager/main.ts\0--root\0${root}\0`;
  return processIds().flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").endsWith(words) ? [{ pid }] : [];
    } catch {
      return [];
    }
  });
}

const processIds = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
