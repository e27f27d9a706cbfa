import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEVICE_STATES, FleetQuery } from "../../protocol/admin/fleet.ts";
import { type Database, openDatabase } from "../storage/database.ts";
import { devicesWith, writeLabels } from "../storage/labels.ts";
import { EVERY_DEVICE, label } from "./describe.ts";
import { findDevices } from "./search.ts";

let folder: string;
let db: Database;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-search-"));
  db = await openDatabase(join(folder, "server.db"));
});
afterAll(async () => {
  await db.destroy();
  rmSync(folder, { recursive: true, force: true });
});

interface Known {
  readonly id: string;
  readonly name: string;
  readonly seenMs: number;
  readonly state: (typeof DEVICE_STATES)[number];
  readonly tags: readonly string[];
}

const idOf = (number: number) => `dev-${(number * 0x10_00_01).toString(16).padStart(32, "0")}`;
const labelsOf = ({ state, tags }: Known) => [
  EVERY_DEVICE,
  label.state(state),
  ...tags.map(label.tag),
];

async function keep(devices: readonly Known[]): Promise<void> {
  for (const table of ["device_label", "label_count", "device"] as const)
    await db.deleteFrom(table).execute();
  for (const device of devices) {
    const { id, name, seenMs, state } = device;
    const nameKey = name.toLowerCase();
    const never = { offering: null, diagnosis: null, check_error: null, check_ms: null };
    await db
      .insertInto("device")
      .values({
        ...never,
        device_id: id,
        name,
        public_key: id,
        enrolled_ms: 0,
        last_seen_ms: seenMs,
        facts: "{}",
        products: "[]",
        state,
        error_code: null,
        name_key: nameKey,
        labels: JSON.stringify(labelsOf(device)),
      })
      .execute();
    const before = { deviceId: id, nameKey: "", labels: [] };
    await writeLabels(db, before, { deviceId: id, nameKey, seenMs, labels: labelsOf(device) });
  }
}

const someDevices = fc
  .array(
    fc.record({
      name: fc.stringMatching(/^[aAbB%_\\]{1,3}$/),
      seenMs: fc.integer({ min: 0, max: 5 }),
      state: fc.constantFrom(...DEVICE_STATES),
      tags: fc.uniqueArray(fc.constantFrom("x", "y"), { maxLength: 2 }),
    }),
    { maxLength: 25 },
  )
  .map((devices): Known[] => devices.map((device, at) => ({ ...device, id: idOf(at) })));

const someQuery = fc
  .record(
    {
      q: fc.oneof(
        fc.constantFrom("a", "B", "%", "_", "\\", "tag:x", "tag:none", "dev-", idOf(3)),
        fc.constant(idOf(11).slice(0, 34)),
      ),
      state: fc.constantFrom(...DEVICE_STATES),
      tag: fc.constantFrom("x", "y"),
      seenAfterMs: fc.integer({ min: 0, max: 5 }),
      seenBeforeMs: fc.integer({ min: 0, max: 5 }),
      sort: fc.constantFrom("name", "seen"),
      order: fc.constantFrom("asc", "desc"),
      limit: fc.integer({ min: 1, max: 7 }),
    },
    { requiredKeys: ["sort", "order", "limit"] },
  )
  .map((fields) => FleetQuery.parse(fields));

/** Walked and sorted in small steps, as a million are in large ones. */
const someBounds = fc.record({
  lookingUp: fc.integer({ min: 1, max: 30 }),
  reading: fc.integer({ min: 1, max: 30 }),
  few: fc.integer({ min: 0, max: 30 }),
  counted: fc.constant(100),
});

/** What a person means by it, without any index. */
function expected(devices: readonly Known[], query: FleetQuery): string[] {
  const { q, state, tag, seenAfterMs, seenBeforeMs } = query;
  const says = (it: Known): boolean => {
    if (q === undefined) return true;
    if (q.startsWith("dev-")) return it.id.startsWith(q);
    if (q.startsWith("tag:")) return it.tags.includes(q.slice(4));
    return it.name.toLowerCase().includes(q.toLowerCase());
  };
  const way = query.order === "desc" ? -1 : 1;
  const keyOf = (it: Known) => (query.sort === "seen" ? it.seenMs : it.name.toLowerCase());
  return devices
    .filter(says)
    .filter((it) => state === undefined || it.state === state)
    .filter((it) => tag === undefined || it.tags.includes(tag))
    .filter((it) => seenAfterMs === undefined || it.seenMs >= seenAfterMs)
    .filter((it) => seenBeforeMs === undefined || it.seenMs < seenBeforeMs)
    .toSorted((a, b) => {
      const [one, other] = [keyOf(a), keyOf(b)];
      if (one !== other) return (one < other ? -1 : 1) * way;
      return (a.id < b.id ? -1 : 1) * way;
    })
    .map((it) => it.id);
}

describe("the list of devices", () => {
  it("has exactly what was asked for, in its order, over all pages, and says how many", async () => {
    await fc.assert(
      fc.asyncProperty(
        someDevices,
        fc.array(someQuery, { minLength: 4, maxLength: 8 }),
        someBounds,
        async (devices, queries, bounds) => {
          await keep(devices);
          for (const query of queries) {
            const wanted = expected(devices, query);
            const found: string[] = [];
            let after: string | undefined;
            do {
              const page = await findDevices(db, { ...query, after }, bounds);
              expect(page.matching).toEqual({ devices: wanted.length, exact: true });
              expect(page.devices.length).toBeLessThanOrEqual(query.limit);
              found.push(...page.devices.map((it) => it.deviceId));
              after = page.next;
            } while (after !== undefined);
            expect(found).toEqual(wanted);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("refuses a place that it never named", async () => {
    for (const after of ["x", Buffer.from("[1]").toString("base64url")])
      await expect(findDevices(db, FleetQuery.parse({ after }))).rejects.toMatchObject({
        code: "UPB-SERVER-BAD-REQUEST",
      });
  });
});

describe("labels", () => {
  it("are counted as they are written, whatever changes, and forgotten when nobody has one", async () => {
    const word = fc.uniqueArray(fc.constantFrom("tag:a", "tag:b", "has:c/p@1"), { maxLength: 3 });
    const change = fc.record({
      device: fc.integer({ min: 1, max: 3 }),
      name: fc.constantFrom("one", "two"),
      labels: word,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 20 }), async (changes) => {
        await keep([]);
        const last = new Map<number, { deviceId: string; nameKey: string; labels: string[] }>();
        for (const { device, name, labels } of changes) {
          const before = last.get(device) ?? { deviceId: idOf(device), nameKey: "", labels: [] };
          const now = { deviceId: idOf(device), nameKey: name, labels };
          await writeLabels(db, before, { ...now, seenMs: 1 });
          last.set(device, now);
        }
        const all = [...last.values()];
        for (const one of ["tag:a", "tag:b", "has:c/p@1"]) {
          const having = all.filter((it) => it.labels.includes(one));
          expect(await devicesWith(db, one)).toBe(having.length);
          const rows = await db
            .selectFrom("device_label")
            .selectAll()
            .where("label", "=", one)
            .execute();
          const listed = one.startsWith("has:")
            ? []
            : having.map((it) => [it.nameKey, it.deviceId]);
          expect(rows.map((it) => [it.name_key, it.device_id]).toSorted()).toEqual(
            listed.toSorted(),
          );
        }
        const counted = await db.selectFrom("label_count").select("devices").execute();
        expect(counted.every(({ devices }) => devices > 0)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
