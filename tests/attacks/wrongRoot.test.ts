import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { metadataStore } from "../../content/metadataStore.ts";
import { expectRefusal, world } from "../support/trustingDevice.ts";
import { trustSimulator } from "../support/trustSimulator.ts";

/** Another repository, complete and valid in itself, takes the place of ours. */
describe("the wrong root", () => {
  let at: Awaited<ReturnType<typeof world>>;
  beforeEach(async () => {
    at = await world();
  });
  afterEach(() => at.close());

  it("is not followed: a whole other repository is refused", async () => {
    const other = trustSimulator();
    other.publish("root", "targets");
    for (const [path, bytes] of other.files) at.simulator.files.set(path, bytes);
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-SIGNATURES", at.device, before);
  });

  it("is not believed for lying in the cache", async () => {
    const other = trustSimulator();
    other.publish("root");
    const store = metadataStore(at.device.folder);
    const evil = other.files.get("metadata/2.root.json") ?? new Uint8Array();
    store.write("root", evil);
    store.writeRoot(2, evil);
    expect((await at.device.refresh()).versions.root).toBe(1);
  });

  it("is refused when it was shipped damaged, before the server is asked", async () => {
    for (const damage of ["", "{}", '{"signatures":[],"signed":{}}', "<html>"]) {
      at.device.trustedRoot = Buffer.from(damage);
      const before = at.device.disk();
      await expectRefusal(at.device.refresh(), "UPB-TRUST-ROOT", at.device, before);
    }
    const text = Buffer.from(at.simulator.firstRoot).toString("utf8");
    at.device.trustedRoot = Buffer.from(text.replace('"threshold":2', '"threshold":1'));
    await expectRefusal(at.device.refresh(), "UPB-TRUST-ROOT", at.device, at.device.disk());
    expect(at.server.requests).toEqual([]);
  });

  it("can't be offered without end", async () => {
    await at.device.refresh();
    for (let count = 0; count < 300; count++) at.simulator.publish("root");
    await expect(at.device.refresh()).rejects.toMatchObject({ code: "UPB-TRUST-TOO-MANY-ROOTS" });
    expect((await at.device.refresh()).versions.root).toBe(301);
  });
});
