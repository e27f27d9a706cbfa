/**
 * Whoever holds the server, but not the channel's key, tries to widen what a machine is offered: to
 * lift a hold, to forget it, to speak for it. Against a real orchestrator over HTTP.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canonicalJson } from "../../protocol/canonicalJson.ts";
import { type OrchestratedDevice, orchestratedDevice } from "../support/orchestratedDevice.ts";
import { type Json, sha256 } from "../support/trustSimulator.ts";

const PATH = "stable/-/policy";
let device: OrchestratedDevice;

const policy = (revision: number, fields: object = {}): Uint8Array =>
  canonicalJson(
    JSON.parse(
      JSON.stringify({
        schema: "upbeat.policy/1.0",
        channel: "stable",
        revision,
        issuedAt: "2026-01-01T00:00:00Z",
        ...fields,
      }),
    ),
  );
const HOLD = {
  id: "H-1",
  text: "The screen stays dark",
  updates: {},
  createdAt: "2026-01-01T00:00:00Z",
};
const held = policy(1, { holds: [HOLD] });
const free = policy(2);

const sign = (bytes: Uint8Array, role = "stable", path = PATH) => {
  device.simulator.addTarget(role, path, bytes);
  device.simulator.publish(role);
};
const fileOf = (bytes: Uint8Array) => `targets/stable/-/${sha256(bytes)}.policy`;
/** What the next check finds, whatever it thinks of the server. */
const nextCheck = async () => {
  const { state, error } = await device.check();
  const { offers } = await device.orchestrator.status();
  return { state, code: error?.code, offers: offers.length };
};
/** After a check that fails, the last good one counts. */
const refused = (code: string) => ({ state: "failed", code, offers: 0 });

beforeEach(async () => {
  device = await orchestratedDevice(["kiosk"]);
  sign(held);
  device.publish("kiosk", "1.0");
  expect(await nextCheck()).toEqual({ state: "succeeded", code: undefined, offers: 0 });
});
afterEach(() => device.close());

describe("a hold can't be lifted", () => {
  it("by other bytes under the signed name", async () => {
    const changed = Buffer.from(Buffer.from(held).toString().replace("H-1", "H-2"));
    const again = policy(2, { holds: [HOLD] });
    sign(again);
    device.simulator.files.set(fileOf(again), Buffer.from(free));
    expect((await nextCheck()).code).toMatch(/^UPB-(?:TRUST|FETCH)-/);
    device.simulator.files.set(fileOf(again), changed);
    expect((await nextCheck()).code).toMatch(/^UPB-(?:TRUST|FETCH)-/);
    device.simulator.files.set(fileOf(again), again);
    expect(await nextCheck()).toEqual({ state: "succeeded", code: undefined, offers: 0 });
  });

  it("by keeping the bytes back", async () => {
    const again = policy(2, { holds: [HOLD] });
    sign(again);
    device.simulator.files.delete(fileOf(again));
    expect(await nextCheck()).toEqual(refused("UPB-TRUST-MISSING"));
  });

  it("by signing with the keys that a server holds, or with another channel's", async () => {
    const { keys } = device.simulator;
    const own = keys.get("stable") ?? [];
    for (const thief of ["timestamp", "snapshot", "beta"]) {
      keys.set("stable", keys.get(thief) ?? []);
      sign(free);
      expect(await nextCheck()).toEqual(refused("UPB-TRUST-SIGNATURES"));
    }
    keys.set("stable", own);
    sign(free);
    expect((await nextCheck()).offers).toBe(1);
  });

  it("by a policy that nobody signed, or that another channel signed for it", async () => {
    device.simulator.files.set(fileOf(free), free);
    device.simulator.files.set(`targets/${PATH}`, free);
    sign(free, "beta");
    expect((await nextCheck()).offers).toBe(0);
  });

  it("by showing the signed state from before it", async () => {
    const { simulator } = device;
    const before = new Map(simulator.files);
    const again = policy(2, { holds: [HOLD, { ...HOLD, id: "H-2" }] });
    sign(again);
    expect((await nextCheck()).state).toBe("succeeded");
    simulator.files.clear();
    for (const [path, bytes] of before) simulator.files.set(path, bytes);
    expect(await nextCheck()).toEqual(refused("UPB-TRUST-ROLLBACK"));
  });

  it("by dropping it from the channel's role without the channel's key", async () => {
    const targets = device.simulator.document("stable")["targets"] as Json;
    delete targets[PATH];
    const own = device.simulator.keys.get("stable") ?? [];
    device.simulator.keys.set("stable", device.simulator.keys.get("snapshot") ?? []);
    device.simulator.publish("stable");
    expect(await nextCheck()).toEqual(refused("UPB-TRUST-SIGNATURES"));
    device.simulator.keys.set("stable", own);
  });
});

describe("a policy that the right key signed and the machine can't use", () => {
  it.each([
    ["is of a later major version", policy(2, { schema: "upbeat.policy/2.0" })],
    ["speaks for another channel", policy(2, { channel: "beta" })],
    ["is not JSON", Buffer.from("{")],
    ["has a hold without words", policy(2, { holds: [{ ...HOLD, text: "" }] })],
  ])("because it %s means that nothing is offered, and says so", async (_what, bytes) => {
    sign(bytes);
    const { check } = await device.check();
    expect(check?.offers).toEqual([]);
    expect(check?.notOffered).toMatchObject([{ version: "1.0", reason: "policy-unreadable" }]);
  });
});

describe("a policy that the right key signed by mistake", () => {
  const unreadable = async () => {
    const { check } = await device.check();
    return check?.offers.length === 0 && check.notOffered[0]?.reason === "policy-unreadable";
  };

  it("and that goes back to a revision of before is not followed, over restarts too", async () => {
    sign(policy(5));
    expect((await nextCheck()).offers).toBe(1);
    sign(policy(4));
    expect(await unreadable()).toBe(true);
    await device.restartOrchestrator();
    expect(await unreadable()).toBe(true);
    sign(policy(6));
    expect((await nextCheck()).offers).toBe(1);
  });

  it("and that is gone is missed, not taken for leave to offer everything", async () => {
    delete (device.simulator.document("stable")["targets"] as Json)[PATH];
    device.simulator.publish("stable");
    expect(await unreadable()).toBe(true);
  });
});

describe("what is on the machine's disk", () => {
  it("can't lift it either: the cached policy is checked like one from the network", async () => {
    const folder = device.paths.orchestratorState;
    const cached = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .map((name) => join(folder, name))
      .filter((name) => name.endsWith(sha256(held)) && statSync(name).isFile());
    expect(cached).toHaveLength(1);
    for (const file of cached) writeFileSync(file, free);
    expect((await nextCheck()).offers).toBe(0);
    expect(sha256(readFileSync(cached[0] ?? ""))).toBe(sha256(held));
  });
});
