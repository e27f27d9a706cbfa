import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { httpTargetReader } from "../../content/metadataSource.ts";
import { readIndex } from "../../content/releases.ts";
import { Channel, Product } from "../../protocol/ids.ts";
import { MAX_METADATA_BYTES } from "../../protocol/trust/load.ts";
import { expectRefusal, world } from "../support/trustingDevice.ts";
import type { Json } from "../support/trustSimulator.ts";

/** A server that never stops sending, to fill memory and disk. */
describe("endless data", () => {
  let at: Awaited<ReturnType<typeof world>>;
  let sent = 0;
  beforeEach(async () => {
    at = await world();
    at.simulator.addTarget("stable", "stable/kiosk/index", Buffer.from("one"));
    at.simulator.publish("stable");
    await at.device.refresh();
    at.simulator.publish("targets", "stable");
    sent = 0;
  });
  afterEach(() => at.close());

  const endless = (response: ServerResponse) => {
    const block = Buffer.alloc(64 * 1024, "[");
    const pump = () => {
      while (!response.destroyed) {
        sent += block.length;
        if (!response.write(block)) {
          response.once("drain", pump);
          return;
        }
      }
    };
    response.writeHead(200);
    pump();
  };
  /** What may be in the buffers of two sockets when the device hangs up. */
  const BUFFERS_BYTES = 8 * 1024 * 1024;

  for (const [file, most, mayChange] of [
    ["2.root.json", MAX_METADATA_BYTES.root, []],
    ["timestamp.json", MAX_METADATA_BYTES.timestamp, []],
    ["3.snapshot.json", 1_000, ["timestamp.json", "marks.state"]],
    ["2.targets.json", 2_000, ["timestamp.json", "marks.state", "snapshot.json"]],
  ] as const) {
    it(`as ${file} is cut at the bound`, async () => {
      at.server.faults.set(`metadata/${file}`, (_request, response) => endless(response));
      const before = at.device.disk();
      await expectRefusal(at.device.refresh(), "UPB-FETCH-TOO-LONG", at.device, before, mayChange);
      expect(sent).toBeLessThan(most + BUFFERS_BYTES);
    });
  }

  it("is cut at the bound also when the timestamp claims three gigabytes", async () => {
    const meta = at.simulator.document("timestamp").meta as Record<string, Json>;
    (meta["snapshot.json"] as Json).length = 3_000_000_000;
    at.simulator.document("timestamp").version = 4;
    at.simulator.put("timestamp");
    at.server.faults.set("metadata/3.snapshot.json", (_request, response) => endless(response));
    const before = at.device.disk();
    const mayChange = ["timestamp.json", "marks.state"];
    await expectRefusal(at.device.refresh(), "UPB-FETCH-TOO-LONG", at.device, before, mayChange);
    expect(sent).toBeLessThan(MAX_METADATA_BYTES.snapshot + BUFFERS_BYTES);
  });

  it("as a target is cut at its signed length", async () => {
    const set = await at.device.refresh();
    await set.findTarget("stable/kiosk/index");
    for (const path of at.simulator.files.keys()) {
      if (path.startsWith("targets/")) {
        at.server.faults.set(path, (_request, response) => endless(response));
      }
    }
    const before = at.device.disk();
    const reader = httpTargetReader(at.server.url);
    const read = readIndex(set, reader, Channel.parse("stable"), Product.parse("kiosk"));
    await expectRefusal(read, "UPB-FETCH-TOO-LONG", at.device, before);
    expect(sent).toBeLessThan(BUFFERS_BYTES);
  });
});
