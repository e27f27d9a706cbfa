/** Updaters of others: they share checks, queue, history and restart, and harm only themselves. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ProviderId } from "../../protocol/providers.ts";
import type { JobRequest } from "../../protocol/updateServiceApi.ts";
import { type OrchestratedDevice, orchestratedDevice } from "../support/orchestratedDevice.ts";
import { startUpdateService } from "../support/updateServiceProcess.ts";

let device: OrchestratedDevice;
beforeEach(async () => {
  device = await orchestratedDevice(["kiosk"]);
});
afterEach(() => device.close());

const firmware = ProviderId.parse("firmware");
const UPDATE = { id: "bios", title: "System firmware", version: "1.9", restart: "always" };

function program(provider: string, verb: string, body: string, mode = 0o755): void {
  const file = join(device.paths.providersFolder, provider, verb);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, mode);
}
const prints = (value: unknown): string => `cat <<'END'\n${JSON.stringify(value)}\nEND`;
const installed = () => join(device.paths.root, "flashed");
/** A provider whose update is there until it is installed. */
function registerFirmware(): void {
  const scan = prints({ updates: [UPDATE] });
  program(
    "firmware",
    "scan",
    `if [ -e ${installed()} ]; then ${prints({ updates: [] })}\nelse ${scan}\nfi`,
  );
  program("firmware", "install", `cat > ${installed()}\necho '{"restart": true}'`);
}
const providers = async () => (await device.service.status()).providers;

describe("a provider", () => {
  it("is asked at every check, installed with all else, and stands in the history", async () => {
    registerFirmware();
    device.publish("kiosk", "1.0");
    const { check } = await device.check();
    expect(check?.providers).toMatchObject([
      {
        provider: "firmware",
        updates: [{ ...UPDATE, classification: "update" }],
        verbs: ["install"],
      },
    ]);
    expect((await device.orchestrator.status()).providers).toHaveLength(1);

    expect((await device.change({ kind: "install" })).state).toBe("succeeded");
    expect(readFileSync(installed(), "utf8")).toBe("bios\n");
    expect(await device.orchestrator.history(10)).toMatchObject([
      {
        provider: "firmware",
        product: "firmware",
        operation: "install",
        title: "bios",
        result: "succeeded",
      },
      { product: "kiosk", toVersion: "1.0" },
    ]);
    expect((await device.orchestrator.status()).providers).toMatchObject([{ updates: [] }]);
    expect(await providers()).toMatchObject([{ restartPendingMs: expect.any(Number) }]);
    expect((await device.change({ kind: "install", provider: firmware })).state).toBe(
      "nothing-to-do",
    );
  });

  it("is installed by itself at a good moment, but not while updates are paused", async () => {
    registerFirmware();
    await device.check();
    const until = new Date(device.clock.nowMs + 3_600_000).toISOString();
    await device.orchestrator.changeSettings({
      set: { pause: { setAt: until, until } },
      unset: [],
    });
    await device.orchestrator.tick();
    await device.settle();
    expect(existsSync(installed())).toBe(false);
    await device.orchestrator.changeSettings({ set: {}, unset: ["pause"] });
    await device.orchestrator.tick();
    await device.settle();
    expect(existsSync(installed())).toBe(true);
    // What it did is complete only after a restart, which is planned like any other.
    expect((await device.orchestrator.status()).restart?.updates).toMatchObject([
      { product: "firmware" },
    ]);
  });

  it("that fails keeps nothing else from being installed, and says why", async () => {
    registerFirmware();
    program("firmware", "install", "echo battery too low >&2; exit 4");
    device.publish("kiosk", "1.0");
    await device.check();
    expect(await device.change({ kind: "install" })).toMatchObject({
      state: "failed",
      error: { code: "UPB-PROVIDER-FAILED", detail: expect.stringContaining("battery too low") },
      updates: [{ product: "kiosk", state: "installed" }],
    });
    expect((await device.orchestrator.history(1))[0]).toMatchObject({
      provider: "firmware",
      result: "failed",
    });
  });

  it.each([
    ["crashes", "kill -9 $$", /SIGKILL/],
    ["floods", "exec yes", /more than 4194304 bytes/],
    ["babbles", "echo updates: none", /cannot be used/],
    [
      "names a command for an id",
      prints({ updates: [{ ...UPDATE, id: "$(reboot)" }] }),
      /cannot be used/,
    ],
    ["names an update twice", prints({ updates: [UPDATE, UPDATE] }), /twice/],
  ])("that %s harms only itself", async (_, body, reason) => {
    registerFirmware();
    program("broken", "scan", body);
    device.publish("kiosk", "1.0");
    const { state, check } = await device.check();
    expect(state).toBe("succeeded");
    expect(check?.offers).toHaveLength(1);
    expect(check?.providers).toMatchObject([
      { provider: "broken", updates: [], failure: expect.stringMatching(reason) },
      { provider: "firmware", updates: [UPDATE] },
    ]);
  });

  it("that others may write to is not run, not even when it is named", async () => {
    registerFirmware();
    const job: JobRequest = {
      kind: "provider",
      provider: firmware,
      verb: "install",
      updates: ["bios"],
    };
    chmodSync(join(device.paths.providersFolder, "firmware/install"), 0o777);
    await expect(device.service.request(job)).rejects.toMatchObject({
      code: "UPB-PROVIDER-UNSAFE",
    });
    chmodSync(join(device.paths.providersFolder, "firmware/install"), 0o755);
    chmodSync(device.paths.providersFolder, 0o777);
    await expect(device.service.request(job)).rejects.toMatchObject({
      code: "UPB-PROVIDER-UNSAFE",
    });
    expect((await device.check()).check?.providers).toMatchObject([
      { updates: [], failure: expect.stringContaining("others than") },
    ]);
    expect(existsSync(installed())).toBe(false);
    const unknown = { ...job, provider: ProviderId.parse("nobody") };
    await expect(device.service.request(unknown)).rejects.toMatchObject({
      code: "UPB-PROVIDER-UNKNOWN",
    });
  });

  it("that a crash of the update service cut off leaves one entry that says so", async () => {
    registerFirmware();
    const begun = join(device.paths.root, "begun");
    program("firmware", "install", `touch ${begun}; sleep 30`);
    await device.check();
    const install = device.change({ kind: "install" });
    while (!existsSync(begun)) await new Promise((resolve) => setTimeout(resolve, 20));
    await device.service.kill();
    device.service = await startUpdateService(device.paths.root);
    expect(await install).toMatchObject({
      state: "failed",
      error: { code: "UPB-PROVIDER-FAILED" },
    });
    expect(await device.orchestrator.history(10)).toMatchObject([
      { provider: "firmware", result: "failed" },
    ]);
  });
});

describe("the lists of a provider", () => {
  it("are refreshed when they are old or when all is asked for, and old ones still count", async () => {
    registerFirmware();
    const log = join(device.paths.root, "refreshed");
    program("firmware", "refresh", `echo once >> ${log}`);
    const times = () => readFileSync(log, "utf8").split("once").length - 1;
    await device.check();
    await device.check();
    expect(times()).toBe(1);
    await device.check(true);
    expect(times()).toBe(2);
    device.clock.nowMs += 13 * 3_600_000;
    program("firmware", "refresh", "echo no network >&2; exit 1");
    expect((await device.check(true)).check?.providers).toMatchObject([
      { updates: [UPDATE], failure: expect.stringContaining("no network") },
    ]);
  });
});
