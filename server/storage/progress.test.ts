import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DeviceEvent } from "../../protocol/deviceApi.ts";
import { reportError, UpbeatError } from "../../protocol/errors/error.ts";
import { DeviceId, Sha256 } from "../../protocol/ids.ts";
import { UpdateManifest } from "../../protocol/manifest.ts";
import { type Database, openDatabase } from "./database.ts";
import { storeReport } from "./devices.ts";
import { countProgress } from "./progress.ts";
import { recordUpdates } from "./updates.ts";

const KIOSK = { product: "kiosk", version: "1.0" };
const shaOf = (channel: string): Sha256 =>
  Sha256.parse((channel === "stable" ? "a" : "b").repeat(64));
const device = (number: number): DeviceId =>
  DeviceId.parse(`dev-${String(number).padStart(32, "0")}`);

let folder: string;
let db: Database;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-progress-"));
  db = await openDatabase(join(folder, "server.db"));
  for (const channel of ["stable", "beta"]) {
    const manifest = UpdateManifest.parse({
      schema: "upbeat.manifest/1.0",
      ...KIOSK,
      channel,
      title: "Kiosk",
      classification: "update",
      publishedAt: "2026-06-01T12:00:00Z",
      handler: "none",
    });
    await recordUpdates(db, [{ manifest, sha256: shaOf(channel) }], []);
  }
  for (const number of [1, 2, 3]) {
    const about = {
      name: "till",
      enrolled_ms: 0,
      last_seen_ms: null,
      offering: null,
      diagnosis: null,
    };
    const row = { ...about, device_id: device(number), public_key: String(number) };
    await db
      .insertInto("device")
      .values({ ...row, facts: "{}", products: "[]" })
      .execute();
  }
});
afterEach(async () => {
  await db.destroy();
  rmSync(folder, { recursive: true, force: true });
});

const failure = reportError(new UpbeatError("UPB-HEALTH-FAILED", { object: "kiosk" }));
const event = (state: string, atMs: number, more: object = {}): DeviceEvent =>
  DeviceEvent.parse({
    id: randomUUID(),
    atMs,
    kind: "update-state",
    ...KIOSK,
    manifestSha256: shaOf("stable"),
    state,
    ...more,
  });
const report = (number: number, ...events: DeviceEvent[]) =>
  storeReport(db, device(number), { batchId: randomUUID(), sentMs: 0, events }, 0, async () => {});
const counts = (channel = "stable") => countProgress(db, channel, KIOSK);

describe("the counts of an update", () => {
  it("are of devices, each once in every step that it has reached", async () => {
    await report(1, event("offered", 1), event("downloaded", 2), event("installed", 3));
    await report(2, event("offered", 1), event("failed", 2, { error: failure }));
    await report(3, event("offered", 1));
    await report(2, event("offered", 3), event("failed", 4, { error: failure }));
    expect(await counts()).toEqual({
      offered: 3,
      downloaded: 1,
      installed: 1,
      failed: 1,
      rolledBack: 0,
      errors: [{ code: failure.code, devices: 1 }],
    });
  });

  it("are the same whatever way and however often the reports arrive", async () => {
    const events = [
      event("offered", 1),
      event("failed", 2, { error: failure }),
      event("downloaded", 3),
      event("installed", 4),
    ];
    await report(1, ...events);
    const inOrder = await counts();
    await report(1, ...events.toReversed());
    expect(await counts()).toEqual(inOrder);
    for (const late of events.toReversed()) await report(2, late);
    expect(await counts()).toMatchObject({ offered: 2, failed: 2, installed: 2 });
    // It went well in the end: no error stands.
    expect((await counts()).errors).toEqual([]);
  });

  it("keep channels apart that have an update of the same name", async () => {
    await report(1, event("installed", 1));
    await report(2, event("installed", 1, { manifestSha256: shaOf("beta") }));
    expect(await counts("stable")).toMatchObject({ installed: 1 });
    expect(await counts("beta")).toMatchObject({ installed: 1 });
  });

  it("believe no device about what was never published here, nor about another name", async () => {
    for (let number = 0; number < 50; number++)
      await report(
        1,
        event("installed", number, { manifestSha256: String(number).padStart(64, "0") }),
      );
    await report(2, event("installed", 1, { product: "till", version: "9" }));
    expect(await counts()).toMatchObject({ offered: 1, installed: 1 });
    expect(await db.selectFrom("device_update").selectAll().execute()).toMatchObject([KIOSK]);
  });
});
