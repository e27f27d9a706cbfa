import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { httpMetadataSource, httpTargetReader } from "../content/metadataSource.ts";
import { readUpdate } from "../content/releases.ts";
import { SignerKeys } from "../protocol/adminApi.ts";
import { Channel, Product, Sha256, Version } from "../protocol/ids.ts";
import { writePayload } from "../protocol/payload.ts";
import { refresh } from "../protocol/trust/client.ts";
import { memoryStore } from "../tests/support/memoryStore.ts";
import { callsOf, type ServerProcess, startServer } from "../tests/support/serverProcess.ts";
import { type TestPublisher, testPublisher } from "../tests/support/testPublisher.ts";

const TEXT = "0123456789".repeat(1_000);
const SHA256 = Sha256.parse(createHash("sha256").update(TEXT).digest("hex"));
const CONTENT = `/content/${SHA256.slice(0, 2)}/${SHA256}`;

let folder: string;
let data: string;
let server: ServerProcess;
let token: string;
let publisher: TestPublisher;

const { admin, get, post, json } = callsOf(
  () => server,
  () => token,
);
const put = (sha256: string, body: string) =>
  fetch(`${server.url}/api/v1/content/${sha256}`, { method: "PUT", body, headers: admin() });
const publish = async (update: ReturnType<TestPublisher["add"]>) => {
  const answer = await post("/api/v1/repository", update);
  if (answer.ok) publisher.taken(update);
  return answer;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-server-"));
  data = join(folder, "data");
  server = await startServer(data);
  token = server.adminToken ?? "";
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("a server in an empty folder", () => {
  it("lives, and says what it needs before it is ready", async () => {
    expect((await get("/healthz")).status).toBe(200);
    const ready = await get("/readyz");
    expect(ready.status).toBe(503);
    expect((await json(ready)).problems).toEqual(["no repository yet: run `upbeat keys init`"]);
  });

  it("lets nobody in without the token, before it reads what they send", async () => {
    for (const headers of [{}, { authorization: "Bearer x" }, { authorization: "Basic eDp5" }]) {
      const answer = await post("/api/v1/repository", "{}", headers as Record<string, string>);
      expect(answer.status).toBe(401);
      expect(await json(answer)).toMatchObject({ code: "UPB-SERVER-UNAUTHORISED" });
    }
  });

  it("makes no enrolment token before there is a root to name in it", async () => {
    expect(await json(post("/api/v1/enrolment-tokens", {}))).toMatchObject({
      code: "UPB-SERVER-NO-REPOSITORY",
    });
  });

  it("is not started twice", async () => {
    await expect(startServer(data)).rejects.toThrow("UPB-SERVER-DATA");
  });

  it("does not start in a folder whose path is too long for the signer's socket", async () => {
    await expect(startServer(join(folder, "x".repeat(100)))).rejects.toThrow("UPB-SERVER-DATA");
  });

  it("does not start with arguments that it does not know", async () => {
    await expect(startServer(data, "--public-url", "ftp://x")).rejects.toThrow(
      "UPB-SERVER-ARGUMENTS",
    );
  });
});

describe("publishing over HTTP", () => {
  it("uploads content once, and only what was announced", async () => {
    expect(
      (await fetch(`${server.url}/api/v1/content/${SHA256}`, { method: "HEAD", headers: admin() }))
        .status,
    ).toBe(404);
    const wrong = await put(SHA256, `${TEXT}!`);
    expect(wrong.status).toBe(422);
    expect(await json(wrong)).toMatchObject({ code: "UPB-SERVER-CONTENT-HASH" });
    expect(existsSync(join(data, "repo", CONTENT))).toBe(false);
    expect((await put(SHA256, TEXT)).status).toBe(201);
    expect((await put(SHA256, TEXT)).status).toBe(200);
    expect((await put("../../etc", TEXT)).status).toBe(404);
    expect((await put("abc", TEXT)).status).toBe(400);
  });

  it("leaves nothing of an upload that was cut off", async () => {
    const sha256 = "1".repeat(64);
    await new Promise<void>((resolve) => {
      const call = httpRequest(`${server.url}/api/v1/content/${sha256}`, {
        method: "PUT",
        headers: { ...admin(), "content-length": 1_000_000 },
      });
      call.on("error", () => resolve());
      call.write("part");
      setTimeout(() => call.destroy(), 200);
      call.on("close", () => resolve());
    });
    const uploads = join(data, "work/uploads");
    for (let tries = 0; tries < 100 && readdirSync(uploads).length > 0; tries++) await sleep(20);
    expect(readdirSync(uploads)).toEqual([]);
    expect(existsSync(join(data, "repo/content/11"))).toBe(false);
  });

  it("takes more than a megabyte in one file", async () => {
    const text = "x".repeat(3_000_000);
    expect((await put(createHash("sha256").update(text).digest("hex"), text)).status).toBe(201);
  });

  it("shows a signed update that a device finds and reads", async () => {
    const keys = SignerKeys.parse(await json(get("/api/v1/signer", admin())));
    publisher = testPublisher(keys, Date.now());
    expect((await publish(publisher.first())).status).toBe(200);
    const list = writePayload([
      { type: "file", path: "app", sizeBytes: TEXT.length, mode: 0o644, sha256: SHA256 },
    ]);
    expect((await put(list.ref.sha256, Buffer.from(list.bytes).toString())).status).toBe(201);
    const answer = await publish(
      publisher.add(publisher.manifest({ version: "1.0+b~1", payload: list.ref })),
    );
    expect(await json(answer)).toMatchObject({ versions: { stable: 2 } });
    expect((await get("/readyz")).status).toBe(200);

    const url = new URL(server.url);
    const root = Buffer.from(await (await get("/metadata/1.root.json")).arrayBuffer());
    const trusted = await refresh({
      trustedRoot: root,
      store: memoryStore(),
      source: httpMetadataSource(url),
      now: Date.now,
    });
    const ids = [
      Channel.parse("stable"),
      Product.parse("kiosk"),
      Version.parse("1.0+b~1"),
    ] as const;
    const found = await readUpdate(trusted, httpTargetReader(url), ...ids);
    expect(found?.manifest.payload).toEqual(list.ref);
    expect(await json(get("/api/v1/updates", admin()))).toMatchObject({
      updates: [{ product: "kiosk", version: "1.0+b~1", sizeBytes: TEXT.length }],
    });
  });

  it("answers what is wrong with a code, and with the status that says whose fault it is", async () => {
    const again = await publish(publisher.first());
    expect([again.status, (await json(again)).code]).toEqual([409, "UPB-PUBLISH-STALE"]);
    const bad = await post("/api/v1/repository", "{");
    expect([bad.status, (await json(bad)).code]).toEqual([400, "UPB-SERVER-BAD-REQUEST"]);
    const strange = await post("/api/v1/repository", { roles: {}, targets: [], more: 1 });
    expect(strange.status).toBe(400);
    const long = await post("/api/v1/devices/enrol", "x".repeat(300_000));
    expect(long.status).toBe(400);
    expect((await get("/api/v1/nothing", admin())).status).toBe(404);
  });
});

describe("static files", () => {
  it("carry an ETag, and say how long they may be kept", async () => {
    const first = await get("/metadata/timestamp.json");
    expect(first.headers.get("cache-control")).toBe("no-store");
    const etag = first.headers.get("etag") ?? "";
    const second = await get("/metadata/timestamp.json", { "if-none-match": etag });
    expect([second.status, await second.text()]).toEqual([304, ""]);
    const root = await get("/metadata/1.root.json");
    expect(root.headers.get("cache-control")).toContain("immutable");
    const absent = await get("/metadata/99.root.json");
    expect([absent.status, absent.headers.get("cache-control")]).toEqual([404, "no-store"]);
  });

  it("come in parts", async () => {
    const part = await get(CONTENT, { range: "bytes=9995-" });
    expect([part.status, await part.text()]).toEqual([206, "56789"]);
    expect(part.headers.get("content-range")).toBe("bytes 9995-9999/10000");
    const none = await get(CONTENT, { range: "bytes=10000-" });
    expect([none.status, none.headers.get("content-range")]).toEqual([416, "bytes */10000"]);
    const other = await get(CONTENT, { range: "bytes=5-", "if-range": '"older"' });
    expect([other.status, (await other.text()).length]).toEqual([200, 10_000]);
    const head = await fetch(`${server.url}${CONTENT}`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "10000"]);
  });

  it.each([
    "/content/../server.db",
    "/content/%2e%2e/%2e%2e/server.db",
    "/metadata/..%2f..%2fserver.db",
    "/targets/stable/..%2f..%2f..%2fsigner/state.json",
    "/metadata/",
    "/metadata/1.root.json%00",
    `/content/00/${SHA256}`,
  ])("are only those of the repository: %s is not there", async (path) => {
    // fetch would tidy the path up first.
    const status = await new Promise((resolve, reject) => {
      const { hostname, port } = new URL(server.url);
      httpRequest({ hostname, port, path }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(404);
  });
});

describe("a server that was killed", () => {
  it("shows the same after kill -9 and a restart", async () => {
    const before = await json(get("/api/v1/repository", admin()));
    await server.stop("SIGKILL");
    server = await startServer(data);
    expect(server.adminToken).toBeUndefined();
    expect(await json(get("/api/v1/repository", admin()))).toEqual(before);
    expect((await json(get("/api/v1/updates", admin()))).updates).toHaveLength(1);
  });
});

describe("the signer", () => {
  it("is started again when it dies; meanwhile a publish is refused or waits, never half done", async () => {
    const [signer] = server.children();
    if (signer === undefined) throw new Error("there is no signer");
    process.kill(signer, "SIGKILL");
    const update = publisher.add(publisher.manifest({ version: "2.0.0" }));
    const statuses = [];
    for (let tries = 0; tries < 100 && statuses.at(-1) !== 200; tries++) {
      statuses.push((await publish(update)).status);
      await sleep(50);
    }
    expect(statuses.at(-1)).toBe(200);
    expect(statuses.slice(0, -1).every((status) => status === 503)).toBe(true);
    expect(server.children()).not.toContain(signer);
  });

  it("ends with its server, which ends at SIGTERM with 0", async () => {
    const [signer = 0] = server.children();
    expect(await server.stop()).toMatchObject({ code: 0 });
    expect(() => process.kill(signer, 0)).toThrow();
    server = await startServer(data);
  });
});

describe("an address that another program has", () => {
  it("is named, and the token is shown at the first start that succeeds", async () => {
    const fresh = join(folder, "fresh");
    const taken = startServer(fresh, "--port", new URL(server.url).port);
    await expect(taken).rejects.toThrow("UPB-SERVER-ADDRESS");
    const second = await startServer(fresh);
    expect(second.adminToken).toBeDefined();
    await second.stop();
  });
});

describe("the pages for other programs", () => {
  it("are the description of the API and the metrics", async () => {
    const api = await json(get("/openapi.json"));
    expect(api.openapi).toBe("3.1.0");
    const metrics = await (await get("/metrics")).text();
    expect(metrics).toContain("upbeat_devices 0");
    expect(metrics).toMatch(/upbeat_timestamp_expires_seconds \d+/);
  });
});
