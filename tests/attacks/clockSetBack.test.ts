import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectRefusal, world } from "../support/trustingDevice.ts";
import { DAY_MS, isoSeconds, NOW_MS } from "../support/trustSimulator.ts";

/** With the clock of last year everything of last year is fresh again. */
describe("a clock that was set back", () => {
  let at: Awaited<ReturnType<typeof world>>;
  beforeEach(async () => {
    at = await world();
    await at.device.refresh();
  });
  afterEach(() => at.close());

  it("a year is refused before the server is asked, with and without a cache", async () => {
    at.device.nowMs = NOW_MS - 365 * DAY_MS;
    at.server.requests.length = 0;
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-CLOCK", at.device, before);
    await expectRefusal(at.device.openCached(), "UPB-TRUST-CLOCK", at.device, before);
    rmSync(join(at.device.folder, "timestamp.json"));
    await expectRefusal(at.device.refresh(), "UPB-TRUST-CLOCK", at.device, at.device.disk());
    expect(at.server.requests).toEqual([]);
  });

  it("within a day is tolerated: time zones and small errors are no attack", async () => {
    at.device.nowMs = NOW_MS - DAY_MS + 1;
    expect((await at.device.refresh()).versions.timestamp).toBe(1);
  });

  it("can't be hidden by a clock that was ahead: expired metadata never raises the floor", async () => {
    at.device.nowMs = NOW_MS + 3650 * DAY_MS;
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-EXPIRED", at.device, before);
    at.simulator.document("root").expires = isoSeconds(NOW_MS + 9999 * DAY_MS);
    at.simulator.publish("root");
    await expect(at.device.refresh()).rejects.toMatchObject({ code: "UPB-TRUST-EXPIRED" });
    at.device.nowMs = NOW_MS;
    expect((await at.device.refresh()).versions.root).toBe(2);
  });
});
