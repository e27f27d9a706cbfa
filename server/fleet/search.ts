/**
 * The list of devices, a page at a time, made for a million of them.
 *
 * Every filter is a label (`describe.ts`). The rarest of those that are asked for is walked in the
 * order of the list, from where the page before ended, and the others are looked up for each device
 * on the way. What matches rarely is looked for in steps, between which other requests are answered:
 * SQLite answers in this process. Where an index names few devices at once, these are sorted instead.
 *
 * Errors: UPB-SERVER-BAD-REQUEST for a place that no page of this list has named.
 */
import { setImmediate as breathe } from "node:timers/promises";
import { type RawBuilder, sql } from "kysely";
import { z } from "zod";
import type { FleetPage, FleetQuery } from "../../protocol/admin/fleet.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Database } from "../storage/database.ts";
import { fleetDevices } from "../storage/fleetDevices.ts";
import { devicesWith } from "../storage/labels.ts";
import { EVERY_DEVICE, label } from "./describe.ts";

/** How much is done at once. */
const BOUNDS = {
  /** Walked, some 20 ms at a time: other labels are looked up for each device, names only read. */
  lookingUp: 4_000,
  reading: 40_000,
  /** So few are sorted. */
  few: 4_000,
  /** So many are looked at to say how many of all match. */
  counted: 2_000,
};

interface Place {
  readonly name_key: string;
  readonly seen_ms: number;
  readonly device_id: string;
}

type Sql = RawBuilder<unknown>;

/** A query as its parts of SQL, over rows `d` of name_key, seen_ms and device_id. */
interface Search {
  readonly bySeen: boolean;
  readonly isDescending: boolean;
  /** The rarest, and how many devices have it. */
  readonly driver: { readonly label: string; readonly devices: number };
  readonly others: readonly string[];
  /** What no label says. */
  readonly conditions: readonly Sql[];
  readonly seen: readonly Sql[];
  readonly ids: readonly Sql[];
  readonly bounds: typeof BOUNDS;
}

export async function findDevices(
  db: Database,
  query: FleetQuery,
  bounds = BOUNDS,
): Promise<FleetPage> {
  const search: Search = { ...(await searchOf(db, query)), bounds };
  const after = query.after === undefined ? undefined : placeOf(query.after);
  const few = await fewOf(db, search);
  const found =
    few === undefined
      ? await walk(db, search, after, query.limit + 1)
      : await sorted(db, search, few, after, query.limit + 1);
  const shown = found.slice(0, query.limit);
  const last = shown.at(-1);
  return {
    devices: await fleetDevices(
      db,
      shown.map((place) => place.device_id),
    ),
    ...(found.length > query.limit && last !== undefined ? { next: cursorOf(last) } : {}),
    matching: await countMatching(db, search, few),
  };
}

async function searchOf(db: Database, query: FleetQuery): Promise<Omit<Search, "bounds">> {
  const { state, channel, product, version, tag, ring, error, cause } = query;
  const text = (query.q ?? "").trim();
  const words = wordsOf(text);
  const labels = [
    EVERY_DEVICE,
    ...(state === undefined ? [] : [label.state(state)]),
    ...(channel === undefined ? [] : [label.channel(channel)]),
    ...(product === undefined
      ? []
      : [version === undefined ? label.product(product) : label.version(product, version)]),
    ...(tag === undefined ? [] : [label.tag(tag)]),
    ...(ring === undefined ? [] : [`ring:${ring}`]),
    ...(error === undefined ? [] : [label.error(error)]),
    ...(cause === undefined ? [] : [label.cause(cause)]),
    ...(words.label === undefined ? [] : [words.label]),
  ];
  const counted = await Promise.all(
    [...new Set(labels)].map(async (it) => ({ label: it, devices: await devicesWith(db, it) })),
  );
  const [driver = { label: EVERY_DEVICE, devices: 0 }, ...others] = counted.toSorted(
    (a, b) => a.devices - b.devices,
  );
  const total = Math.max(...counted.map(({ devices }) => devices));
  const { seenAfterMs, seenBeforeMs } = query;
  return {
    bySeen: query.sort === "seen",
    isDescending: query.order === "desc",
    driver,
    // What every device has rules out none.
    others: others.filter(({ devices }) => devices < total).map((it) => it.label),
    conditions:
      words.part === undefined
        ? []
        : [sql`d.name_key LIKE ${`%${words.part.replace(/[\\%_]/g, "\\$&")}%`} ESCAPE '\\'`],
    seen: [
      ...(seenAfterMs === undefined ? [] : [sql`d.seen_ms >= ${seenAfterMs}`]),
      ...(seenBeforeMs === undefined ? [] : [sql`d.seen_ms < ${seenBeforeMs}`]),
    ],
    ids:
      words.id === undefined
        ? []
        : [sql`d.device_id >= ${words.id}`, sql`d.device_id < ${`${words.id}g`}`],
  };
}

