import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EnrolRequest } from "../protocol/deviceApi.ts";
import { Channel, Product, Sha256 } from "../protocol/ids.ts";
import { type Enrolment, enrol } from "./enrol.ts";
import { type DevicePaths, devicePaths } from "./paths.ts";

const ROOT = Buffer.from('{"signed":{"_type":"root"}}');
const DEVICE_ID = `dev-${"a".repeat(32)}`;

let folder: string;
let paths: DevicePaths;
let server: Server;
let url: string;
let requests: EnrolRequest[];
let answer: { status: number; body: string };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-enrol-"));
  paths = devicePaths(folder);
  requests = [];
  answer = { status: 200, body: JSON.stringify({ deviceId: DEVICE_ID }) };
  server = createServer(async (request, response) => {
    if (request.url === "/metadata/1.root.json") return response.end(ROOT);
    const body = await Array.fromAsync(request);
    requests.push(EnrolRequest.parse(JSON.parse(Buffer.concat(body).toString())));
    response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

describe("an enrolment", () => {
  it("leaves the trusted root, a key that only its owner reads, and the configuration", async () => {
    const config = await enrol(enrolment());
    expect(config).toMatchObject({ deviceId: DEVICE_ID, serverUrl: url, name: "test" });
    expect(readFileSync(paths.trustedRoot)).toEqual(ROOT);
    expect(statSync(paths.trustedRoot).mode & 0o777).toBe(0o444);
    expect(JSON.parse(readFileSync(paths.config, "utf8"))).toEqual(config);
    expect(statSync(join(paths.orchestratorState, "device.key")).mode & 0o777).toBe(0o600);
    expect(requests[0]?.token).toBe("s".repeat(22));
    expect(readFileSync(join(paths.orchestratorState, "device.key"), "utf8")).not.toContain(
      requests[0]?.publicKey,
    );
  });

  it("is refused when the server's root is not the one in the token, and leaves nothing", async () => {
    const token = { ...enrolment().token, rootSha256: Sha256.parse("0".repeat(64)) };
    await expect(enrol({ ...enrolment(), token })).rejects.toMatchObject({
      code: "UPB-ENROL-WRONG-ROOT",
    });
    expect(requests).toEqual([]);
    for (const path of [paths.config, paths.trustedRoot, paths.orchestratorState]) {
      expect(existsSync(path)).toBe(false);
    }
  });

  it.each([
    [{ status: 200, body: "<html>Sign in</html>" }, "UPB-DEVICE-BAD-ANSWER"],
    [{ status: 403, body: "no" }, "UPB-FETCH-REFUSED"],
    [{ status: 503, body: "later" }, "UPB-FETCH-SERVER-BUSY"],
  ])("that the server answers with %j leaves the machine not enrolled", async (bad, code) => {
    answer = bad;
    await expect(enrol(enrolment())).rejects.toMatchObject({ code });
    expect(existsSync(paths.config)).toBe(false);
  });

  it("that was interrupted is completed with the same key", async () => {
    answer = { status: 500, body: "" };
    await expect(enrol(enrolment())).rejects.toThrow();
    answer = { status: 200, body: JSON.stringify({ deviceId: DEVICE_ID }) };
    await enrol(enrolment());
    expect(requests[1]?.publicKey).toBe(requests[0]?.publicKey);
  });

  it("is refused on an enrolled machine, unless it is forced at the same server", async () => {
    await enrol(enrolment());
    const before = readFileSync(paths.config, "utf8");
    await expect(enrol(enrolment())).rejects.toMatchObject({ code: "UPB-ENROL-ALREADY" });
    const elsewhere = { ...enrolment(), serverUrl: "http://127.0.0.1:1/", force: true };
    await expect(enrol(elsewhere)).rejects.toMatchObject({ code: "UPB-ENROL-ALREADY" });
    expect(readFileSync(paths.config, "utf8")).toBe(before);
    expect((await enrol({ ...enrolment(), force: true })).deviceId).toBe(DEVICE_ID);
  });
});

const enrolment = (): Enrolment => ({
  root: folder,
  serverUrl: url,
  token: {
    secret: "s".repeat(22),
    rootSha256: Sha256.parse(createHash("sha256").update(ROOT).digest("hex")),
  },
  name: "test",
  products: [{ product: Product.parse("kiosk"), channel: Channel.parse("stable") }],
});
