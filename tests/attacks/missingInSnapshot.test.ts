import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectRefusal, world } from "../support/trustingDevice.ts";

/** A role that the snapshot does not list has no version that could be checked. */
describe("a delegated role that the snapshot does not list", () => {
  let at: Awaited<ReturnType<typeof world>>;
  beforeEach(async () => {
    at = await world();
    at.simulator.addTarget("stable", "stable/kiosk/index", Buffer.from("one"));
    at.simulator.publish("stable");
    delete (at.simulator.document("snapshot").meta as Record<string, unknown>)["stable.json"];
    at.simulator.publish("snapshot");
  });
  afterEach(() => at.close());

  it("is refused and not even asked for", async () => {
    const set = await at.device.refresh();
    const before = at.device.disk();
    const search = set.findTarget("stable/kiosk/index");
    await expectRefusal(search, "UPB-TRUST-ROLE", at.device, before);
    expect(at.server.requests.filter((path) => path.includes("stable"))).toEqual([]);
  });
});