/** What was typed: a label, the beginning of an id, or a part of a name. */
function wordsOf(text: string): { label?: string; id?: string; part?: string } {
  if (text === "") return {};
  if (/^dev-[0-9a-f]{0,32}$/.test(text)) return { id: text };
  if (/^tag:./.test(text)) return { label: text };
  const update = /^([a-z0-9][a-z0-9._-]*)@([0-9A-Za-z][0-9A-Za-z.+~-]*)$/.exec(text);
  const [, product, version] = update ?? [];
  if (product !== undefined && version !== undefined)
    return { label: label.version(product, version) };
  return { part: text.toLowerCase() };
}

/** Rows `d` of the few devices that an index names at once; undefined: there is no such index. */
async function fewOf(db: Database, search: Search): Promise<Sql | undefined> {
  const { driver, seen, ids, bounds } = search;
  const few: Sql[] = [];
  if (ids.length > 0)
    few.push(sql`
      SELECT d.name_key, coalesce(d.last_seen_ms, 0) AS seen_ms, d.device_id FROM device AS d
      WHERE ${all(ids)} ORDER BY d.device_id LIMIT ${bounds.few + 1}`);
  if (seen.length > 0 && !search.bySeen)
    few.push(sql`
      SELECT d.name_key, d.seen_ms, d.device_id FROM device_label AS d
      WHERE d.label = ${driver.label} AND ${all(seen)} ORDER BY d.seen_ms LIMIT ${bounds.few + 1}`);
  for (const rows of few) if ((await countOf(db, rows)) <= bounds.few) return rows;
  return undefined;
}

async function sorted(
  db: Database,
  search: Search,
  rows: Sql,
  after: Place | undefined,
  limit: number,
): Promise<Place[]> {
  const where = [...fewConditions(search), ...afterOf(search, after)];
  return await places(db, sql`(${rows}) AS d`, where, search, limit);
}

async function walk(
  db: Database,
  search: Search,
  from: Place | undefined,
  limit: number,
): Promise<Place[]> {
  const { driver } = search;
  const found: Place[] = [];
  // In the order of when they were heard of, that is a part of the way and no condition on it.
  const way = search.bySeen ? search.seen : [];
  const conditions = search.bySeen ? allConditions({ ...search, seen: [] }) : allConditions(search);
  const { lookingUp, reading } = search.bounds;
  const step = search.others.length > 0 ? lookingUp : reading;
  for (let at = from; ; ) {
    const start = [sql`d.label = ${driver.label}`, ...way, ...afterOf(search, at)];
    const rest = limit - found.length;
    const source = sql`device_label AS d`;
    if (conditions.length === 0) return await places(db, source, start, search, limit);
    const [end] = await places(db, source, start, search, 1, step);
    const until = end === undefined ? [] : [untilOf(search, end)];
    const here = [...start, ...until, ...conditions];
    found.push(...(await places(db, source, here, search, rest)));
    if (end === undefined || found.length >= limit) return found;
    at = end;
    await breathe();
  }
}

