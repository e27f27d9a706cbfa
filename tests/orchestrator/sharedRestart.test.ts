/**
 * Updates that need a restart share one: each is staged and set aside, the next can be installed
 * meanwhile, and one restart of the machine finishes them all. The real update service; a restart is
 * another boot id and a new process.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { callLocal } from "../../device/localClient.ts";
import { Product } from "../../protocol/ids.ts";
import { type OrchestratedDevice, orchestratedDevice } from "../support/orchestratedDevice.ts";
import { startUpdateService } from "../support/updateServiceProcess.ts";

let device: OrchestratedDevice;
beforeEach(async () => {
  device = await orchestratedDevice(["kiosk", "runtime"]);
  boot("first");
  device.publish("kiosk", "1.0", { restart: "always" });
  device.publish("runtime", "1.0", { restart: "always" });
});
afterEach(() => device.close());

function boot(id: string): void {
  const file = join(device.paths.root, "proc/sys/kernel/random/boot_id");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${id}\n`);
}
const restartMachine = async (): Promise<void> => {
  await device.service.stop();
  boot("second");
  device.service = await startUpdateService(device.paths.root);
  await device.service.idle();
};
const current = (product: string): string =>
  readFileSync(join(device.paths.installed, "products", product, "current/main.js"), "utf8");
const states = async () =>
  (await device.service.status()).updates.map(({ product, state }) => `${product} ${state}`);
const askForRestart = () =>
  callLocal(device.paths.updateServiceSocket, "POST", "/v1/restart", z.unknown(), {});

it("two updates wait side by side, and one restart finishes both", async () => {
  await device.check();
  expect((await device.change({ kind: "install" })).state).toBe("succeeded");
  expect(await states()).toEqual(["kiosk restart-pending", "runtime restart-pending"]);
  expect(() => current("kiosk")).toThrow();
  // A crash of the update service is no restart of the machine.
  await device.service.kill();
  device.service = await startUpdateService(device.paths.root);
  await device.service.idle();
  expect(await states()).toEqual(["kiosk restart-pending", "runtime restart-pending"]);

  await restartMachine();
  expect(await states()).toEqual(["kiosk installed", "runtime installed"]);
  expect(current("kiosk")).toContain("kiosk 1.0");
  expect(current("runtime")).toContain("runtime 1.0");
  expect(await device.orchestrator.history(10)).toMatchObject([
    { product: "runtime", result: "succeeded" },
    { product: "kiosk", result: "succeeded" },
  ]);
});

it("a crash while one is set aside, and one while it is taken up again, change nothing", async () => {
  await device.check();
  await device.service.stop();
  const killAt = (tag: string) => startUpdateService(device.paths.root, { UPBEAT_KILL_AT: tag });
  device.service = await killAt("park:done");
  const install = device.change({ kind: "install" });
  await device.service.ended;
  device.service = await startUpdateService(device.paths.root);
  expect((await install).state).toBe("succeeded");
  await device.service.stop();
  boot("second");
  device.service = await killAt("park:taken-up");
  await device.service.ended;
  await restartMachine();
  expect(await states()).toEqual(["kiosk installed", "runtime installed"]);
  expect(await device.orchestrator.history(10)).toHaveLength(2);
});

it("one that turns out sick after the restart is undone alone", async () => {
  const healthCheck = { kind: "command", command: [process.execPath, "-e", "process.exit(9)"] };
  device.publish("kiosk", "2.0", {
    restart: "always",
    healthCheck: { ...healthCheck, retries: 0 },
  });
  await device.check();
  await device.change({ kind: "install" });
  await restartMachine();
  expect((await states()).toSorted()).toEqual(["kiosk rolled-back", "runtime installed"]);
  expect(current("runtime")).toContain("runtime 1.0");
});

it("what waits for the restart can be neither replaced nor undone before it", async () => {
  await device.check();
  await device.change({ kind: "install", product: Product.parse("kiosk") });
  const rollback = await device.change({ kind: "uninstall", product: Product.parse("kiosk") });
  expect(rollback).toMatchObject({ state: "failed", error: { code: "UPB-INSTALL-BUSY" } });
});

it("the restart itself is a command that only root can choose", async () => {
  const proof = join(device.paths.root, "restarted");
  writeFileSync(
    device.paths.restartCommand,
    JSON.stringify({ command: ["/usr/bin/touch", proof] }),
  );
  await askForRestart();
  expect(readFileSync(proof, "utf8")).toBe("");
  writeFileSync(device.paths.restartCommand, JSON.stringify({ command: ["/bin/false"] }));
  await expect(askForRestart()).rejects.toMatchObject({ code: "UPB-RESTART-FAILED" });
  writeFileSync(device.paths.restartCommand, "{}");
  await expect(askForRestart()).rejects.toMatchObject({ code: "UPB-RESTART-FAILED" });
});
