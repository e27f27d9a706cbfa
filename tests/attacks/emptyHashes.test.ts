import { afterEach, beforeEach, describe, it } from "vitest";
import { httpTargetReader } from "../../content/metadataSource.ts";
import { readIndex } from "../../content/releases.ts";
import { Channel, Product } from "../../protocol/ids.ts";
import { expectRefusal, world } from "../support/trustingDevice.ts";
import type { Json } from "../support/trustSimulator.ts";

/** A signature over a length alone would let other bytes of that length in. */
describe("a target without a usable hash", () => {
  let at: Awaited<ReturnType<typeof world>>;
  const PATH = "stable/kiosk/index";
  const stable = Channel.parse("stable");
  const kiosk = Product.parse("kiosk");

  beforeEach(async () => {
    at = await world();
    at.simulator.addTarget("stable", PATH, Buffer.from("one"));
  });
  afterEach(() => at.close());

  const withHashes = async (hashes: Json) => {
    const targets = at.simulator.document("stable").targets as Record<string, Json>;
    targets[PATH] = { length: 3, hashes };
    at.simulator.publish("stable");
    return at.device.refresh();
  };

  for (const [name, hashes, code] of [
    ["no hash at all", {}, "UPB-TRUST-MALFORMED"],
    ["an md5 only", { md5: "0".repeat(32) }, "UPB-TRUST-HASH"],
    ["an empty sha256", { sha256: "" }, "UPB-TRUST-MALFORMED"],
    ["a sha256 that is no text", { sha256: 5 }, "UPB-TRUST-MALFORMED"],
  ] as const) {
    it(`is refused with ${name}`, async () => {
      const set = await withHashes(hashes);
      const before = at.device.disk();
      await expectRefusal(set.findTarget(PATH), code, at.device, before, ["stable.json"]);
    });
  }

  it("is refused when the served bytes have the length and not the hash", async () => {
    at.simulator.publish("stable");
    const set = await at.device.refresh();
    const target = [...at.simulator.files.keys()].find((path) => path.startsWith("targets/")) ?? "";
    at.simulator.files.set(target, Buffer.from("two"));
    await set.findTarget(PATH);
    const before = at.device.disk();
    const read = readIndex(set, httpTargetReader(at.server.url), stable, kiosk);
    await expectRefusal(read, "UPB-TRUST-HASH", at.device, before);
  });
});
