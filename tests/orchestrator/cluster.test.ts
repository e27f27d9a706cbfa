/**
 * A cluster of two that must not restart as a whole: the signed policy names the lock service, the
 * update server is the lock service, and real machines take their turns.
 */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Administrator, administrator } from "../support/administrator.ts";
import { type FleetDevice, fleetDevice } from "../support/fleetDevice.ts";

let admin: Administrator;
let devices: FleetDevice[];
beforeEach(async () => {
  admin = await administrator();
  devices = [];
  for (const name of ["node-1", "node-2"]) {
    const hour = new Date().getUTCHours();
    const at = (add: number) => `${String((hour + add) % 24).padStart(2, "0")}:00`;
    const settings = { timeZone: "UTC", activeHours: { start: at(6), end: at(7) } };
    devices.push(await fleetDevice(admin, { name, products: ["kiosk"], settings }));
  }
});
afterEach(async () => {
  for (const device of devices) await device.close();
  await admin.close();
});

/** As long as the server still takes the signature of a clock that is ahead (300 s). */
const AHEAD_MS = 298_000;

it("restarts one machine after the other, the second when the first is well", async () => {
  const lock = JSON.stringify({ url: admin.server.url, group: "web" });
  await admin.upbeat("policy", "set", `restartLock=${lock}`);
  await admin.upbeat("fleet-lock", "set", "web", "--slots", "1");
  await admin.publish("kiosk", "1.0", "--restart", "always");
  const proofs = devices.map((device) => device.around.restartLeaves());
  const restarted = () => proofs.map((proof) => existsSync(proof));
  const holders = async () => {
    const { groups } = await admin.upbeat("fleet-lock", "list");
    return (groups as { holders: { holder: string }[] }[])[0]?.holders.map(({ holder }) => holder);
  };
  for (const device of devices) {
    await device.check();
    expect((await device.change({ kind: "install" })).state).toBe("succeeded");
  }
  const [first, second] = devices;
  if (first === undefined || second === undefined) throw new Error("there are two");

  await first.orchestrator.tick();
  await second.orchestrator.tick();
  expect(restarted()).toEqual([true, false]);
  expect(await holders()).toEqual([first.config.deviceId]);
  const { restart } = await second.orchestrator.status();
  expect(restart?.waiting).toMatchObject([
    { reason: "restart-lock", sentence: expect.stringContaining(first.config.deviceId) },
  ]);

  await first.reboot();
  await first.orchestrator.tick();
  expect(await holders()).toEqual([]);
  second.clock.aheadMs = AHEAD_MS;
  for (let tries = 0; tries < 160 && restarted()[1] === false; tries++) {
    await second.orchestrator.tick();
    await sleep(250);
  }
  expect(restarted()).toEqual([true, true]);
  expect(await holders()).toEqual([second.config.deviceId]);
});
