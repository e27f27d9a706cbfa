import { readdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectRefusal, world } from "../support/trustingDevice.ts";

/** A genuine but older state of the repository is served to a device that knows a newer one. */
describe("a rolled-back set", () => {
  let at: Awaited<ReturnType<typeof world>>;
  let old: Map<string, Uint8Array>;

  beforeEach(async () => {
    at = await world();
    old = new Map(at.simulator.files);
    at.simulator.publish("targets", "stable");
    at.simulator.publish("stable");
    await at.device.refresh();
  });
  afterEach(() => at.close());

  const serveOld = () => {
    for (const path of at.simulator.files.keys()) at.simulator.files.delete(path);
    for (const [path, bytes] of old) at.simulator.files.set(path, bytes);
  };

  it("is refused", async () => {
    serveOld();
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-ROLLBACK", at.device, before);
  });

  it("is refused when the whole cache was lost", async () => {
    for (const name of readdirSync(at.device.folder)) {
      if (name !== "marks.state") rmSync(join(at.device.folder, name), { recursive: true });
    }
    serveOld();
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-ROLLBACK", at.device, before);
  });

  it("is refused when every file of the cache was truncated", async () => {
    for (const name of readdirSync(at.device.folder)) {
      if (name.endsWith(".json")) truncateSync(join(at.device.folder, name), 20);
    }
    serveOld();
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-ROLLBACK", at.device, before);
  });

  it("is refused when the marks were lost but the cache was not", async () => {
    rmSync(join(at.device.folder, "marks.state"));
    serveOld();
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-ROLLBACK", at.device, before);
  });

  it("is refused when only the timestamp goes back, by the cache as by the marks", async () => {
    at.simulator.publish("timestamp");
    await at.device.refresh();
    at.simulator.document("timestamp").version = 3;
    at.simulator.put("timestamp");
    for (const lost of ["", "timestamp.json"]) {
      const before = at.device.disk();
      rmSync(join(at.device.folder, lost || "marks.state"));
      const mayChange = ["marks.state", lost];
      const attempt = at.device.refresh();
      await expectRefusal(attempt, "UPB-TRUST-ROLLBACK", at.device, before, mayChange);
      at.simulator.document("timestamp").version = 4;
      at.simulator.put("timestamp");
      await at.device.refresh();
      at.simulator.document("timestamp").version = 3;
      at.simulator.put("timestamp");
    }
  });

  it("is refused when only one role goes back and the marks were lost", async () => {
    rmSync(join(at.device.folder, "marks.state"));
    at.simulator.document("stable").version = 0;
    at.simulator.publish("stable");
    const before = at.device.disk();
    const mayChange = ["timestamp.json", "marks.state"];
    await expectRefusal(at.device.refresh(), "UPB-TRUST-ROLLBACK", at.device, before, mayChange);
  });

  it("is refused when only one role goes back, under a new snapshot", async () => {
    at.simulator.document("stable").version = 0;
    at.simulator.publish("stable");
    const before = at.device.disk();
    const mayChange = ["timestamp.json", "marks.state"];
    await expectRefusal(at.device.refresh(), "UPB-TRUST-ROLLBACK", at.device, before, mayChange);
  });

  it("is refused when a role disappears from the snapshot, also after a lost cache", async () => {
    delete (at.simulator.document("snapshot").meta as Record<string, unknown>)["beta.json"];
    at.simulator.publish("snapshot");
    rmSync(join(at.device.folder, "snapshot.json"));
    const before = at.device.disk();
    const mayChange = ["timestamp.json", "marks.state"];
    await expectRefusal(at.device.refresh(), "UPB-TRUST-ROLLBACK", at.device, before, mayChange);
  });

  it("is not offered from the cache when somebody puts old files there", async () => {
    const { metadataStore } = await import("../../content/metadataStore.ts");
    const store = metadataStore(at.device.folder);
    for (const role of ["timestamp", "snapshot", "targets"]) {
      const name = role === "timestamp" ? role : `1.${role}`;
      store.write(role, old.get(`metadata/${name}.json`) ?? new Uint8Array());
    }
    expect(await at.device.openCached()).toBeUndefined();
  });
});

describe("a lost or truncated cache", () => {
  it("is made again from the shipped root when the server is honest", async () => {
    const at = await world();
    at.simulator.rotateKeys("timestamp");
    at.simulator.publish("root", "timestamp");
    await at.device.refresh();
    const good = at.device.disk();
    for (const name of readdirSync(at.device.folder)) {
      if (name.endsWith(".json")) truncateSync(join(at.device.folder, name), 0);
    }
    truncateSync(join(at.device.folder, "roots/2.root.json"), 5);
    const set = await at.device.refresh();
    expect(set.versions).toEqual({ root: 2, timestamp: 2, snapshot: 1, targets: 1 });
    expect(at.device.disk()).toEqual(good);
    await at.close();
  });
});
