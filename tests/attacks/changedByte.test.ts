import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { trustingDevice, world } from "../support/trustingDevice.ts";

/**
 * A device that trusts version 1 is offered version 2 with one byte changed. A changed byte may be
 * harmless only in the signatures of the two files that no other file vouches for (root and
 * timestamp): hex digits in the other case, or one signature more than needed.
 */
const FILES = [
  { role: "root", file: "metadata/2.root.json", mayPass: true },
  { role: "timestamp", file: "metadata/timestamp.json", mayPass: true },
  { role: "snapshot", file: "metadata/2.snapshot.json", mayPass: false },
  { role: "targets", file: "metadata/2.targets.json", mayPass: false },
  { role: "stable", file: "metadata/2.stable.json", mayPass: false },
];

describe("a changed byte", () => {
  let it1: Awaited<ReturnType<typeof world>>;
  let original: ReadonlyMap<string, Uint8Array>;
  const PATH = "stable/kiosk/index";

  beforeAll(async () => {
    it1 = await world();
    it1.simulator.addTarget("stable", PATH, Buffer.from("one"));
    await it1.device.refresh();
    it1.simulator.publish("root", "targets", "stable");
    original = new Map(it1.simulator.files);
  });
  afterAll(() => it1.close());

  for (const { role, file, mayPass } of FILES) {
    it(`anywhere in ${file} never changes what a device trusts`, async () => {
      const good = original.get(file) ?? new Uint8Array();
      await fc.assert(
        fc.asyncProperty(
          fc.nat({ max: good.length - 1 }),
          fc.integer({ min: 1, max: 255 }),
          async (at, flip) => {
            const evil = Uint8Array.from(good);
            evil[at] = (good[at] ?? 0) ^ flip;
            it1.simulator.files.set(file, evil);
            const folder = mkdtempSync(join(tmpdir(), "upbeat-byte-"));
            try {
              cpSync(it1.device.folder, folder, { recursive: true });
              const device = trustingDevice(folder, it1.simulator.firstRoot, it1.server.url);
              const before = device.disk();
              const outcome = await device
                .refresh()
                .then((set) => set.findTarget(PATH))
                .catch((error: unknown) => error);
              if (outcome instanceof Error) {
                expect(outcome).toBeInstanceOf(UpbeatError);
                expect((outcome as UpbeatError).code).toMatch(/^UPB-(TRUST|FETCH)-/);
                expect(device.disk()[`${role}.json`]).toBe(before[`${role}.json`]);
              } else {
                expect(mayPass).toBe(true);
                // Whatever passed, the signed part is the one that was signed.
                expect(signedPart(evil)).toEqual(signedPart(good));
              }
            } finally {
              rmSync(folder, { recursive: true, force: true });
              it1.simulator.files.set(file, good);
            }
          },
        ),
        { numRuns: 40 },
      );
    });
  }
});

const signedPart = (bytes: Uint8Array): unknown =>
  JSON.parse(Buffer.from(bytes).toString("utf8")).signed;
