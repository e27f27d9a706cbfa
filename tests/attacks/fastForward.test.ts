import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { world } from "../support/trustingDevice.ts";

/** A thief of online keys signs a version so high that nothing honest can ever follow. */
describe("a fast-forwarded version", () => {
  for (const loseCache of [false, true]) {
    const circumstance = loseCache ? " and without the cache" : "";
    it(`is left behind by rotating the online keys, with the marks in place${circumstance}`, async () => {
      const at = await world();
      for (const role of ["timestamp", "snapshot", "stable"]) {
        at.simulator.document(role).version = Number.MAX_SAFE_INTEGER - 1;
      }
      at.simulator.publish("stable");
      expect((await at.device.refresh()).versions.snapshot).toBe(Number.MAX_SAFE_INTEGER);
      for (const role of ["timestamp", "snapshot", "stable"]) {
        at.simulator.document(role).version = 1;
      }
      at.simulator.rotateKeys("timestamp");
      at.simulator.rotateKeys("snapshot");
      at.simulator.publish("root", "stable");
      if (loseCache) rmSync(join(at.device.folder, "snapshot.json"));
      const set = await at.device.refresh();
      expect(set.versions).toEqual({ root: 2, timestamp: 2, snapshot: 2, targets: 1 });
      await at.close();
    });
  }

  it("of the snapshot is left behind by rotating its key alone", async () => {
    const at = await world();
    at.simulator.document("snapshot").version = Number.MAX_SAFE_INTEGER - 1;
    at.simulator.publish("snapshot");
    await at.device.refresh();
    at.simulator.document("snapshot").version = 1;
    at.simulator.rotateKeys("snapshot");
    at.simulator.publish("root", "snapshot");
    const set = await at.device.refresh();
    expect(set.versions).toEqual({ root: 2, timestamp: 3, snapshot: 2, targets: 1 });
    await at.close();
  });
});
