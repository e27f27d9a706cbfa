/** The screen of the services on a real terminal (a pty of script(1)), against a manager's real socket. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { listenLocally, localApi } from "../device/localServer.ts";
import { devicePaths } from "../device/paths.ts";
import { testWorld } from "../tests/support/cliWorld.ts";
import { EXIT } from "./exitCodes.ts";
import { run } from "./run.ts";

const ENTERED = "\u001b[?1049h";
const LEFT = "\u001b[?25h\u001b[?1049l";
/** A loaded machine takes seconds to start Node. */
const PATIENCE = { timeout: 30_000, interval: 50 };

let root: string;
let app: FastifyInstance | undefined;
let terminal: ChildProcess | undefined;
let seen: string;
let acted: string[];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "upbeat-watch-"));
  seen = "";
  acted = [];
  await startManager();
});
afterEach(async () => {
  terminal?.kill("SIGKILL");
  await app?.close();
  rmSync(root, { recursive: true, force: true });
});

it("follows the services, acts on a key, says when nobody answers, and gives the terminal back", async () => {
  const ended = open();
  await vi.waitFor(() => expect(seen).toContain("q quit"), PATIENCE);
  expect(seen).toContain(ENTERED);
  expect(seen).toMatch(/> \S*update-service/);
  press("r");
  await vi.waitFor(() => expect(seen).toContain("restart update-service: it is running"), PATIENCE);
  expect(acted).toEqual(["update-service/restart"]);
  press("\u001b[B");
  press("l");
  await vi.waitFor(() => expect(seen).toContain("a line of the orchestrator"), PATIENCE);
  await app?.close();
  await vi.waitFor(() => expect(seen).toContain("manager does not answer"), PATIENCE);
  await startManager();
  seen = "";
  await vi.waitFor(() => expect(seen).toContain("orchestrator"), PATIENCE);
  press("q");
  expect(await ended).toBe(0);
  expect(seen).toContain(LEFT);
  const settings = seen.slice(seen.indexOf(LEFT));
  expect(settings).toMatch(/[^-]icanon/);
  expect(settings).toMatch(/[^-]echo /);
});

it("gives the terminal back also when it is told to end", async () => {
  const ended = open();
  await vi.waitFor(() => expect(seen).toContain("q quit"), PATIENCE);
  press("\u0003");
  await ended;
  expect(seen).toContain(LEFT);
});

it("without a terminal says so, and with --json that it is for people", async () => {
  for (const [args, code] of [
    [["services", "--watch"], "UPB-CLI-NO-TERMINAL"],
    [["services", "--watch", "--json"], "UPB-CLI-USAGE"],
  ] as const) {
    const world = testWorld([...args, "--root", root]);
    expect(await run(world)).not.toBe(EXIT.ok);
    expect(world.printed.err + world.printed.out).toContain(code);
  }
});

async function startManager(): Promise<void> {
  app = localApi({});
  const info = (name: string) => ({
    name,
    title: name,
    description: "Does what it does.",
    state: "running",
    startUp: "automatic",
    account: "root",
    dependsOn: [],
    pid: 4711,
    sinceMs: Date.now(),
    restarts: 0,
  });
  app.get("/v1/services", () => ({ services: [info("update-service"), info("orchestrator")] }));
  app.post<{ Params: { name: string; action: string } }>(
    "/v1/services/:name/:action",
    (request) => {
      acted.push(`${request.params.name}/${request.params.action}`);
      return info(request.params.name);
    },
  );
  app.get("/v1/services/:name/logs", () => ({ lines: ["a line of the orchestrator"] }));
  await listenLocally(app, devicePaths(root).managerSocket);
}

/** Resolves with the exit code of `upbeat`; what the terminal says of itself then is in `seen` too. */
function open(): Promise<number | null> {
  const main = join(import.meta.dirname, "main.ts");
  const line = `stty cols 80 rows 24; ${process.execPath} ${main} services --watch --root ${root}; code=$?; stty -a; exit $code`;
  const child = spawn("script", ["-qec", line, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, TERM: "xterm", NO_COLOR: "1" },
  });
  child.stdout.on("data", (bytes: Buffer) => {
    seen += bytes.toString();
  });
  terminal = child;
  return new Promise((resolve) => child.once("close", resolve));
}

const press = (keys: string): void => void terminal?.stdin?.write(keys);
