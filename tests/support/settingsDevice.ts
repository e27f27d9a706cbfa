/**
 * A real update server, a machine enrolled at it whose service manager runs both services, and the
 * process of its Settings page. Between server and machine stands a proxy that can hold and fail.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../../cli/run.ts";
import { settingsLink } from "../../cli/settingsPage.ts";
import { changeSettings } from "../../device/deviceCalls.ts";
import { answers } from "../../device/localServer.ts";
import { devicePaths } from "../../device/paths.ts";
import type { Access } from "../../protocol/settingsPageApi.ts";
import { buildPages } from "../../web/build.ts";
import { testWorld } from "./cliWorld.ts";
import { type HoldingProxy, holdingProxy } from "./holdingProxy.ts";
import { type ServerProcess, startServer } from "./serverProcess.ts";

export interface SettingsDevice {
  readonly root: string;
  readonly server: ServerProcess;
  readonly proxy: HoldingProxy;
  /** The health check of a release that waits ends with `letThrough`. */
  publish(version: string, options?: PublishOptions): Promise<void>;
  /** Health checks of releases that wait come to their end. */
  letThrough(): void;
  startManager(): Promise<void>;
  stopManager(): Promise<void>;
  /** A fresh one-time link. */
  link(atMost?: Access): Promise<string>;
  /** Runs `upbeat …` on this machine; throws unless it ends well. */
  upbeat(...args: string[]): Promise<string>;
  close(): Promise<void>;
}

export interface PublishOptions {
  readonly health?: "good" | "bad" | "waits";
  readonly args?: readonly string[];
}

const PRODUCT = "kiosk";
const START_PATIENCE_MS = 60_000;

export async function settingsDevice(): Promise<SettingsDevice> {
  await buildPages();
  const folder = mkdtempSync(join(tmpdir(), "upbeat-page-"));
  const root = join(folder, "device");
  const paths = devicePaths(root);
  const server = await startServer(join(folder, "server"));
  const proxy = await holdingProxy(server.url);
  const gate = join(folder, "through");
  const env = {
    XDG_CONFIG_HOME: join(folder, "publisher"),
    UPBEAT_PASSPHRASE: "correct horse battery staple",
    UPBEAT_ROOT: root,
    UPBEAT_SERVER: server.url,
    UPBEAT_TOKEN: server.adminToken ?? "",
  };
  const upbeat = async (...args: string[]): Promise<string> => {
    const world = testWorld(args, { env, cwd: folder, now: Date.now });
    const code = await run(world);
    if (code !== 0)
      throw new Error(`upbeat ${args.join(" ")} ended with ${code}:\n${world.printed.err}`);
    return world.printed.out;
  };
  await upbeat("keys", "init");
  const { token } = JSON.parse(await upbeat("devices", "token", "--json")) as { token: string };
  await upbeat("device", "enrol", proxy.url, "--token", token, "--product", PRODUCT);

  const page = startProgram("settings", root);
  let manager: Program | undefined;
  await waitFor(paths.run, `settings-${process.getuid?.()}.sock`);
  return {
    root,
    server,
    proxy,
    async publish(version, { health = "good", args = [] } = {}) {
      const tree = join(folder, `release-${version}`);
      mkdirSync(join(tree, "bin"), { recursive: true });
      writeFileSync(join(tree, "VERSION"), `${version}\n`);
      writeFileSync(join(tree, "bin/check"), healthScript(health, gate));
      chmodSync(join(tree, "bin/check"), 0o755);
      rmSync(gate, { force: true });
      await upbeat(
        ...["publish", tree, "--product", PRODUCT, "--version", version],
        ...["--title", `Kiosk ${version}`, "--health-command", "bin/check"],
        ...args,
      );
    },
    letThrough: () => writeFileSync(gate, ""),
    async startManager() {
      manager = startProgram("service-manager", root);
      await waitFor(paths.run, "orchestrator.sock");
      // A test says when something happens.
      const ask = { download: "ask", install: "ask", restart: "ask" } as const;
      await changeSettings(root, { set: ask, unset: [] });
    },
    async stopManager() {
      await manager?.stop();
      manager = undefined;
    },
    link: async (atMost = "administer") => (await settingsLink(root, env, atMost)).url,
    upbeat,
    async close() {
      await page.stop();
      await manager?.stop();
      await proxy.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function healthScript(health: "good" | "bad" | "waits", gate: string): string {
  if (health === "good") return "#!/bin/sh\nexit 0\n";
  if (health === "bad") return "#!/bin/sh\necho 'the display does not answer' >&2\nexit 3\n";
  return `#!/bin/sh\nwhile [ ! -e '${gate}' ]; do sleep 0.1; done\n`;
}

interface Program {
  stop(): Promise<void>;
}

function startProgram(name: "settings" | "service-manager", root: string): Program {
  const main = join(import.meta.dirname, `../../device/${name}/main.ts`);
  const child: ChildProcess = spawn(process.execPath, [main, "--root", root], {
    // The IPC channel ends it when this process is gone, as under the service manager.
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const ended = once(child, "exit");
  return {
    async stop() {
      child.kill("SIGTERM");
      const killer = setTimeout(() => child.kill("SIGKILL"), 15_000);
      await ended;
      clearTimeout(killer);
    },
  };
}

async function waitFor(folder: string, name: string): Promise<void> {
  const socket = join(folder, name);
  for (const deadline = Date.now() + START_PATIENCE_MS; !(await answers(socket)); await sleep(50)) {
    if (Date.now() > deadline) throw new Error(`nothing answers at ${socket}`);
  }
}
