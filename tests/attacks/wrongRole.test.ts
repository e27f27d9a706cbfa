import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { httpTargetReader } from "../../content/metadataSource.ts";
import { readIndex, readUpdate } from "../../content/releases.ts";
import { Channel, Product, Version } from "../../protocol/ids.ts";
import { expectRefusal, world } from "../support/trustingDevice.ts";
import { encode, type Json } from "../support/trustSimulator.ts";

/** Who may sign for one channel tries to ship to another. */
describe("the wrong role", () => {
  let at: Awaited<ReturnType<typeof world>>;
  const stable = Channel.parse("stable");
  const kiosk = Product.parse("kiosk");
  const version = Version.parse("2.0");
  const manifest: Json = {
    schema: "upbeat.manifest/1.0",
    product: "kiosk",
    version: "2.0",
    channel: "stable",
    title: "Kiosk",
    classification: "update",
    publishedAt: "2026-06-01T00:00:00Z",
    handler: "none",
  };

  beforeEach(async () => {
    at = await world();
    await at.device.refresh();
  });
  afterEach(() => at.close());

  it("can't publish under another channel's path: nobody asks it", async () => {
    at.simulator.addTarget("beta", "stable/kiosk/2.0.json", encode(manifest));
    at.simulator.publish("beta");
    const set = await at.device.refresh();
    const before = at.device.disk();
    const read = httpTargetReader(at.server.url);
    expect(await readUpdate(set, read, stable, kiosk, version)).toBeUndefined();
    expect({ ...at.device.disk(), "stable.json": "" }).toEqual({ ...before, "stable.json": "" });
    expect(at.server.requests).not.toContain("metadata/2.beta.json");
  });

  it("can't sign another channel's role", async () => {
    at.simulator.keys.set("stable", at.simulator.keys.get("beta") ?? []);
    at.simulator.addTarget("stable", "stable/kiosk/2.0.json", encode(manifest));
    at.simulator.publish("stable");
    const set = await at.device.refresh();
    const before = at.device.disk();
    const search = set.findTarget("stable/kiosk/2.0.json");
    await expectRefusal(search, "UPB-TRUST-SIGNATURES", at.device, before);
  });

  it("can't sign the timestamp with the snapshot's key", async () => {
    at.simulator.keys.set("timestamp", at.simulator.keys.get("snapshot") ?? []);
    at.simulator.publish("timestamp");
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-SIGNATURES", at.device, before);
  });

  it("can't pass a snapshot off as a timestamp", async () => {
    at.simulator.document("timestamp")._type = "snapshot";
    at.simulator.publish("timestamp");
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-MALFORMED", at.device, before);
  });

  it("can't put one update's manifest under another's name", async () => {
    at.simulator.addTarget("stable", "stable/kiosk/3.0.json", encode(manifest));
    at.simulator.publish("stable");
    const set = await at.device.refresh();
    await set.findTarget("stable/kiosk/3.0.json");
    const before = at.device.disk();
    const read = httpTargetReader(at.server.url);
    const update = readUpdate(set, read, stable, kiosk, Version.parse("3.0"));
    await expectRefusal(update, "UPB-TRUST-WRONG-SOFTWARE", at.device, before);
  });

  it("can't put one product's index under another's name", async () => {
    const index = { schema: "upbeat.index/1", product: "other", channel: "stable", updates: [] };
    at.simulator.addTarget("stable", "stable/kiosk/index", encode(index));
    at.simulator.publish("stable");
    const set = await at.device.refresh();
    await set.findTarget("stable/kiosk/index");
    const before = at.device.disk();
    const read = readIndex(set, httpTargetReader(at.server.url), stable, kiosk);
    await expectRefusal(read, "UPB-TRUST-WRONG-SOFTWARE", at.device, before);
  });
});
