import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SignerKeys } from "../protocol/adminApi.ts";
import { EnrolResponse, EnrolToken } from "../protocol/deviceApi.ts";
import { signRequest } from "../protocol/requestSignature.ts";
import { callsOf, type ServerProcess, startServer } from "../tests/support/serverProcess.ts";
import { testPublisher } from "../tests/support/testPublisher.ts";

let folder: string;
let data: string;
let server: ServerProcess;
let token: string;

const { admin, get, post, json } = callsOf(
  () => server,
  () => token,
);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-devices-"));
  data = join(folder, "data");
  server = await startServer(data);
  token = server.adminToken ?? "";
  const keys = SignerKeys.parse(await json(get("/api/v1/signer", admin())));
  await post("/api/v1/repository", testPublisher(keys, Date.now()).first());
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("a device", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const publicText = publicKey.export({ format: "jwk" }).x ?? "";
  const event = {
    id: randomUUID(),
    atMs: Date.now(),
    kind: "check" as const,
    outcome: "evaluated" as const,
  };
  let deviceId: string;
  let secret: string;

  const enrol = (body: object) => post("/api/v1/devices/enrol", body, {});
  const report = (
    {
      key = privateKey,
      id = deviceId,
      nowMs = Date.now(),
    }: { key?: KeyObject; id?: string; nowMs?: number } = {},
    batch: object = {
      batchId: randomUUID(),
      sentMs: Date.now(),
      inventory: { facts: { "os.id": "debian" }, products: [] },
      events: [event],
    },
  ) => {
    const path = `/api/v1/devices/${id}/reports`;
    const body = Buffer.from(JSON.stringify(batch));
    const url = `${server.url}${path}`;
    const headers = signRequest({ method: "POST", url, body, keyId: id, privateKey: key, nowMs });
    return { send: () => post(path, body.toString(), headers) };
  };

  it("enrols once with a token that names the first root, and gets the same answer again", async () => {
    const made = await json(post("/api/v1/enrolment-tokens", {}));
    const parsed = EnrolToken.parse(made.token);
    const root = Buffer.from(await (await get("/metadata/1.root.json")).arrayBuffer());
    expect(createHash("sha256").update(root).digest("hex")).toBe(parsed.rootSha256);
    secret = parsed.secret;
    const body = { token: secret, publicKey: publicText, name: "till" };
    ({ deviceId } = EnrolResponse.parse(await json(enrol(body))));
    expect(await json(enrol(body))).toEqual({ deviceId });
    const other = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }).x;
    const second = await enrol({ ...body, publicKey: other });
    expect([second.status, (await json(second)).code]).toEqual([403, "UPB-SERVER-ENROLMENT-TOKEN"]);
  });

  it("reports twice and is counted once", async () => {
    for (let count = 0; count < 2; count++)
      expect(await json(report().send())).toEqual({ accepted: [event.id] });
    const { devices } = await json(get("/api/v1/devices", admin()));
    expect(devices).toMatchObject([{ deviceId, name: "till", lastEvent: { id: event.id } }]);
    const detail = await json(get(`/api/v1/devices/${deviceId}`, admin()));
    expect(detail).toMatchObject({ facts: { "os.id": "debian" }, events: [{ id: event.id }] });
    expect(detail.events).toHaveLength(1);
  });

  it("is not believed with another key, an old signature, a repeated or an unsigned request", async () => {
    const repeated = report();
    expect((await repeated.send()).status).toBe(200);
    const other = generateKeyPairSync("ed25519").privateKey;
    for (const answer of [
      await report({ key: other }).send(),
      await report({ nowMs: Date.now() - 400_000 }).send(),
      await repeated.send(),
      await post(`/api/v1/devices/${deviceId}/reports`, "{}", {}),
      await report({ id: `dev-${"0".repeat(32)}` }).send(),
    ]) {
      expect(answer.status).toBe(401);
      expect(answer.headers.get("date")).not.toBeNull();
      expect(await json(answer)).toMatchObject({ code: "UPB-SERVER-SIGNATURE" });
    }
  });

  it("tells what its troubleshooter found, is counted by cause, and can take it back", async () => {
    const finding = {
      cause: "clock-wrong",
      severity: "problem",
      title: "The clock of this machine is wrong",
      object: "clock",
      evidence: ["it is 3 h behind"],
      remedy: "Set it",
      consequences: ["checks-fail"],
      repaired: false,
    };
    const settled = { ...finding, cause: "disk-full", repaired: true };
    const findings = [finding, { ...finding, object: "another" }, settled];
    const diagnosis = { atMs: Date.now(), checks: 20, unknown: [], findings };
    const tell = async (told: object | null) => {
      const batch = { batchId: randomUUID(), sentMs: Date.now(), events: [], diagnosis: told };
      expect((await report({}, batch).send()).status).toBe(200);
    };
    const causes = async () => (await json(get("/api/v1/causes", admin()))).causes;
    const shown = async () =>
      (await json(get(`/api/v1/devices/${deviceId}`, admin()))).diagnosis as unknown;
    expect(await causes()).toEqual([]);
    await tell(diagnosis);
    await report().send(); // says nothing of it, so it stays
    expect(await shown()).toEqual(diagnosis);
    expect(await causes()).toMatchObject([
      { cause: "clock-wrong", devices: 1, newest: { deviceId, name: "till" } },
    ]);
    expect((await get("/api/v1/causes", {})).status).toBe(401);
    await tell(null);
    expect(await shown()).toBeUndefined();
    expect(await causes()).toEqual([]);
  });

  it("with an unknown token is turned away, and after ten tries for an hour", async () => {
    const body = { token: "x".repeat(32), publicKey: publicText.replace(/^./, "B"), name: "thief" };
    const statuses = [];
    for (let count = 0; count < 11; count++) statuses.push((await enrol(body)).status);
    expect(new Set(statuses)).toEqual(new Set([403, 429]));
    expect((await json(get("/api/v1/devices", admin()))).devices).toHaveLength(1);
  });

  it("is still known after kill -9 and a restart", async () => {
    await server.stop("SIGKILL");
    server = await startServer(data);
    expect(await json(get(`/api/v1/devices/${deviceId}`, admin()))).toMatchObject({ name: "till" });
    expect(await json(report().send())).toEqual({ accepted: [event.id] });
  });
});
