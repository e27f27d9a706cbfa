import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DeviceId, Sha256 } from "../../protocol/ids.ts";
import { UpdateManifest } from "../../protocol/manifest.ts";
import { complianceDays, deviceCounts } from "../storage/compliance.ts";
import { type Database, openDatabase } from "../storage/database.ts";
import { recordUpdates } from "../storage/updates.ts";
import { type Fleet, openFleet } from "./fleet.ts";

const DAY_MS = 86_400_000;
const START = Date.parse("2026-06-01T12:00:00Z");

let folder: string;
let db: Database;
let nowMs: number;
let fleet: Fleet;
let told: number;
const open = (): Fleet =>
  openFleet({
    db,
    policyOf: () => undefined,
    now: () => nowMs,
    log: { info: () => {}, error: () => {} },
    changed: () => {
      told += 1;
    },
  });
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-fleet-"));
  db = await openDatabase(join(folder, "server.db"));
  nowMs = START;
  told = 0;
  await publish("1.0");
  fleet = open();
});
afterEach(async () => {
  await fleet.stop();
  await db.destroy();
  rmSync(folder, { recursive: true, force: true });
});

const publish = (version: string) => {
  const manifest = UpdateManifest.parse({
    schema: "upbeat.manifest/1.0",
    product: "kiosk",
    version,
    channel: "stable",
    title: "Kiosk",
    classification: "update",
    publishedAt: "2026-06-01T12:00:00Z",
    handler: "none",
  });
  const sha256 = Sha256.parse(version.padEnd(64, "0").replaceAll(".", "a"));
  return recordUpdates(db, [{ manifest, sha256 }], []);
};

async function addDevice(number: number, version: string): Promise<void> {
  const deviceId = DeviceId.parse(`dev-${String(number).padStart(32, "0")}`);
  const never = { diagnosis: null, check_error: null, check_ms: null, error_code: null };
  await db
    .insertInto("device")
    .values({
      ...never,
      device_id: deviceId,
      name: `till-${number}`,
      public_key: deviceId,
      enrolled_ms: START,
      last_seen_ms: nowMs,
      facts: "{}",
      products: JSON.stringify([{ product: "kiosk", channel: "stable", current: version }]),
      offering: JSON.stringify({
        followed: [{ product: "kiosk", channel: "stable" }],
        layers: [],
        rolledBack: [],
        held: [],
      }),
    })
    .execute();
  await db.transaction().execute((transaction) => fleet.describe(transaction, deviceId));
}

describe("how devices stand", () => {
  it("is worked out again for all of them when something is published", async () => {
    for (let number = 0; number < 250; number++) await addDevice(number, "1.0");
    expect(await deviceCounts(db)).toMatchObject({ "up-to-date": 250, behind: 0 });
    await publish("2.0");
    fleet.refresh();
    await fleet.settled();
    expect(await deviceCounts(db)).toMatchObject({ "up-to-date": 0, behind: 250 });
    expect(told).toBeGreaterThan(0);
  });

  it("is worked out at the next start when the server ended before it was", async () => {
    await addDevice(1, "1.0");
    await fleet.stop();
    await publish("2.0");
    fleet = open();
    await fleet.settled();
    expect(await deviceCounts(db)).toMatchObject({ behind: 1 });
  });

  it("becomes silent by itself, and is kept day by day", async () => {
    await addDevice(1, "1.0");
    fleet.refresh();
    await fleet.settled();
    nowMs += 3 * DAY_MS;
    await addDevice(2, "0.9");
    nowMs += 4 * DAY_MS;
    fleet.refresh();
    await fleet.settled();
    const days = await complianceDays(db, 30, nowMs);
    expect(days.map(({ dayMs }) => new Date(dayMs).toISOString().slice(0, 10))).toEqual([
      "2026-06-01",
      "2026-06-08",
    ]);
    expect(days[0]?.counts).toMatchObject({ "up-to-date": 1, silent: 0 });
    expect(days[1]?.counts).toMatchObject({ "up-to-date": 0, behind: 1, silent: 1 });
    expect(await complianceDays(db, 1, nowMs)).toHaveLength(1);
  });
});
