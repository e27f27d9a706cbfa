/** The FleetLock service over HTTP, with clients that know only the protocol and with devices. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { SignerKeys } from "../protocol/adminApi.ts";
import { EnrolResponse, EnrolToken } from "../protocol/deviceApi.ts";
import { LockGroup } from "../protocol/fleetLock.ts";
import { signRequest } from "../protocol/requestSignature.ts";
import { callsOf, type ServerProcess, startServer } from "../tests/support/serverProcess.ts";
import { testPublisher } from "../tests/support/testPublisher.ts";

let folder: string;
let server: ServerProcess;
let token: string;

const { admin, get, post, json } = callsOf(
  () => server,
  () => token,
);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-fleetlock-"));
  server = await startServer(join(folder, "data"));
  token = server.adminToken ?? "";
  const keys = SignerKeys.parse(await json(get("/api/v1/signer", admin())));
  await post("/api/v1/repository", testPublisher(keys, Date.now()).first());
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** As Zincati sends it: no content type, no signature. */
const plainly = (
  call: string,
  group: string,
  id: string,
  headers = { "fleet-lock-protocol": "true" },
) =>
  fetch(`${server.url}/v1/${call}`, {
    method: "POST",
    body: Buffer.from(JSON.stringify({ client_params: { id, group } })),
    headers,
  });
const setGroup = (group: string, settings: object) =>
  post(`/api/v1/fleet-locks/${group}`, settings);
const Groups = z.object({ groups: z.array(LockGroup) });
const holdersOf = async (group: string) => {
  const { groups } = Groups.parse(await json(get("/api/v1/fleet-locks", admin())));
  return groups.find((one) => one.group === group)?.holders.map((one) => one.holder);
};

