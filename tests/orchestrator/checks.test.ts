/** Checks: what they cost, what they leave when they fail, and when the next one comes. */
import { readdirSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type OrchestratedDevice, orchestratedDevice } from "../support/orchestratedDevice.ts";

const HOUR_MS = 3_600_000;

let device: OrchestratedDevice;
beforeEach(async () => {
  device = await orchestratedDevice(["kiosk"]);
  device.publish("kiosk", "1.0");
});
afterEach(() => device.close());

const fetched = (work: { requests: string[] }) =>
  work.requests.filter((path) => !path.startsWith("api/"));

describe("a check", () => {
  it("is one request when nothing changed", async () => {
    await device.check();
    device.server.requests.length = 0;
    const again = await device.check();
    expect(again.check).toMatchObject({ outcome: "unchanged", requests: 1, receivedBytes: 0 });
    expect(again.check?.offers).toHaveLength(1);
    expect(fetched(device.server)).toEqual(["metadata/timestamp.json"]);
  });

  it("asks for everything when asked to, and once a day", async () => {
    await device.check();
    expect((await device.check(true)).check?.outcome).toBe("evaluated");
    expect((await device.check()).check?.outcome).toBe("unchanged");
    device.simulator.publish("stable");
    expect((await device.check()).check?.outcome).toBe("evaluated");
  });

  it("reads one manifest of a product with many versions, and that one once", async () => {
    for (let minor = 1; minor <= 30; minor++) device.publish("kiosk", `1.${minor}`);
    expect((await device.check()).check?.offers).toMatchObject([{ title: "kiosk 1.30" }]);
    const manifests = () =>
      device.server.requests.filter(
        (path) => path.endsWith(".json") && path.startsWith("targets/"),
      );
    expect(manifests()).toHaveLength(1);
    await device.check(true);
    expect(manifests()).toHaveLength(1);
  });

  it("offers the newest that suits, and names what kept the others back", async () => {
    const fedora = { isInstallable: { fact: "os.id", equals: "no such system" } };
    device.publish("kiosk", "2.0", { applicability: fedora });
    device.publish("kiosk", "3.0", {
      schema: "upbeat.manifest/1.0",
      prerequisites: [{ anyOf: [{ product: "runtime" }] }],
    });
    const { check } = await device.check();
    expect(check?.offers).toMatchObject([{ title: "kiosk 1.0" }]);
    expect(check?.notOffered.map((it) => [it.version, it.reason])).toEqual([
      ["3.0", "prerequisite-missing"],
      ["2.0", "not-installable"],
    ]);
  });

  it("no longer offers what was retired", async () => {
    device.publish("kiosk", "2.0");
    expect((await device.check()).check?.offers).toMatchObject([{ title: "kiosk 2.0" }]);
    device.retire("kiosk", "2.0");
    expect((await device.check()).check?.offers).toMatchObject([{ title: "kiosk 1.0" }]);
  });

  it("is remembered over a restart", async () => {
    await device.check();
    const before = await device.orchestrator.status();
    await device.restartOrchestrator();
    const after = await device.orchestrator.status();
    expect(after.offers).toEqual(before.offers);
    expect(after.lastCheckMs).toBe(before.lastCheckMs);
    expect(after.trust).toEqual(before.trust);
    expect((await device.check()).check?.outcome).toBe("unchanged");
  });
});

type Fault = (response: ServerResponse) => void;