async function countMatching(
  db: Database,
  search: Search,
  few: Sql | undefined,
): Promise<FleetPage["matching"]> {
  const { driver, bounds } = search;
  const conditions = allConditions(search);
  if (few !== undefined) {
    const where = all(fewConditions(search));
    const devices = await countOf(db, sql`SELECT 1 FROM (${few}) AS d WHERE ${where}`);
    return { devices, exact: true };
  }
  if (conditions.length === 0) return { devices: driver.devices, exact: true };
  // Of the first so many, and of all in proportion.
  const first = sql`
    SELECT d.name_key, d.seen_ms, d.device_id FROM device_label AS d
    WHERE d.label = ${driver.label} ORDER BY d.name_key, d.device_id LIMIT ${bounds.counted}`;
  const devices = await countOf(db, sql`SELECT 1 FROM (${first}) AS d WHERE ${all(conditions)}`);
  if (driver.devices <= bounds.counted) return { devices, exact: true };
  return { devices: Math.round((devices * driver.devices) / bounds.counted), exact: false };
}

async function places(
  db: Database,
  source: Sql,
  where: readonly Sql[],
  { bySeen, isDescending }: Search,
  limit: number,
  offset = 0,
): Promise<Place[]> {
  const way = isDescending ? sql`DESC` : sql`ASC`;
  const order = bySeen ? sql`d.seen_ms` : sql`d.name_key`;
  const { rows } = await sql<Place>`
    SELECT d.name_key, d.seen_ms, d.device_id FROM ${source} WHERE ${all(where)}
    ORDER BY ${order} ${way}, d.device_id ${way} LIMIT ${limit} OFFSET ${offset}`.execute(db);
  return rows;
}

async function countOf(db: Database, rows: Sql): Promise<number> {
  const counted = await sql<{ devices: number }>`
    SELECT count(*) AS devices FROM (${rows}) AS counted`.execute(db);
  return Number(counted.rows[0]?.devices ?? 0);
}

const allConditions = ({ others, conditions, seen, ids }: Search): Sql[] => [
  ...seen,
  ...ids,
  ...conditions,
  ...others.map(has),
];

/** The few are of all devices, not only of those with the rarest label. */
const fewConditions = (search: Search): Sql[] => [
  ...allConditions(search),
  ...(search.driver.label === EVERY_DEVICE ? [] : [has(search.driver.label)]),
];

const has = (wanted: string): Sql => sql`EXISTS (
  SELECT 1 FROM device_label AS other WHERE other.label = ${wanted}
  AND other.name_key = d.name_key AND other.device_id = d.device_id)`;

const afterOf = (search: Search, place: Place | undefined): Sql[] =>
  place === undefined ? [] : [compared(search, place, search.isDescending ? sql`<` : sql`>`)];
const untilOf = (search: Search, place: Place): Sql =>
  compared(search, place, search.isDescending ? sql`>=` : sql`<=`);

const compared = ({ bySeen }: Search, place: Place, operator: Sql): Sql =>
  bySeen
    ? sql`(d.seen_ms, d.device_id) ${operator} (${place.seen_ms}, ${place.device_id})`
    : sql`(d.name_key, d.device_id) ${operator} (${place.name_key}, ${place.device_id})`;

const all = (conditions: readonly Sql[]): Sql =>
  conditions.length === 0 ? sql`TRUE` : sql.join(conditions, sql` AND `);

const Cursor = z.tuple([z.string(), z.number(), z.string()]);

const cursorOf = ({ name_key, seen_ms, device_id }: Place): string =>
  Buffer.from(JSON.stringify([name_key, Number(seen_ms), device_id])).toString("base64url");

function placeOf(cursor: string): Place {
  try {
    const text = Buffer.from(cursor, "base64url").toString();
    const [name_key, seen_ms, device_id] = Cursor.parse(JSON.parse(text));
    return { name_key, seen_ms, device_id };
  } catch (cause) {
    throw new UpbeatError("UPB-SERVER-BAD-REQUEST", { object: "the place in the list", cause });
  }
}
