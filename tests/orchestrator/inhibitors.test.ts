/** Objections to a restart: taken, listed, released, over by themselves, durable. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { run } from "../../cli/run.ts";
import { listenLocally } from "../../device/localServer.ts";
import { orchestratorServer } from "../../device/orchestrator/orchestratorServer.ts";
import { testWorld } from "../support/cliWorld.ts";
import { type OrchestratedDevice, orchestratedDevice } from "../support/orchestratedDevice.ts";

let device: OrchestratedDevice;
beforeEach(async () => {
  device = await orchestratedDevice(["kiosk"], { updateService: false });
});
afterEach(() => device.close());

const HOUR_MS = 3_600_000;
const held = async () => (await device.orchestrator.status()).inhibitors;
const take = (who: string, forMs = HOUR_MS) =>
  device.orchestrator.inhibitors.take({ who, why: "a test", forMs });

it("stands in the status until it is released or its time is over, also over a restart", async () => {
  const backup = take("backup");
  take("slides", 2 * HOUR_MS);
  await device.restartOrchestrator();
  expect((await held()).map(({ who }) => who)).toEqual(["backup", "slides"]);
  expect(device.orchestrator.inhibitors.release(backup.id)).toBe(true);
  expect(device.orchestrator.inhibitors.release(backup.id)).toBe(false);
  expect((await held()).map(({ who }) => who)).toEqual(["slides"]);
  device.clock.nowMs += 2 * HOUR_MS;
  expect(await held()).toEqual([]);
});

it("is not prolonged by a clock that is set back", async () => {
  take("backup");
  device.clock.nowMs -= 48 * HOUR_MS;
  expect(await held()).toEqual([]);
});

it("cannot be taken without end", () => {
  const takeMany = () => {
    for (let number = 0; number < 60; number++) take(`app ${number}`);
  };
  expect(takeMany).toThrow(expect.objectContaining({ code: "UPB-INHIBITORS-FULL" }));
});

it("of systemd-inhibit counts when it blocks a shutdown", async () => {
  const folder = join(device.paths.root, "run/systemd/inhibit");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "1"),
    'WHAT=shutdown:sleep\nMODE=block\nUID=0\nPID=7\nWHO="apt"\nWHY="Installing\\x20packages"\nSINCE=1700000000000000\n',
  );
  writeFileSync(join(folder, "2"), 'WHAT=shutdown\nMODE=delay\nWHO="NetworkManager"\nWHY=""\n');
  expect(await held()).toMatchObject([
    { who: "apt", why: "Installing packages", sinceMs: 1_700_000_000_000, from: "system" },
  ]);
});

it("`upbeat inhibit` holds while its command runs, and lets go when it fails too", async () => {
  const app = orchestratorServer(device.orchestrator);
  await listenLocally(app, device.paths.orchestratorSocket);
  const call = async (...command: string[]) => {
    const world = testWorld(
      [
        "inhibit",
        "--root",
        device.paths.root,
        "--why",
        "a test",
        "--for",
        "30min",
        "--",
        ...command,
      ],
      { cwd: device.paths.root, env: { PATH: process.env.PATH ?? "" } },
    );
    return { exitCode: await run(world), ...world.printed };
  };
  const socket = device.paths.orchestratorSocket;
  const seen = await call("curl", "--silent", "--unix-socket", socket, "http://device/v1/status");
  expect(seen).toMatchObject({ exitCode: 0, out: expect.stringContaining('"who":"curl"') });
  expect(await held()).toEqual([]);
  expect(await call("sh", "-c", "exit 7")).toMatchObject({
    exitCode: 1,
    err: expect.stringContaining("exit status 7"),
  });
  expect(await held()).toEqual([]);
  expect((await call("no-such-program-at-all")).exitCode).toBe(1);
  await app.close();
});
