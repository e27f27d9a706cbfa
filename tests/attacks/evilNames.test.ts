import { existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectRefusal, world } from "../support/trustingDevice.ts";
import { type Json, newTestKey } from "../support/trustSimulator.ts";

/** Names in metadata are chosen by whoever signs; they end up in URLs, files and objects. */
describe("an evil name", () => {
  let at: Awaited<ReturnType<typeof world>>;
  beforeEach(async () => {
    at = await world();
  });
  afterEach(() => at.close());

  const delegateTo = (name: string) => {
    const key = newTestKey();
    const targets = at.simulator.document("targets");
    const delegations = targets.delegations as { keys: Json; roles: Json[] };
    delegations.keys[key.id] = key.publicKey;
    const role = { name, paths: ["*"], terminating: false, keyids: [key.id], threshold: 1 };
    delegations.roles.push(role);
    at.simulator.keys.set(name, [key]);
    const { _type = "", spec_version = "", expires = "" } = targets;
    at.simulator.signed.set(name, { _type, spec_version, expires, version: 0, targets: {} });
    at.simulator.publish(name, "targets");
  };

  for (const name of [
    "../evil",
    "..",
    "/etc/evil",
    "?",
    "#",
    "a\0b",
    "marks.state",
    "roots/1.root",
  ]) {
    it(`of a role, ${JSON.stringify(name)}, stays inside the store and the server's folder`, async () => {
      delegateTo(name);
      const set = await at.device.refresh();
      expect(await set.findTarget("missing")).toBeUndefined();
      const file = `1.${encodeURIComponent(name)}.json`;
      expect(at.server.requests).toContain(`metadata/${file}`);
      expect(existsSync(join(dirname(at.device.folder), "evil.json"))).toBe(false);
      expect(Object.keys(at.device.disk())).toContain(`${encodeURIComponent(name)}.json`);
      expect((await at.device.refresh()).versions.targets).toBe(2);
    });
  }

  it("of a role, 10,000 characters long, is kept under its hash", async () => {
    delegateTo("x".repeat(10_000));
    await (await at.device.refresh()).findTarget("missing");
    expect(Object.keys(at.device.disk()).some((name) => name.startsWith("sha256="))).toBe(true);
  });

  for (const name of ["root", "timestamp", "snapshot", "targets", ""]) {
    it(`of a role, ${JSON.stringify(name)}, is refused as a delegation`, async () => {
      await at.device.refresh();
      const delegations = at.simulator.document("targets").delegations as { roles: Json[] };
      delegations.roles.push({ name, paths: ["*"], terminating: false, keyids: [], threshold: 1 });
      at.simulator.publish("targets");
      const before = at.device.disk();
      const mayChange = ["timestamp.json", "snapshot.json", "marks.state"];
      await expectRefusal(at.device.refresh(), "UPB-TRUST-MALFORMED", at.device, before, mayChange);
    });
  }

  it("of a target, inherited by every object, is not found", async () => {
    const set = await at.device.refresh();
    for (const path of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      expect(await set.findTarget(path)).toBeUndefined();
    }
  });

  it("of a role, __proto__, is one like any other and protected like any other", async () => {
    delegateTo("__proto__");
    await (await at.device.refresh()).findTarget("missing");
    at.simulator.publish("__proto__");
    await at.device.refresh();
    rmSync(join(at.device.folder, "snapshot.json"));
    at.simulator.document("__proto__").version = 0;
    at.simulator.publish("__proto__");
    const before = at.device.disk();
    const mayChange = ["timestamp.json", "marks.state"];
    await expectRefusal(at.device.refresh(), "UPB-TRUST-ROLLBACK", at.device, before, mayChange);
  });
});
