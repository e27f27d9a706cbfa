import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ServiceInfo, ServiceName } from "../../protocol/servicesApi.ts";
import { answers } from "../localServer.ts";
import { builtInHost } from "./builtInHost.ts";
import type { ServiceDefinition } from "./definitions.ts";
import type { OrderedHost } from "./orderedHost.ts";

let folder: string;
let hosts: OrderedHost[];
let seen: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-host-"));
  hosts = [];
  seen = [];
});

afterEach(async () => {
  for (const host of hosts) await host.stopAll();
  rmSync(folder, { recursive: true, force: true });
});

describe("the built-in service host", () => {
  it("starts dependencies first and stops dependants first", async () => {
    const host = hostOf({});
    await host.startAutomatic();
    expect(await states(host)).toEqual({ "update-service": "running", orchestrator: "running" });
    await host.stopAll();
    expect(seen.filter((line) => /running$|stopping$/.test(line))).toEqual([
      "update-service running",
      "orchestrator running",
      "orchestrator stopping",
      "update-service stopping",
    ]);
  });

  it("restarts a service together with what depends on it, in order", async () => {
    const host = hostOf({});
    await host.startAutomatic();
    const before = await pids(host);
    seen.length = 0;
    await host.act("update-service", "restart");
    expect(seen.filter((line) => /running$|stopped$/.test(line))).toEqual([
      "orchestrator stopped",
      "update-service stopped",
      "update-service running",
      "orchestrator running",
    ]);
    const after = await pids(host);
    expect(after).not.toContain(before[0]);
    expect(after).not.toContain(before[1]);
  });

  it("starts a service again after a crash, and says when and how it ended", async () => {
    const host = hostOf({});
    await host.startAutomatic();
    const [pid = 0] = await pids(host);
    process.kill(pid, "SIGKILL");
    await until(async () => (await info(host, "update-service")).restarts === 1);
    await until(async () => (await info(host, "update-service")).state === "running");
    expect(seen).toContain("update-service backing-off");
    const crashed = await info(host, "update-service");
    expect(crashed.lastExit).toMatchObject({ code: null, signal: "SIGKILL" });
    expect(crashed.pid).not.toBe(pid);
    expect((await info(host, "orchestrator")).restarts).toBe(0);
  });

  it("gives up on a crash loop, keeps its last words, and starts again when asked", async () => {
    const flag = join(folder, "broken");
    writeFileSync(flag, "");
    const program = `if (require("fs").existsSync(${JSON.stringify(flag)})) {
      console.error("the database is on fire"); process.exit(7); }`;
    const host = hostOf({ updateService: program });
    await host.act("update-service", "start");
    await until(async () => (await info(host, "update-service")).state === "failed");
    const failed = await info(host, "update-service");
    expect(failed.restarts).toBe(3);
    expect(failed.pid).toBeUndefined();
    expect(failed.lastExit).toMatchObject({ code: 7, signal: null });
    expect(failed.lastExit?.lastWords).toContain("the database is on fire");
    expect(await host.logs("update-service", 100)).toHaveLength(4);
    rmSync(flag);
    expect((await host.act("update-service", "start")).state).toBe("running");
  });

  it("starts the others although one of them cannot run", async () => {
    const host = hostOf({ updateService: "process.exit(3);" });
    await host.startAutomatic();
    expect((await info(host, "orchestrator")).state).toBe("running");
  });

  it("says so when the program cannot be started at all", async () => {
    const host = hostOf({ command: ["/nonexistent/upbeat"] });
    await host.act("update-service", "start");
    await until(async () => (await info(host, "update-service")).state === "failed");
    expect((await info(host, "update-service")).lastExit?.lastWords).toContain("ENOENT");
  });

  it("ends a process that does not heed SIGTERM", async () => {
    const host = hostOf({ updateService: 'process.on("SIGTERM", () => {});' });
    await host.startAutomatic();
    expect((await host.act("update-service", "stop")).state).toBe("stopped");
    expect((await info(host, "update-service")).lastExit?.signal).toBe("SIGKILL");
  });
});

