/** The way to the server through a real proxy, which alone knows the server's name. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ForwardProxy, startForwardProxy } from "../../../tests/faults/lab/forwardProxy.ts";
import { probeServer } from "./server.ts";

const HOST = "updates.only-the-proxy-knows.test";
let folder: string;
let proxy: ForwardProxy;
let url: URL;
const server = () => {
  const read = (name: string) => readFileSync(join(folder, name));
  return createServer({ key: read("key"), cert: read("cert") }, (_req, res) => {
    res.writeHead(_req.headers.range === undefined ? 200 : 206).end("{}");
  });
};
let listening: ReturnType<typeof server>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-probe-"));
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 9";
  const name = ["-subj", `/CN=${HOST}`, "-addext", `subjectAltName=DNS:${HOST}`];
  const files = ["-keyout", join(folder, "key"), "-out", join(folder, "cert")];
  execFileSync("openssl", [...request.split(" "), ...name, ...files], { stdio: "ignore" });
  const own = readFileSync(join(folder, "cert"), "utf8");
  setDefaultCACertificates([...getCACertificates("default"), own]);
  listening = server();
  await new Promise<void>((done) => listening.listen(0, "127.0.0.1", done));
  const { port } = listening.address() as AddressInfo; // it listens on TCP, so it is one
  url = new URL(`https://${HOST}:${port}`);
  proxy = await startForwardProxy("127.0.0.1", () => "127.0.0.1");
});
afterAll(async () => {
  await proxy.close();
  listening.closeAllConnections();
  listening.close();
  rmSync(folder, { recursive: true, force: true });
});

it("goes through the proxy in every step, and leaves no connection behind", async () => {
  const facts = await probeServer(url, { HTTPS_PROXY: proxy.url });
  expect(facts).toMatchObject({
    proxy: { reached: true, status: 200 },
    tls: { ok: true },
    http: { status: 200, isPage: false },
    clock: { verified: true },
    rangeStatus: 206,
  });
  expect(facts.name).toBeUndefined();
  await expect.poll(() => proxy.open(), { timeout: 5_000 }).toBe(0);
});

it("reads the clock also where the certificate is refused", async () => {
  const other = new URL(url);
  other.hostname = "another.name.test";
  const facts = await probeServer(other, { HTTPS_PROXY: proxy.url });
  expect(facts).toMatchObject({
    tls: { ok: false, error: "ERR_TLS_CERT_ALTNAME_INVALID" },
    clock: { verified: false },
  });
  expect(facts.http).toBeUndefined();
  await expect.poll(() => proxy.open(), { timeout: 5_000 }).toBe(0);
});
