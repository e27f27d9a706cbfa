/** A disk that is full or read-only: said as what it is, nothing lost, and it goes on with room. */
import { rmSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { type FaultyDevice, faultyDevice } from "../support/faultyDevice.ts";
import { canMount, type SmallDisk, smallDisk } from "../support/smallDisk.ts";
import { startUpdateService } from "../support/updateServiceProcess.ts";

const DISK_BYTES = 16 * 2 ** 20;
const DISK_FILES = 2_000;

let device: FaultyDevice;
let disk: SmallDisk;
afterEach(async () => {
  if (!canMount) return;
  await device.close();
});

const onSmallDisk = async () => {
  device = await faultyDevice((root) => {
    disk = smallDisk(root, DISK_BYTES, DISK_FILES);
  });
  const { close } = device;
  device.close = async () => {
    await device.service.stop();
    disk.unmount();
    await close();
  };
};

describe.skipIf(!canMount)("a disk that", () => {
  it("has no room for the download refuses before anything is fetched", async () => {
    await onSmallDisk();
    const filler = disk.fill(256 * 1024);
    const before = device.releases.server.requests.filter((path) => path.includes("content"));
    device.expectFailed(await device.download("2.0.0"), "UPB-DOWNLOAD-NO-SPACE");
    const after = device.releases.server.requests.filter((path) => path.includes("content"));
    // The delivery, the list and the content table say how much it is; no content was fetched.
    expect(after.slice(before.length).length).toBeLessThanOrEqual(3);
    rmSync(filler);
    await device.download("2.0.0");
    expect(await device.install("2.0.0")).toMatchObject({ state: "installed" });
    expect(device.current()).toBe("2.0.0");
  });

  it("has no room even to write that down refuses, and the old version runs on", async () => {
    await onSmallDisk();
    const filler = disk.fill();
    await expect(device.download("2.0.0")).rejects.toMatchObject({ code: "UPB-STATE-DISK-FULL" });
    expect(device.current()).toBe("1.0.0");
    rmSync(filler);
    await device.download("2.0.0");
    expect(await device.install("2.0.0")).toMatchObject({ state: "installed" });
  });

  it("fills up while content arrives keeps the old version, and history is complete", async () => {
    await onSmallDisk();
    const { server } = device.releases;
    server.fail({ kind: "truncate", atByte: 10 }, /content/);
    server.requests.length = 0;
    await device.service.request({ kind: "download", update: device.id("2.0.0") });
    const asked = () => server.requests.some((path) => path.startsWith("/content"));
    await expect.poll(asked, { interval: 5, timeout: 20_000 }).toBe(true);
    const filler = disk.fill();
    server.fail(undefined);
    const { updates } = await device.service.idle();
    device.expectFailed(
      updates.find(({ version }) => version === "2.0.0"),
      "UPB-DOWNLOAD-DISK-FULL",
    );
    rmSync(filler);
    await device.download("2.0.0");
    expect(await device.install("2.0.0")).toMatchObject({ state: "installed" });
    expect(await device.service.history()).toHaveLength(2);
  }, 60_000);

  it("cannot take another file while it installs leaves the old version running", async () => {
    await onSmallDisk();
    await device.download("2.0.0");
    const many = disk.fillNames();
    device.expectFailed(await device.install("2.0.0"), "UPB-INSTALL-DISK-FULL");
    rmSync(many, { recursive: true });
    expect(await device.install("2.0.0")).toMatchObject({ state: "installed" });
    expect(device.current()).toBe("2.0.0");
  });

  it("is read-only keeps the service from starting, with the folder and what to do", async () => {
    await onSmallDisk();
    await device.service.stop();
    disk.setReadOnly(true);
    const refused = await startUpdateService(device.root);
    expect((await refused.ended).code).toBe(1);
    expect(refused.output()).toMatch(/UPB-(STATE-UNWRITABLE|SERVICE-STATE-FOLDER)/);
    expect(refused.output()).toContain("writable");
    expect(device.current()).toBe("1.0.0");
    disk.setReadOnly(false);
    device.service = await startUpdateService(device.root);
    expect(await device.service.history()).toHaveLength(1);
  });
});