describe("the start-up type", () => {
  it("disabled stops a service with its dependants, refuses to start them, and is kept", async () => {
    const host = hostOf({});
    await host.startAutomatic();
    await host.act("update-service", "disable");
    expect(await states(host)).toEqual({ "update-service": "stopped", orchestrator: "stopped" });
    for (const name of ["update-service", "orchestrator"] as const) {
      await expect(host.act(name, "start")).rejects.toMatchObject({
        code: "UPB-SERVICE-DISABLED",
        object: "update-service",
      });
    }
    const next = hostOf({});
    await next.startAutomatic();
    expect(await states(next)).toEqual({ "update-service": "stopped", orchestrator: "stopped" });
    await next.act("update-service", "enable");
    expect(await states(next)).toEqual({ "update-service": "running", orchestrator: "running" });
  });

  it("manual leaves the service as it is, and does not start it next time", async () => {
    const host = hostOf({});
    await host.startAutomatic();
    expect(await host.act("orchestrator", "manual")).toMatchObject({
      startUp: "manual",
      state: "running",
    });
    await host.stopAll();
    const next = hostOf({});
    await next.startAutomatic();
    expect(await states(next)).toEqual({ "update-service": "running", orchestrator: "stopped" });
    expect((await next.act("orchestrator", "start")).state).toBe("running");
  });

  it("falls back to automatic when its file is damaged", async () => {
    await hostOf({}).act("orchestrator", "disable");
    expect(readFileSync(join(folder, "state/services.json"), "utf8")).toContain("disabled");
    writeFileSync(join(folder, "state/services.json"), "{ half");
    const host = hostOf({});
    await host.startAutomatic();
    expect((await info(host, "orchestrator")).state).toBe("running");
  });
});

describe("a service whose manager was killed", () => {
  it("ends by itself, and lets go of its socket before the next one starts", async () => {
    const socket = join(folder, "update-service.sock");
    const manager = spawnParentOf(serviceProgram(socket, ""));
    await until(() => answers(socket));
    manager.kill("SIGKILL");
    const host = hostOf({});
    await host.act("update-service", "start");
    const service = await info(host, "update-service");
    expect(service).toMatchObject({ state: "running", restarts: 0 });
    expect(readFileSync(join(folder, "owner"), "utf8")).toBe(String(service.pid));
  });
});

/** A service as small as can be: answers on its socket, ends when its manager is gone. */
function serviceProgram(socket: string, special: string): string {
  const owner = JSON.stringify(join(folder, "owner"));
  const path = JSON.stringify(socket);
  return `process.on("disconnect", () => setTimeout(() => { server.close(); process.exit(0); }, 300));
    const server = require("net").createServer((c) => c.end());
    ${special}
    require("fs").rmSync(${path}, { force: true });
    server.listen(${path}, () => {
      if (${path}.endsWith("update-service.sock")) require("fs").writeFileSync(${owner}, String(process.pid));
    });`;
}

/** Stands for a manager: starts the program as one does, and does nothing else. */
function spawnParentOf(program: string): ChildProcess {
  const parent = `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(program)}],
    { stdio: ["ignore", "ignore", "ignore", "ipc"] }); setInterval(() => {}, 1000);`;
  return spawn(process.execPath, ["-e", parent], { stdio: "ignore" });
}

function hostOf(special: { updateService?: string; command?: [string] }): OrderedHost {
  const define = (name: ServiceName, program = ""): ServiceDefinition => {
    const socket = join(folder, `${name}.sock`);
    return {
      name,
      title: name,
      description: name,
      dependsOn: name === "orchestrator" ? ["update-service"] : [],
      startUp: "automatic",
      command: special.command ?? [process.execPath, "-e", serviceProgram(socket, program)],
      socket,
    };
  };
  const host = builtInHost({
    definitions: [define("update-service", special.updateService), define("orchestrator")],
    stateFolder: join(folder, "state"),
    logFolder: join(folder, "log"),
    times: {
      recovery: { delaysMs: [10, 20, 30], healthyMs: 600_000 },
      stopMs: 500,
      readyMs: 10_000,
    },
    now: Date.now,
    changed: (name, _from, to) => seen.push(`${name} ${to}`),
  });
  hosts.push(host);
  return host;
}

async function info(host: OrderedHost, name: ServiceName): Promise<ServiceInfo> {
  const found = (await host.list()).find((it) => it.name === name);
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

const states = async (host: OrderedHost) =>
  Object.fromEntries((await host.list()).map((it) => [it.name, it.state]));

const pids = async (host: OrderedHost) => (await host.list()).map((it) => it.pid);

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await condition()) return;
    await wait(20);
  }
  throw new Error("it did not happen");
}

it.runIf(existsSync("/proc"))("leaves no process behind when it stops", async () => {
  const host = hostOf({});
  await host.startAutomatic();
  const running = await pids(host);
  await host.stopAll();
  expect(running.some((pid) => existsSync(`/proc/${pid}`))).toBe(false);
});
