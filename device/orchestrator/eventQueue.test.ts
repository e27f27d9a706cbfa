import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DeviceEvent } from "../../protocol/deviceApi.ts";
import { UpdateRecord } from "../../protocol/updateServiceApi.ts";
import { type OrchestratorDatabase, openDatabase } from "./database.ts";
import { eventQueue } from "./eventQueue.ts";

let folder: string;
let database: OrchestratorDatabase;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-queue-"));
  database = openDatabase(folder, 0);
});
afterEach(() => {
  database.sql.close();
  rmSync(folder, { recursive: true, force: true });
});

const reopen = (): void => {
  database.sql.close();
  database = openDatabase(folder, 1);
};
const check = (): DeviceEvent =>
  DeviceEvent.parse({ id: randomUUID(), atMs: 1, kind: "check", outcome: "unchanged" });
const record = (state: string, sinceMs: number): UpdateRecord =>
  UpdateRecord.parse({
    product: "kiosk",
    version: "1.0",
    manifestSha256: "a".repeat(64),
    state,
    sinceMs,
    jobId: randomUUID(),
  });
const all = (queue: ReturnType<typeof eventQueue>) => queue.oldest(1_000, 1_000_000);

describe("the queue of events", () => {
  it("gives the oldest first, within both bounds, and keeps them until they are removed", () => {
    const queue = eventQueue(database);
    const events = Array.from({ length: 5 }, check);
    for (const event of events) queue.add(event);
    expect(queue.oldest(3, 1_000_000)).toEqual(events.slice(0, 3));
    expect(queue.oldest(5, 1)).toEqual(events.slice(0, 1));
    reopen();
    const after = eventQueue(database);
    expect(after.size()).toBe(5);
    after.remove(events.slice(0, 4).map((event) => event.id));
    expect(all(after)).toEqual(events.slice(4));
  });

  it("makes one event of each state, also over restarts, and the same id when it must make it again", () => {
    const first = eventQueue(database);
    first.addNewStates([record("downloading", 1)], "dev");
    first.addNewStates([record("downloading", 1)], "dev");
    first.addNewStates([record("installed", 2)], "dev");
    const made = all(first);
    expect(made).toMatchObject([{ state: "downloading" }, { state: "installed" }]);
    for (const event of made) expect(DeviceEvent.safeParse(event).success).toBe(true);
    first.remove(made.map((event) => event.id));
    reopen();
    const second = eventQueue(database);
    second.addNewStates([record("installed", 2)], "dev");
    expect(second.size()).toBe(0);
    database.sql.exec("DELETE FROM reported");
    second.addNewStates([record("installed", 2)], "dev");
    expect(all(second)[0]?.id).toBe(made[1]?.id);
  });

  it("drops the oldest checks first when it is full, and states only when nothing else is left", () => {
    const queue = eventQueue(database, 3);
    queue.addNewStates([record("installed", 1)], "dev");
    for (let count = 0; count < 10; count++) queue.add(check());
    expect(queue.size()).toBe(3);
    expect(all(queue).map((event) => event.kind)).toEqual(["update-state", "check", "check"]);
    for (let at = 2; at < 6; at++) queue.addNewStates([record("failed", at)], "dev");
    expect(all(queue).map((event) => event.atMs)).toEqual([3, 4, 5]);
  });
});

describe("decisions", () => {
  const decision = (atMs: number) =>
    ({ id: randomUUID(), atMs, kind: "timing", summary: "Nothing to do." }) as const;
  const HOUR_MS = 3_600_000;

  it("go with what else is told, and alone after an hour", () => {
    const queue = eventQueue(database);
    expect(queue.isDue(0)).toBe(false);
    queue.addDecision(decision(1_000));
    expect(queue.isDue(1_000 + HOUR_MS - 1)).toBe(false);
    expect(queue.isDue(1_000 + HOUR_MS)).toBe(true);
    // The clock was set back.
    expect(queue.isDue(999)).toBe(true);
    queue.add(check());
    expect(queue.isDue(1_000)).toBe(true);
    expect(all(queue)[0]).toMatchObject({ kind: "decision", about: "timing" });
  });
});

describe("the database", () => {
  it("that is damaged in one place keeps the rows that can be read, and the file", () => {
    const queue = eventQueue(database);
    // Enough for many pages, so that the damage hits one of them and not the schema.
    const events = Array.from({ length: 2_000 }, check);
    database.atomically(() => {
      const insert = database.sql.prepare("INSERT INTO events (id, kind, body) VALUES (?, ?, ?)");
      for (const event of events) insert.run(event.id, event.kind, JSON.stringify(event));
    });
    database.remember("plan", { nextCheckMs: 5 });
    expect(queue.size()).toBe(2_000);
    const pages = Number(database.sql.prepare("PRAGMA page_count").get()?.page_count);
    database.sql.close();
    damage(join(folder, "orchestrator.db"), pages);
    database = openDatabase(folder, 7);
    expect(database.movedAside).toContain("damaged-7");
    expect(readdirSync(folder)).toContain("orchestrator.db.damaged-7");
    const rescued = all(eventQueue(database));
    expect(rescued.length).toBeGreaterThan(0);
    expect(rescued[0]).toEqual(events[0]);
  });

  it("that is no database at all is put aside and made anew", () => {
    database.sql.close();
    writeFileSync(join(folder, "orchestrator.db"), "not a database".repeat(1_000));
    database = openDatabase(folder, 8);
    expect(database.movedAside).toContain("damaged-8");
    expect(eventQueue(database).size()).toBe(0);
  });

  it("in a folder that cannot be used says which", () => {
    writeFileSync(join(folder, "file"), "");
    expect(() => openDatabase(join(folder, "file", "state"), 0)).toThrow(
      expect.objectContaining({ code: "UPB-SERVICE-STATE-FOLDER" }),
    );
  });
});

/** Overwrites the last tenth of the pages, where the newest rows are. */
function damage(path: string, pages: number): void {
  const bytes = readFileSync(path);
  bytes.fill(0xff, Math.floor(pages * 0.9) * 4_096);
  writeFileSync(path, bytes);
}
