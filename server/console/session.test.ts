import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConsoleChange, ConsoleSession } from "../../protocol/admin/console.ts";
import { SignerKeys } from "../../protocol/adminApi.ts";
import { callsOf, type ServerProcess, startServer } from "../../tests/support/serverProcess.ts";
import { testPublisher } from "../../tests/support/testPublisher.ts";

let folder: string;
let server: ServerProcess;
let token: string;
const { admin, get, post, json } = callsOf(
  () => server,
  () => token,
);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-session-"));
  server = await startServer(join(folder, "data"));
  token = server.adminToken ?? "";
});
afterAll(async () => {
  // Two hundred aborted streams leave connections that it would wait for.
  await server.stop("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const ours = () => ({ origin: server.url, "sec-fetch-site": "same-origin" });
const signIn = (given: string, headers: Record<string, string> = ours()) =>
  post("/api/v1/session", { token: given }, headers);
/** As a browser keeps it. */
const cookieOf = async (answer: Response | Promise<Response>): Promise<string> =>
  (await answer).headers.get("set-cookie")?.split(";")[0] ?? "";
const signedIn = async () => ({ ...ours(), cookie: await cookieOf(signIn(token)) });

describe("signing in to the admin console", () => {
  it("takes the administration token once, and a cookie that no script can read since", async () => {
    const answer = await signIn(token);
    expect(ConsoleSession.parse(await answer.json()).serverUrl).toBe(server.url);
    const port = new URL(server.url).port;
    expect(answer.headers.get("set-cookie")).toMatch(
      new RegExp(`^upbeat-console-${port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/$`),
    );
    const headers = { ...ours(), cookie: await cookieOf(answer) };
    expect((await get("/api/v1/session", headers)).status).toBe(200);
    expect((await get("/api/v1/devices", headers)).status).toBe(200);
  });

  it("over https keeps the cookie from plain http and from other hosts", async () => {
    const host = new URL(server.url).host;
    const answer = await signIn(token, { origin: `https://${host}` });
    expect(answer.headers.get("set-cookie")).toMatch(
      /^__Host-upbeat-console=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Secure$/,
    );
  });

  it("refuses another token, and after ten tries says so for an hour, but never to the right one", async () => {
    const statuses = [];
    for (let tries = 0; tries < 12; tries++) statuses.push((await signIn("guess")).status);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect((await signIn(token)).status).toBe(200);
  });

  it("lets no other page use the session, whatever its browser sends along", async () => {
    const { cookie } = await signedIn();
    const foreign: Record<string, string>[] = [
      { origin: "http://evil.example" },
      { origin: server.url.replace(/\d+$/, "1") },
      { origin: "null" },
      {},
    ];
    for (const headers of foreign) {
      const answer = await post("/api/v1/enrolment-tokens", {}, { ...headers, cookie });
      expect([answer.status, (await json(answer)).code]).toEqual([403, "UPB-SERVER-FOREIGN"]);
      expect((await signIn(token, headers)).status).toBe(403);
    }
    const read = await get("/api/v1/devices", { cookie, "sec-fetch-site": "same-site" });
    expect(read.status).toBe(403);
  });

  it("asks for the token again when the session was never opened or has ended", async () => {
    const headers = await signedIn();
    const signOut = await fetch(`${server.url}/api/v1/session`, { method: "DELETE", headers });
    expect(signOut.headers.get("set-cookie")).toContain("Max-Age=0");
    for (const cookie of [headers.cookie, "upbeat-console-1=x", "other=1"]) {
      const answer = await get("/api/v1/session", { ...ours(), cookie });
      expect([answer.status, (await json(answer)).code]).toEqual([401, "UPB-SERVER-SIGNED-OUT"]);
    }
    expect((await get("/api/v1/session")).status).toBe(401);
  });

  it("serves a page of strict rules, and nothing beside it", async () => {
    const page = await get("/admin/devices?state=failing");
    // In a checkout the pages may not be built yet; then the server says so.
    expect([200, 503]).toContain(page.status);
    if (page.status === 200) {
      const policy = page.headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain("unsafe");
    }
    expect((await get("/admin/assets/../../../server.db")).status).not.toBe(200);
  });
});

/** The changes that a stream tells, one after the other; undefined: it has ended. */
async function changesFor(headers: Record<string, string>) {
  const ends = new AbortController();
  const answer = await get("/api/v1/changes", headers, ends.signal);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const next = async (): Promise<ConsoleChange | undefined> => {
    for (;;) {
      const found = /data: (.*)\n\n/.exec(text);
      if (found?.[1] !== undefined) {
        text = text.slice(found.index + found[0].length);
        return ConsoleChange.parse(JSON.parse(found[1]));
      }
      const part = await reader?.read();
      if (part?.value === undefined) return undefined;
      text += part.value;
    }
  };
  return { status: answer.status, next, close: () => ends.abort() };
}

describe("the stream of changes", () => {
  it("is for those who are signed in", async () => {
    expect((await changesFor({})).status).toBe(401);
  });

  it("names everything at first, then what has changed, and what comes at once in one line", async () => {
    const stream = await changesFor(await signedIn());
    expect((await stream.next())?.topics).toEqual(["devices", "rollouts", "updates", "trust"]);
    const keys = SignerKeys.parse(await json(get("/api/v1/signer", admin())));
    const publisher = testPublisher(keys, Date.now());
    const first = publisher.first();
    expect((await post("/api/v1/repository", first)).status).toBe(200);
    publisher.taken(first);
    const told = await stream.next();
    expect(told?.topics).toContain("trust");
    for (const version of ["1.0", "1.1", "1.2"]) {
      const update = publisher.add(publisher.manifest({ version }));
      expect((await post("/api/v1/repository", update)).status).toBe(200);
      publisher.taken(update);
    }
    const later = await stream.next();
    expect((later?.atMs ?? 0) - (told?.atMs ?? 0)).toBeGreaterThanOrEqual(999);
    stream.close();
  });

  it("ends with its session", async () => {
    const headers = await signedIn();
    const stream = await changesFor(headers);
    await stream.next();
    await fetch(`${server.url}/api/v1/session`, { method: "DELETE", headers });
    expect(await stream.next()).toBeUndefined();
  });

  it("ends with the server, which does not wait for it", async () => {
    const stream = await changesFor(admin());
    await stream.next();
    expect(await server.stop()).toMatchObject({ code: 0 });
    expect(await stream.next()).toBeUndefined();
    server = await startServer(join(folder, "data"));
  });

  it("is refused to more than two hundred at once, and free again when one of them goes", async () => {
    const headers = await signedIn();
    const streams = await Promise.all(Array.from({ length: 200 }, () => changesFor(headers)));
    expect((await changesFor(headers)).status).toBe(429);
    for (const stream of streams) stream.close();
    let status = 429;
    for (let tries = 0; status === 429 && tries < 500; tries++) {
      const again = await changesFor(headers);
      status = again.status;
      again.close();
    }
    expect(status).toBe(200);
  });
});
