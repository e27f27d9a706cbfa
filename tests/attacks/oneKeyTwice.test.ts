import { afterEach, beforeEach, describe, it } from "vitest";
import { canonicalJson } from "../../protocol/canonicalJson.ts";
import { expectRefusal, world } from "../support/trustingDevice.ts";
import { encode, type Json, newTestKey, type TestKey } from "../support/trustSimulator.ts";

/** The thief of one key tries to reach a threshold of two. */
describe("one key that signs twice", () => {
  let at: Awaited<ReturnType<typeof world>>;
  let stolen: TestKey;
  beforeEach(async () => {
    at = await world();
    await at.device.refresh();
    stolen = at.simulator.keys.get("root")?.[0] ?? newTestKey();
  });
  afterEach(() => at.close());

  const evilRoot = () => {
    const root = at.simulator.document("root");
    root.version = 2;
    return root;
  };
  const serve = (signed: Json, signers: readonly { keyid: string; key: TestKey }[]) => {
    const canonical = canonicalJson(signed);
    const signatures = signers.map(({ keyid, key }) => ({ keyid, sig: key.sign(canonical) }));
    at.simulator.files.set("metadata/2.root.json", encode({ signatures, signed }));
  };

  it("under its one id is refused", async () => {
    const signer = { keyid: stolen.id, key: stolen };
    serve(evilRoot(), [signer, signer]);
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-MALFORMED", at.device, before);
  });

  it("alone is refused", async () => {
    serve(evilRoot(), [{ keyid: stolen.id, key: stolen }]);
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-SIGNATURES", at.device, before);
  });

  it("under two ids counts once", async () => {
    const root = at.simulator.document("root");
    const key = at.simulator.keys.get("snapshot")?.[0] ?? newTestKey();
    const role = (root.roles as Record<string, Json>).snapshot as Json;
    role.threshold = 2;
    role.keyids = [key.id, "another-name"];
    (root.keys as Json)["another-name"] = key.publicKey;
    at.simulator.publish("root");
    const signed = at.simulator.document("snapshot");
    signed.version = 2;
    const canonical = canonicalJson(signed);
    const signatures = [key.id, "another-name"].map((keyid) => ({
      keyid,
      sig: key.sign(canonical),
    }));
    const bytes = encode({ signatures, signed });
    at.simulator.files.set("metadata/2.snapshot.json", bytes);
    at.simulator.document("timestamp").version = 2;
    at.simulator.document("timestamp").meta = { "snapshot.json": { version: 2 } };
    at.simulator.put("timestamp");
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-SIGNATURES", at.device, before, [
      "root.json",
      "roots/2.root.json",
      "marks.state",
      "timestamp.json",
      "snapshot.json", // Forgotten, because the keys of its role changed (5.3.11).
    ]);
  });

  it("listed twice for a role is refused", async () => {
    const root = evilRoot();
    const role = (root.roles as Record<string, Json>).root as Json;
    role.keyids = [stolen.id, stolen.id];
    at.simulator.put("root");
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-MALFORMED", at.device, before);
  });

  it("is not needed where the threshold is 0: such a role is refused", async () => {
    const root = evilRoot();
    ((root.roles as Record<string, Json>).root as Json).threshold = 0;
    serve(root, []);
    const before = at.device.disk();
    await expectRefusal(at.device.refresh(), "UPB-TRUST-MALFORMED", at.device, before);
  });
});