describe("a lock service", () => {
  it("gives as many slots as the group has, the same machine its own again", async () => {
    await setGroup("workers", { slots: 2, open: true });
    for (const id of ["a", "b", "a"])
      expect((await plainly("pre-reboot", "workers", id)).status).toBe(200);
    const full = await plainly("pre-reboot", "workers", "c");
    expect(full.status).toBe(409);
    expect(await json(full)).toMatchObject({
      kind: "failed_lock_semaphore_full",
      value: expect.stringContaining("2 of 2 slots are held"),
      code: "UPB-FLEETLOCK-FULL",
    });
    for (const id of ["a", "a", "nobody"])
      expect((await plainly("steady-state", "workers", id)).status).toBe(200);
    expect((await plainly("pre-reboot", "workers", "c")).status).toBe(200);
    expect(await holdersOf("workers")).toEqual(["b", "c"]);
  });

  it("lets as many through as there are slots when all ask at once", async () => {
    await setGroup("many", { slots: 3, open: true });
    const statuses = await Promise.all(
      Array.from(
        { length: 20 },
        async (_, at) => (await plainly("pre-reboot", "many", `m${at}`)).status,
      ),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(3);
    expect(await holdersOf("many")).toHaveLength(3);
  });

  it("keeps groups apart, and knows only those that were made", async () => {
    await setGroup("one", { slots: 1, open: true });
    await setGroup("two", { slots: 1, open: true });
    expect((await plainly("pre-reboot", "one", "x")).status).toBe(200);
    expect((await plainly("pre-reboot", "two", "x")).status).toBe(200);
    const unknown = await plainly("pre-reboot", "three", "x");
    expect([unknown.status, (await json(unknown)).kind]).toEqual([400, "unknown_group"]);
  });

  it("takes no slot away when there are fewer of them, and gives none out until they are free", async () => {
    await setGroup("fewer", { slots: 2, open: true });
    await plainly("pre-reboot", "fewer", "a");
    await plainly("pre-reboot", "fewer", "b");
    await setGroup("fewer", { slots: 0, open: true });
    expect(await holdersOf("fewer")).toEqual(["a", "b"]);
    expect((await plainly("pre-reboot", "fewer", "a")).status).toBe(200);
    expect((await plainly("pre-reboot", "fewer", "c")).status).toBe(409);
  });

  it("refuses a request that may have come by mistake", async () => {
    const without = await plainly("pre-reboot", "workers", "a", {} as never);
    expect([without.status, (await json(without)).kind]).toEqual([400, "invalid_client_identity"]);
    for (const [group, id] of [
      ["no group!", "a"],
      ["workers", ""],
      ["workers", "two words"],
      ["workers", "x".repeat(300)],
    ] as const)
      expect((await plainly("pre-reboot", group, id)).status).toBe(400);
    const long = await plainly("pre-reboot", "workers", "x".repeat(10_000));
    expect(long.status).toBe(400);
  });

  it("remembers over kill -9 who holds what", async () => {
    await setGroup("kept", { slots: 1, open: true });
    await plainly("pre-reboot", "kept", "a");
    await server.stop("SIGKILL");
    server = await startServer(join(folder, "data"));
    expect(await holdersOf("kept")).toEqual(["a"]);
    expect((await plainly("pre-reboot", "kept", "b")).status).toBe(409);
  });

  it("lets an administrator free the slot of a machine that does not come back", async () => {
    await setGroup("stuck", { slots: 1, open: true });
    await plainly("pre-reboot", "stuck", "gone");
    const release = (holder: string, headers = admin()) =>
      post("/api/v1/fleet-locks/stuck/release", { holder }, headers);
    expect((await release("gone", {} as never)).status).toBe(401);
    expect((await release("other")).status).toBe(404);
    expect(await json(release("gone"))).toMatchObject({ holders: [] });
    expect((await plainly("pre-reboot", "stuck", "next")).status).toBe(200);
  });

  it("tells Prometheus how many slots are held and since when", async () => {
    await setGroup("seen", { slots: 4, open: true });
    await plainly("pre-reboot", "seen", "a");
    const metrics = await (await get("/metrics")).text();
    expect(metrics).toContain('upbeat_fleet_lock_slots{group="seen"} 4');
    expect(metrics).toContain('upbeat_fleet_lock_holders{group="seen"} 1');
    expect(metrics).toMatch(/oldest_since_seconds\{group="seen"\} \d{10}/);
  });
});

describe("a group that is not open", () => {
  let deviceId: string;
  let key: KeyObject;
  beforeAll(async () => {
    const pair = generateKeyPairSync("ed25519");
    key = pair.privateKey;
    const { secret } = EnrolToken.parse((await json(post("/api/v1/enrolment-tokens", {}))).token);
    const publicKey = pair.publicKey.export({ format: "jwk" }).x;
    const body = { token: secret, publicKey, name: "till" };
    const enrolled = EnrolResponse.parse(await json(post("/api/v1/devices/enrol", body, {})));
    deviceId = enrolled.deviceId;
    await setGroup("closed", { slots: 1 });
  });

  it("gives nothing to strangers, nor to a stranger with the name of a device", async () => {
    const stranger = await plainly("pre-reboot", "closed", "stranger");
    expect([stranger.status, (await json(stranger)).kind]).toEqual([403, "closed_group"]);
    const liar = await plainly("pre-reboot", "closed", deviceId);
    expect([liar.status, (await json(liar)).code]).toEqual([401, "UPB-SERVER-SIGNATURE"]);
    expect(await holdersOf("closed")).toEqual([]);
  });

  it("gives a device that signs its slot, which nobody else can free", async () => {
    const signed = (call: string) => {
      const url = `${server.url}/v1/${call}`;
      const body = Buffer.from(
        JSON.stringify({ client_params: { id: deviceId, group: "closed" } }),
      );
      const more = { keyId: deviceId, privateKey: key, nowMs: Date.now() };
      const headers = signRequest({ method: "POST", url, body, ...more });
      return fetch(url, {
        method: "POST",
        body,
        headers: { "fleet-lock-protocol": "true", ...headers },
      });
    };
    expect((await signed("pre-reboot")).status).toBe(200);
    expect((await plainly("steady-state", "closed", deviceId)).status).toBe(401);
    expect(await holdersOf("closed")).toEqual([deviceId]);
    expect((await signed("steady-state")).status).toBe(200);
    expect(await holdersOf("closed")).toEqual([]);
  });
});
