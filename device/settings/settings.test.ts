import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Access, Link, SESSION_KEY_HEADER, Session } from "../../protocol/settingsPageApi.ts";
import { buildPages } from "../../web/build.ts";
import { callLocal } from "../localClient.ts";
import { devicePaths } from "../paths.ts";
import { type RunningSettings, startSettings } from "./settings.ts";

const root = mkdtempSync(join(tmpdir(), "upbeat-settings-"));
const paths = devicePaths(root);
const clock = { nowMs: Date.parse("2026-11-25T09:00:00Z") };
let settings: RunningSettings;

beforeAll(async () => {
  await buildPages();
  mkdirSync(join(root, "etc/upbeat"), { recursive: true });
  settings = await startSettings(paths, {}, () => clock.nowMs);
});
afterAll(async () => {
  await settings?.stop();
  rmSync(root, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
  readonly code: string | undefined;
}

/** Node's `fetch` sets Host and Origin itself; here a test says every header. */
function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: object,
): Promise<Answer> {
  const [host, port] = settings.address.split(":");
  return new Promise((resolve, reject) => {
    const call = request({ host, port, method, path, headers: { ...JSON_TYPE, ...headers } });
    call.on("error", reject);
    call.on("response", async (response) => {
      const text = Buffer.concat(await Array.fromAsync(response)).toString();
      const code = /"code":"(UPB[A-Z-]+)"/.exec(text)?.[1];
      const { statusCode = 0, headers: got } = response;
      resolve({ status: statusCode, headers: got, body: text, code });
    });
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
const JSON_TYPE = { "content-type": "application/json" };
const ours = () => ({ origin: `http://${settings.address}`, "sec-fetch-site": "same-origin" });

const newLink = async (atMost: Access = "administer") =>
  await callLocal(settings.socket, "POST", "/v1/links", Link, { atMost });
const tokenOf = (link: Link) => link.url.split("#open=")[1] ?? "";

async function openSession(atMost: Access = "administer") {
  const answer = await send("POST", "/api/session", ours(), {
    token: tokenOf(await newLink(atMost)),
  });
  const cookie = String(answer.headers["set-cookie"]).split(";")[0] ?? "";
  const { key } = Session.parse(JSON.parse(answer.body));
  return { cookie, key, headers: { ...ours(), cookie, [SESSION_KEY_HEADER]: key }, answer };
}

describe("a one-time link", () => {
  it("opens a strict same-site session that scripts cannot read", async () => {
    const { answer } = await openSession();
    expect(answer.status).toBe(200);
    expect(String(answer.headers["set-cookie"])).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
  });

  it("opens the page once", async () => {
    const token = tokenOf(await newLink());
    expect((await send("POST", "/api/session", ours(), { token })).status).toBe(200);
    expect(await send("POST", "/api/session", ours(), { token })).toMatchObject({
      status: 401,
      code: "UPB-PAGE-LINK",
    });
  });

  it("runs out after two minutes", async () => {
    const token = tokenOf(await newLink());
    clock.nowMs += 2 * 60_000;
    expect((await send("POST", "/api/session", ours(), { token })).code).toBe("UPB-PAGE-LINK");
  });

  it("is not guessed", async () => {
    await newLink();
    const token = "A".repeat(43);
    expect((await send("POST", "/api/session", ours(), { token })).code).toBe("UPB-PAGE-LINK");
  });
});

describe("the page's process", () => {
  let open: Awaited<ReturnType<typeof openSession>>;
  beforeEach(async () => {
    open = await openSession();
  });

  it("answers whoever has the cookie and the key", async () => {
    expect((await send("GET", "/api/session", open.headers)).status).toBe(200);
  });

  it.each([
    ["no cookie", (h: Record<string, string>) => ({ ...h, cookie: "" })],
    ["no key", (h: Record<string, string>) => ({ ...h, [SESSION_KEY_HEADER]: "" })],
    ["another session's key", (h: Record<string, string>) => ({ ...h, [SESSION_KEY_HEADER]: "x" })],
  ])("refuses a request with %s", async (_, change) => {
    expect(await send("GET", "/api/history", change(open.headers))).toMatchObject({
      status: 401,
      code: "UPB-PAGE-NO-SESSION",
    });
  });

  it.each([
    ["a name that was rebound to 127.0.0.1", { host: "evil.example" }],
    ["its own address under another port", { host: "127.0.0.1:1" }],
    ["the name localhost", { host: "localhost" }],
  ])("refuses %s, the document too", async (_, headers) => {
    for (const path of ["/", "/api/session"]) {
      expect(await send("GET", path, { ...open.headers, ...headers })).toMatchObject({
        status: 403,
        code: "UPB-PAGE-FOREIGN",
      });
    }
  });

  it.each([
    ["another site", { origin: "https://evil.example" }],
    ["another port of this machine", { origin: "http://127.0.0.1:1" }],
    ["a sandboxed frame", { origin: "null" }],
    ["a page of the same site", { "sec-fetch-site": "same-site" }],
  ])("refuses what %s asks for, even with the whole session", async (_, headers) => {
    const sent = await send("POST", "/api/changes", { ...open.headers, ...headers }, CHECK);
    expect(sent).toMatchObject({ status: 403, code: "UPB-PAGE-FOREIGN" });
  });

  it("refuses a change without an Origin", async () => {
    const { origin: _, ...headers } = open.headers;
    expect((await send("POST", "/api/changes", headers, CHECK)).code).toBe("UPB-PAGE-FOREIGN");
  });

  it("lets a page that was opened for reading change nothing", async () => {
    const { headers } = await openSession("read");
    expect((await send("GET", "/api/session", headers)).status).toBe(200);
    for (const path of [
      "/api/changes",
      "/api/services/orchestrator/restart",
      "/api/services/orchestrator/disable",
      "/api/manager/start",
    ]) {
      expect((await send("POST", path, headers, CHECK)).code).toBe("UPB-PAGE-NOT-ALLOWED");
    }
  });

  it("keeps what the services run as to administrators", async () => {
    const { headers } = await openSession("change");
    const stop = await send("POST", "/api/services/orchestrator/stop", headers, {});
    expect(stop.code).toBe("UPB-PAGE-NOT-ALLOWED");
    const restart = await send("POST", "/api/services/orchestrator/restart", headers, {});
    expect(restart.code).toBe("UPB-LOCAL-NOT-RUNNING"); // allowed, and nobody is there
  });

  it("takes a change, not a path or a command", async () => {
    const body = { kind: "install", product: "kiosk", path: "/tmp/evil" };
    expect((await send("POST", "/api/changes", open.headers, body)).code).toBe(
      "UPB-LOCAL-BAD-REQUEST",
    );
  });

  it("allows no script, style or request but its own", async () => {
    const { headers, body } = await send("GET", "/");
    const policy = String(headers["content-security-policy"]);
    const nonce = /'nonce-([\w-]+)'/.exec(policy)?.[1] ?? "none";
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self' 'nonce-");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(body).toContain(`content="${nonce}"`);
    expect(body).not.toMatch(/https?:\/\//);
    const again = await send("GET", "/");
    expect(again.headers["content-security-policy"]).not.toBe(policy); // a new nonce each time
  });

  it("forgets a session that nobody used for a working day", async () => {
    clock.nowMs += 13 * 3_600_000;
    expect((await send("GET", "/api/session", open.headers)).code).toBe("UPB-PAGE-NO-SESSION");
  });

  it("serves no file but the built ones", async () => {
    for (const path of ["/assets/../../../package.json", "/assets/%2e%2e/%2e%2e/package.json"]) {
      const { body } = await send("GET", path);
      expect(body).not.toContain("devDependencies");
    }
  });
});

const CHECK = { kind: "check" };
