import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectRefusal, world } from "../support/trustingDevice.ts";
import type { TestKey } from "../support/trustSimulator.ts";

/** A key was stolen, the publisher replaced it, the thief goes on signing. */
describe("a key that was rotated out", () => {
  let at: Awaited<ReturnType<typeof world>>;
  beforeEach(async () => {
    at = await world();
    at.simulator.addTarget("stable", "stable/kiosk/index", Buffer.from("one"));
    at.simulator.publish("stable");
    await at.device.refresh();
  });
  afterEach(() => at.close());

  const keysOf = (role: string): TestKey[] => at.simulator.keys.get(role) ?? [];

  for (const role of ["timestamp", "snapshot", "targets"]) {
    it(`of the role ${role} counts no more`, async () => {
      const stolen = keysOf(role);
      at.simulator.rotateKeys(role);
      at.simulator.publish("root", "targets");
      await at.device.refresh();
      at.simulator.keys.set(role, stolen);
      at.simulator.publish("targets");
      const before = at.device.disk();
      const later = {
        timestamp: [],
        snapshot: ["timestamp.json"],
        targets: ["timestamp.json", "snapshot.json"],
      };
      const mayChange = ["marks.state", ...(later[role as keyof typeof later] ?? [])];
      await expectRefusal(
        at.device.refresh(),
        "UPB-TRUST-SIGNATURES",
        at.device,
        before,
        mayChange,
      );
    });
  }

  it("of a channel counts no more, not even for what the device has kept", async () => {
    expect(await (await at.device.refresh()).findTarget("stable/kiosk/index")).toBeDefined();
    const stolen = keysOf("stable");
    at.simulator.rotateKeys("stable");
    at.simulator.keys.set("stable", stolen);
    at.simulator.publish("targets"); // The role itself stays as the device knows it.
    const set = await at.device.refresh();
    const before = at.device.disk();
    const search = set.findTarget("stable/kiosk/index");
    await expectRefusal(search, "UPB-TRUST-SIGNATURES", at.device, before);
  });

  it("of the root signs no next root", async () => {
    const stolen = keysOf("root");
    at.simulator.rotateKeys("root", 3);
    const fresh = keysOf("root");
    at.simulator.keys.set("root", [...stolen, ...fresh]); // Both thresholds (5.3.4).
    at.simulator.publish("root");
    await at.device.refresh();
    at.simulator.document("root").version = 3;
    at.simulator.put("root", stolen);
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-SIGNATURES", at.device, before);
  });

  it("comes not back by withholding the new roots after the cache was lost", async () => {
    const firstSet = new Map(at.simulator.files);
    at.simulator.rotateKeys("timestamp");
    at.simulator.publish("root", "timestamp");
    await at.device.refresh();
    for (const name of readdirSync(at.device.folder)) {
      if (name !== "marks.state") rmSync(join(at.device.folder, name), { recursive: true });
    }
    at.simulator.files.delete("metadata/2.root.json");
    for (const [path, bytes] of firstSet) at.simulator.files.set(path, bytes);
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-ROLLBACK", at.device, before);
  });
});