describe("a check that fails", () => {
  it.each<[string, string, Fault]>([
    ["cuts the connection", "UPB-FETCH-UNREACHABLE", (response) => void response.destroy()],
    [
      "answers with a page",
      "UPB-TRUST-MALFORMED",
      (response) => void response.end("<html>Sign in"),
    ],
    ["is overloaded", "UPB-FETCH-SERVER-BUSY", (response) => void response.writeHead(503).end()],
    [
      "truncates",
      "UPB-FETCH-TRUNCATED",
      (response) => {
        response.writeHead(200, { "content-length": 5_000 });
        response.write("{", () => response.destroy());
      },
    ],
    [
      "never stops",
      "UPB-FETCH-TOO-LONG",
      (response) => {
        const more = (): void => {
          while (!response.destroyed && response.write("x".repeat(65_536)));
          response.once("drain", more);
        };
        more();
      },
    ],
  ])(
    "because the server %s says so, keeps the offers and is repeated soon",
    async (_, code, fault) => {
      await device.check();
      const before = await device.orchestrator.status();
      device.server.faults.set("metadata/timestamp.json", (_request, response) => fault(response));
      expect(await device.check()).toMatchObject({ state: "failed", error: { code } });
      const failed = await device.orchestrator.status();
      expect(failed.offers).toEqual(before.offers);
      expect(failed.lastCheckMs).toBe(before.lastCheckMs);
      expect(failed.lastCheckError?.code).toBe(code);
      expect(failed.now).toContain(code);
      const firstWait = (failed.nextCheckMs ?? 0) - device.clock.nowMs;
      expect(firstWait).toBeGreaterThan(0);
      expect(firstWait).toBeLessThanOrEqual(120_000);
      for (let more = 0; more < 4; more++) await device.check();
      const later = (await device.orchestrator.status()).nextCheckMs ?? 0;
      expect(later - device.clock.nowMs).toBeGreaterThan(firstWait);

      device.server.faults.delete("metadata/timestamp.json");
      expect((await device.check()).state).toBe("succeeded");
      expect(await device.orchestrator.status()).not.toHaveProperty("lastCheckError");
    },
  );

  it("with Retry-After is not repeated before", async () => {
    device.server.faults.set("metadata/timestamp.json", (_request, response) => {
      response.writeHead(503, { "retry-after": "7200" }).end();
    });
    await device.check();
    const { nextCheckMs = 0 } = await device.orchestrator.status();
    expect(nextCheckMs - device.clock.nowMs).toBe(2 * HOUR_MS);
  });

  it("because the update service is away decides nothing, and says which service", async () => {
    await device.check();
    await device.service.stop();
    expect(await device.check()).toMatchObject({
      state: "failed",
      error: { code: "UPB-LOCAL-NOT-RUNNING" },
    });
    expect(await device.orchestrator.status()).toMatchObject({
      updateService: "not-running",
      offers: [{ title: "kiosk 1.0" }],
      now: expect.stringContaining("update service"),
    });
  });
});

describe("what a kill left half written", () => {
  it("is removed at the next start, and nothing else is", async () => {
    await device.check();
    const folder = device.paths.orchestratorState;
    const files = () => readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted();
    const kept = files().filter((name) => name.endsWith("timestamp.json"));
    expect(kept).toHaveLength(1);
    const before = files();
    writeFileSync(join(folder, `${kept[0]}.4711.new`), "{ half");
    await device.restartOrchestrator();
    expect(files()).toEqual(before);
    expect((await device.check()).check?.outcome).toBe("unchanged");
  });
});

describe("the schedule", () => {
  it("checks by itself when it is time, not before, and then 22 hours later at most", async () => {
    const { nextCheckMs = 0 } = await device.orchestrator.status();
    expect(nextCheckMs - device.clock.nowMs).toBeLessThanOrEqual(660_000);
    await device.orchestrator.tick();
    expect(fetched(device.server)).toEqual([]);
    device.clock.nowMs = nextCheckMs;
    await device.orchestrator.tick();
    // The next change waits until the scheduled check is done.
    await device.change({ kind: "download" });
    const after = await device.orchestrator.status();
    expect(after.lastCheckMs).toBe(nextCheckMs);
    expect((after.nextCheckMs ?? 0) - nextCheckMs).toBeLessThanOrEqual(22 * HOUR_MS);
    expect((after.nextCheckMs ?? 0) - nextCheckMs).toBeGreaterThanOrEqual(17.5 * HOUR_MS);
  });
});
