import { afterEach, beforeEach, describe, it } from "vitest";
import { expectRefusal, world } from "../support/trustingDevice.ts";
import type { Json } from "../support/trustSimulator.ts";

/** Genuine files of different states of the repository in one answer. */
describe("a mix of two sets", () => {
  let at: Awaited<ReturnType<typeof world>>;
  beforeEach(async () => {
    at = await world();
    at.simulator.addTarget("stable", "stable/kiosk/index", Buffer.from("one"));
    await at.device.refresh();
    at.simulator.publish("targets", "stable");
    at.simulator.publish("targets", "stable");
  });
  afterEach(() => at.close());

  const swap = (wanted: string, served: string) =>
    at.simulator.files.set(
      `metadata/${wanted}`,
      at.simulator.files.get(`metadata/${served}`) ?? new Uint8Array(),
    );
  const upTo = {
    snapshot: ["timestamp.json", "marks.state"],
    targets: ["timestamp.json", "marks.state", "snapshot.json"],
  };
  /** Repositories without lengths and hashes exist; then the version alone has to tell. */
  const forgetHashes = () => {
    const meta = at.simulator.document("snapshot").meta as Record<string, Json>;
    for (const file of Object.values(meta)) {
      delete file.hashes;
      delete file.length;
    }
    at.simulator.put("snapshot");
    at.simulator.document("timestamp").meta = { "snapshot.json": { version: 3 } };
    at.simulator.put("timestamp");
  };

  it("with another snapshot is refused by its hash", async () => {
    swap("3.snapshot.json", "2.snapshot.json");
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-HASH", at.device, before, upTo.snapshot);
  });

  it("with other targets is refused by their hash", async () => {
    swap("3.targets.json", "2.targets.json");
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-HASH", at.device, before, upTo.targets);
  });

  it("with another snapshot is refused by its version where no hash is signed", async () => {
    forgetHashes();
    swap("3.snapshot.json", "2.snapshot.json");
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-MIXED", at.device, before, upTo.snapshot);
  });

  it("with an older channel role is refused by its version where no hash is signed", async () => {
    forgetHashes();
    swap("3.stable.json", "2.stable.json");
    const set = await at.device.refresh();
    const before = at.device.disk();
    const search = set.findTarget("stable/kiosk/index");
    await expectRefusal(search, "UPB-TRUST-MIXED", at.device, before);
  });

  it("with a root under another version's name is refused", async () => {
    at.simulator.publish("root");
    at.simulator.publish("root");
    swap("2.root.json", "3.root.json");
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-MIXED", at.device, before);
  });

  it("is refused when the named snapshot is missing", async () => {
    at.simulator.files.delete("metadata/3.snapshot.json");
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-MISSING", at.device, before, upTo.snapshot);
  });
});
