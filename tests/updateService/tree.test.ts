/** What the `tree` handler leaves on the disk: versions side by side, shared, kept, gone. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { Product } from "../../protocol/ids.ts";
import { type ClockedService, clockedService } from "../support/clockedService.ts";

const DAY_MS = 24 * 3_600_000;
const kiosk = Product.parse("kiosk");
const LONG_NAME = `${"n".repeat(251)}.txt`;

let device: ClockedService;
afterEach(() => device.close());

function tree(version: string, more: Record<string, string> = {}): string {
  const folder = join(device.folder, `tree-${version}`);
  for (const [path, text] of Object.entries({
    "bin/run": "#!/bin/sh\n",
    "lib/same": "x".repeat(9_000),
    version,
    ...more,
  })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  chmodSync(join(folder, "bin/run"), 0o755);
  return folder;
}
const take = (version: string, more: object = {}) =>
  device.take(tree(version), { product: "kiosk", version, ...more });
const versions = () => readdirSync(join(device.products, "kiosk/versions")).toSorted();
const current = () => readlinkSync(join(device.products, "kiosk/current"));

describe("an installed tree", () => {
  it("has every mode, link, empty folder and very long name that was published", async () => {
    device = await clockedService("kiosk");
    const folder = tree("1.0", { [LONG_NAME]: "long", "private/key": "secret" });
    chmodSync(join(folder, "private/key"), 0o600);
    chmodSync(join(folder, "private"), 0o700);
    mkdirSync(join(folder, "empty"));
    symlinkSync("../lib/same", join(folder, "bin/link"));
    expect(await device.take(folder, { product: "kiosk", version: "1.0" })).toMatchObject({
      state: "installed",
    });
    const at = join(device.products, "kiosk/current");
    expect(statSync(join(at, "bin/run")).mode & 0o7777).toBe(0o755);
    expect(statSync(join(at, "private")).mode & 0o7777).toBe(0o700);
    expect(statSync(join(at, "private/key")).mode & 0o7777).toBe(0o600);
    expect(readdirSync(join(at, "empty"))).toEqual([]);
    expect(readlinkSync(join(at, "bin/link"))).toBe("../lib/same");
    expect(readFileSync(join(at, LONG_NAME), "utf8")).toBe("long");
    expect(lstatSync(at).isSymbolicLink()).toBe(true);
  });

  it("shares what did not change with the version before, on disk and on the wire", async () => {
    device = await clockedService("kiosk");
    await take("1.0");
    device.server.requests.length = 0;
    await take("2.0");
    expect(current()).toBe("versions/2.0");
    const file = (version: string) => join(device.products, "kiosk/versions", version, "lib/same");
    // One inode, or blocks that a reflink shares: then both are whole files of their own.
    if (statSync(file("2.0")).nlink > 1)
      expect(statSync(file("2.0")).ino).toBe(statSync(file("1.0")).ino);
    expect(readFileSync(file("2.0"))).toEqual(readFileSync(file("1.0")));
    expect(
      device.server.requests.filter((path) => path.startsWith("/content/")).length,
    ).toBeLessThanOrEqual(2);
  });
});

describe("the version before", () => {
  it("is kept for ten days and can be gone back to, then it is gone", async () => {
    device = await clockedService("kiosk");
    await take("1.0");
    await take("2.0");
    expect(versions()).toEqual(["1.0", "2.0"]);
    device.clock.nowMs += 10 * DAY_MS - 1;
    await device.restart();
    expect(versions()).toEqual(["1.0", "2.0"]);
    device.clock.nowMs += 1;
    await device.restart();
    expect(versions()).toEqual(["2.0"]);
    expect(() => device.service.jobs.accept({ kind: "rollback", product: kiosk })).toThrow(
      expect.objectContaining({ code: "UPB-ROLLBACK-NOTHING" }),
    );
    expect(current()).toBe("versions/2.0");
  });

  it("runs again after a rollback, and the newer one is removed", async () => {
    device = await clockedService("kiosk");
    await take("1.0");
    await take("2.0");
    await device.work({ kind: "rollback", product: kiosk });
    expect(current()).toBe("versions/1.0");
    expect(versions()).toEqual(["1.0"]);
    expect(device.service.journal.history()).toMatchObject([
      { operation: "rollback", fromVersion: "2.0", toVersion: "1.0", result: "succeeded" },
      { operation: "install", toVersion: "2.0" },
      { operation: "install", toVersion: "1.0" },
    ]);
  });
});

describe("uninstalling", () => {
  it("removes link, versions and content, and keeps the history", async () => {
    device = await clockedService("kiosk");
    await take("1.0");
    await take("2.0");
    await device.work({ kind: "uninstall", product: kiosk });
    expect(existsSync(join(device.products, "kiosk/current"))).toBe(false);
    expect(existsSync(join(device.products, "kiosk/versions"))).toBe(false);
    const store = join(device.products, "../store");
    const objects = readdirSync(store).flatMap((shard) => readdirSync(join(store, shard)));
    expect(objects).toEqual([]);
    expect(device.service.journal.history()).toHaveLength(3);
    expect(await take("3.0")).toMatchObject({ state: "installed" });
  });
});

describe("an update that needs a restart", () => {
  it("waits, survives a restart of the service, and is committed by a restart of the machine", async () => {
    device = await clockedService("kiosk");
    await take("1.0");
    expect(await take("2.0", { restart: "always" })).toMatchObject({ state: "restart-pending" });
    expect(current()).toBe("versions/1.0");
    await device.restart();
    expect(current()).toBe("versions/1.0");
    device.clock.bootId = "second";
    await device.restart();
    expect(current()).toBe("versions/2.0");
    expect(device.service.journal.history()).toHaveLength(2);
  });
});

describe("the service of a product", () => {
  it("is restarted after the switch and again after a rollback; one that fails undoes the update", async () => {
    device = await clockedService("kiosk");
    const log = join(device.folder, "restarts");
    const serviceRestart = ["/bin/sh", "-c", `cat version >> ${log}`];
    await take("1.0", { serviceRestart });
    expect(readFileSync(log, "utf8")).toBe("1.0");
    expect(
      await take("2.0", { serviceRestart: ["/bin/sh", "-c", "echo no; exit 3"] }),
    ).toMatchObject({
      state: "rolled-back",
      error: { code: "UPB-INSTALL-SERVICE-RESTART", nativeCode: 3 },
    });
    expect(current()).toBe("versions/1.0");
    expect(readFileSync(log, "utf8")).toBe("1.01.0");
  });
});

describe("a health check over HTTP", () => {
  it("keeps what answers as expected and undoes what doesn't, whatever the network does", async () => {
    device = await clockedService("kiosk");
    let status = 503;
    const app = createServer((_request, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
    // Listening on TCP, so the address is one.
    const { port } = app.address() as AddressInfo;
    const healthCheck = {
      kind: "http" as const,
      url: `http://127.0.0.1:${port}/health`,
      expectStatus: 204,
      timeoutMs: 10_000,
      retries: 1,
      retryDelayMs: 10,
    };
    try {
      expect(await take("1.0", { healthCheck })).toMatchObject({
        state: "rolled-back",
        error: { code: "UPB-HEALTH-FAILED" },
      });
      status = 204;
      const update = await device.repository.publish(tree("2.0"), {
        product: "kiosk",
        version: "2.0",
        healthCheck,
      });
      await device.work({ kind: "download", update });
      // Local health decides: the update server is not asked.
      device.server.fail({ kind: "down" });
      expect(await device.work({ kind: "install", update })).toMatchObject({ state: "installed" });
    } finally {
      app.close();
    }
  });
});
