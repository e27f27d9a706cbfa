/** What happens to the update service's own state: two of them, a wrong clock, a damaged database. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type FaultyDevice, faultyDevice } from "../support/faultyDevice.ts";
import { startUpdateService } from "../support/updateServiceProcess.ts";

let device: FaultyDevice;
afterEach(() => device.close());

const YEAR_MS = 365 * 24 * 3_600_000;

const FAKETIME =
  ["x86_64", "aarch64"]
    .map((arch) => `/usr/lib/${arch}-linux-gnu/faketime/libfaketime.so.1`)
    .find((path) => existsSync(path)) ?? "";

describe("the update service", () => {
  it("refuses a state folder that another one holds, and names its process", async () => {
    device = await faultyDevice();
    const second = await startUpdateService(device.root);
    await second.ended;
    expect(second.output()).toContain("UPB-SERVICE-ALREADY-RUNNING");
    expect(second.output()).toContain(`process ${device.service.pid} holds it`);
    expect((await device.service.status()).pid).toBe(device.service.pid);
  });

  it.skipIf(FAKETIME === "")(
    "with a clock a year ahead believes nothing new, and everything again with the right one",
    async () => {
      device = await faultyDevice();
      await restart({ shiftMs: YEAR_MS });
      device.expectFailed(await device.download("2.0.0"), "UPB-TRUST-EXPIRED");
      await restart({});
      expect(await device.download("2.0.0")).toMatchObject({ state: "downloaded" });
    },
  );

  it.skipIf(FAKETIME === "")(
    "with a clock a year behind is not talked into old updates, and says that it is the clock",
    async () => {
      device = await faultyDevice();
      await restart({ shiftMs: -YEAR_MS });
      device.expectFailed(await device.download("2.0.0"), "UPB-TRUST-CLOCK");
      await restart({});
      await device.download("2.0.0");
      expect(await device.install("2.0.0")).toMatchObject({ state: "installed" });
      expect(device.current()).toBe("2.0.0");
    },
  );

  it.each([
    ["was overwritten", () => Buffer.alloc(16_384, "not a database ")],
    ["was cut in half", (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length / 2))],
    ["is empty", () => Buffer.alloc(0)],
    [
      "has a page of rubbish",
      (bytes: Buffer) =>
        Buffer.concat([bytes.subarray(0, 4_096), Buffer.alloc(4_096, 0xa5), bytes.subarray(8_192)]),
    ],
  ])(
    "whose database %s rebuilds it, keeps the damaged file, and lost no history",
    async (_, harm) => {
      device = await faultyDevice();
      const before = await device.service.history();
      await device.service.stop();
      const folder = join(device.root, "var/lib/upbeat/update-service");
      const file = join(folder, "state.db");
      const damaged = harm(readFileSync(file));
      writeFileSync(file, damaged);
      device.service = await startUpdateService(device.root);
      expect(await device.service.history()).toEqual(before);
      expect(device.current()).toBe("1.0.0");
      const { products } = await device.service.idle();
      expect(products).toMatchObject([{ product: "sample", current: "1.0.0" }]);
      // An empty file is a database without tables: nothing of it is worth keeping.
      if (damaged.length > 0)
        expect(readdirSync(folder).some((name) => name.startsWith("state.db.corrupt-"))).toBe(true);
      await device.download("2.0.0");
      expect(await device.install("2.0.0")).toMatchObject({ state: "installed" });
      expect(device.current()).toBe("2.0.0");
    },
  );
});

/** With the process's own clock turned, by libfaketime. */
async function restart({ shiftMs = 0 }: { shiftMs?: number }): Promise<void> {
  await device.service.stop();
  const days = `${shiftMs > 0 ? "+" : ""}${shiftMs / 86_400_000}d`;
  const turned = { LD_PRELOAD: FAKETIME, FAKETIME: days, DONT_FAKE_MONOTONIC: "1" };
  device.service = await startUpdateService(device.root, shiftMs === 0 ? {} : turned);
}
