import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectRefusal, world } from "../support/trustingDevice.ts";
import { DAY_MS, isoSeconds, NOW_MS } from "../support/trustSimulator.ts";

/** Old metadata is served for ever, so that a machine never hears of an update. */
describe("an expired set", () => {
  let at: Awaited<ReturnType<typeof world>>;
  beforeEach(async () => {
    at = await world();
    await at.device.refresh();
  });
  afterEach(() => at.close());

  it("is refused once the timestamp has expired, from the server and from the cache", async () => {
    at.device.nowMs = NOW_MS + DAY_MS;
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-EXPIRED", at.device, before);
    await expectRefusal(at.device.openCached(), "UPB-TRUST-EXPIRED", at.device, before);
  });

  it("is trusted until the very last moment", async () => {
    at.device.nowMs = NOW_MS + DAY_MS - 1;
    expect((await at.device.refresh()).expiresMs).toBe(NOW_MS + DAY_MS);
    expect((await at.device.openCached())?.expiresMs).toBe(NOW_MS + DAY_MS);
  });

  for (const role of ["snapshot", "targets"]) {
    it(`is refused when only the ${role} has expired under a fresh timestamp`, async () => {
      at.simulator.document(role).expires = isoSeconds(NOW_MS - 1000);
      at.simulator.publish(role);
      const before = at.device.disk();
      const parents = ["timestamp.json", "marks.state"];
      const mayChange = role === "targets" ? [...parents, "snapshot.json"] : parents;
      await expectRefusal(at.device.refresh(), "UPB-TRUST-EXPIRED", at.device, before, mayChange);
    });
  }

  it("is refused when a channel's role has expired, kept or not", async () => {
    at.simulator.document("stable").expires = isoSeconds(NOW_MS + DAY_MS / 2);
    at.simulator.addTarget("stable", "stable/kiosk/index", Buffer.from("x"));
    at.simulator.publish("stable");
    expect(await (await at.device.refresh()).findTarget("stable/kiosk/index")).toBeDefined();
    at.device.nowMs = NOW_MS + DAY_MS / 2;
    const before = at.device.disk();
    const set = await at.device.refresh();
    const mayChange = ["marks.state"];
    const search = set.findTarget("stable/kiosk/index");
    await expectRefusal(search, "UPB-TRUST-EXPIRED", at.device, before, mayChange);
  });

  it("is refused when the last root has expired, and the root itself is kept", async () => {
    at.simulator.document("root").expires = isoSeconds(NOW_MS - 1000);
    at.simulator.publish("root", "targets");
    const before = at.device.disk();
    const mayChange = ["root.json", "roots/2.root.json", "marks.state"];
    await expectRefusal(at.device.refresh(), "UPB-TRUST-EXPIRED", at.device, before, mayChange);
    expect(at.device.disk()["root.json"]).not.toBe(before["root.json"]);
  });
});
