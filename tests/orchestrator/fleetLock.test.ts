/** A device's side of FleetLock: against the real update server, and against services that fail. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type FleetLockService,
  freeRestartSlot,
  takeRestartSlot,
} from "../../device/orchestrator/fleetLock.ts";
import { SignerKeys } from "../../protocol/adminApi.ts";
import { EnrolResponse, EnrolToken } from "../../protocol/deviceApi.ts";
import { callsOf, type ServerProcess, startServer } from "../support/serverProcess.ts";
import { testPublisher } from "../support/testPublisher.ts";

const { privateKey } = generateKeyPairSync("ed25519");
const serviceAt = (url: string, more: Partial<FleetLockService> = {}): FleetLockService => ({
  url: new URL(url),
  group: "workers",
  id: "dev-1",
  key: () => privateKey,
  now: Date.now,
  ...more,
});

describe("a device of the update server", () => {
  let folder: string;
  let server: ServerProcess;
  let token: string;
  const { admin, get, post, json } = callsOf(
    () => server,
    () => token,
  );
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "upbeat-fleetlock-"));
    server = await startServer(join(folder, "data"));
    token = server.adminToken ?? "";
    const keys = SignerKeys.parse(await json(get("/api/v1/signer", admin())));
    await post("/api/v1/repository", testPublisher(keys, Date.now()).first());
    await post("/api/v1/fleet-locks/workers", { slots: 1 });
  });
  afterEach(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const enrolled = async (): Promise<FleetLockService> => {
    const pair = generateKeyPairSync("ed25519");
    const { secret } = EnrolToken.parse((await json(post("/api/v1/enrolment-tokens", {}))).token);
    const publicKey = pair.publicKey.export({ format: "jwk" }).x;
    const answer = await post(
      "/api/v1/devices/enrol",
      { token: secret, publicKey, name: "till" },
      {},
    );
    const { deviceId } = EnrolResponse.parse(await json(answer));
    return serviceAt(server.url, { id: deviceId, key: () => pair.privateKey });
  };

  it("restarts when its turn comes, and says until then why not", async () => {
    const [first, second] = [await enrolled(), await enrolled()];
    expect(await takeRestartSlot(first)).toEqual({ is: "granted" });
    expect(await takeRestartSlot(first)).toEqual({ is: "granted" });
    expect(await takeRestartSlot(second)).toMatchObject({
      is: "refused",
      because: expect.stringContaining(`the longest by ${first.id}`),
    });
    expect(await freeRestartSlot(first)).toEqual({ is: "granted" });
    expect(await freeRestartSlot(first)).toEqual({ is: "granted" });
    expect(await takeRestartSlot(second)).toEqual({ is: "granted" });
  });
});

describe("a lock service that fails is a no, never an error", () => {
  let other: Server | undefined;
  afterEach(() => {
    other?.closeAllConnections();
    other?.close();
  });
  const serving = async (listener: RequestListener): Promise<string> => {
    other = createServer(listener);
    await new Promise<void>((resolve) => other?.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(other.address() as AddressInfo).port}/base`;
  };

  it("when nothing listens", async () => {
    expect(await takeRestartSlot(serviceAt("http://127.0.0.1:9"))).toMatchObject({
      is: "unreachable",
      because: expect.stringContaining("http://127.0.0.1:9"),
    });
  });

  it.each<[string, RequestListener]>([
    ["answers with a page", (_request, response) => response.writeHead(404).end("<html>")],
    [
      "never stops talking",
      (_request, response) => {
        response.writeHead(500);
        const more = (): void => {
          while (!response.destroyed && response.write("x".repeat(65_536)));
          response.once("drain", more);
        };
        more();
      },
    ],
  ])("when it %s", async (_what, listener) => {
    expect(await takeRestartSlot(serviceAt(await serving(listener)))).toMatchObject({
      is: "refused",
    });
  });

  it("when it sends the device elsewhere", async () => {
    const asked: (string | undefined)[] = [];
    const url = await serving((request, response) => {
      asked.push(request.url);
      response.writeHead(307, { location: "/elsewhere" }).end();
    });
    expect(await takeRestartSlot(serviceAt(url))).toMatchObject({ is: "unreachable" });
    expect(asked).toEqual(["/base/v1/pre-reboot"]);
  });

  it("and its own words are passed on", async () => {
    const url = await serving((_request, response) =>
      response.writeHead(500).end(JSON.stringify({ kind: "failed_lock", value: "all 1 locked" })),
    );
    const { because } = { because: "", ...(await takeRestartSlot(serviceAt(url))) };
    expect(because).toContain("all 1 locked");
  });
});
