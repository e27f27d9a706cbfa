/**
 * `npm run bench -- devices`: how long the server takes to answer a page of its list of devices when
 * there are a million, for each filter in each order: the first page and ones further on, with the
 * devices' rows read and the count of matching ones. The same code that answers the admin console,
 * on the same SQLite; all of it is in one process, as in the server.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FLEET_SORTS, FleetQuery } from "../protocol/admin/fleet.ts";
import { fleetFacets } from "../server/console/facets.ts";
import { overview } from "../server/console/overview.ts";
import { findDevices } from "../server/fleet/search.ts";
import { type Database, openDatabase } from "../server/storage/database.ts";
import { atMost, type Bench, type Goal, median } from "./bench.ts";
import { type SeededFleet, seedDevices } from "./devices/seed.ts";

const DEVICES = 1_000_000;
const GOAL_MS = 100;
/** Each with other values and from another place in the list. */
const STARTS = 8;
const PAGES = 3;

/** Of one filter: what it asks for, another value each time. */
interface Filter {
  readonly name: string;
  /** False: no index leads to it, all names are read. */
  readonly hasIndex: boolean;
  readonly query: (fleet: SeededFleet, start: number) => Record<string, unknown>;
}

const FILTERS: readonly Filter[] = [
  { name: "none", hasIndex: true, query: () => ({}) },
  {
    name: "state",
    hasIndex: true,
    query: ({ states }, start) => ({ state: states[start % states.length] }),
  },
  {
    name: "channel",
    hasIndex: true,
    query: (_, start) => ({ channel: start % 2 ? "beta" : "stable" }),
  },
  {
    name: "product",
    hasIndex: true,
    query: (_, start) => ({ product: start % 2 ? "agent" : "kiosk" }),
  },
  {
    name: "product and version",
    hasIndex: true,
    query: ({ versions }, start) => ({
      product: "kiosk",
      version: versions[start % versions.length],
    }),
  },
  { name: "tag", hasIndex: true, query: ({ tags }, start) => ({ tag: tags[start % tags.length] }) },
  {
    name: "ring",
    hasIndex: true,
    query: ({ rings }, start) => ({ ring: rings[start % rings.length] }),
  },
  {
    name: "error",
    hasIndex: true,
    query: ({ errors }, start) => ({ error: errors[start % errors.length] }),
  },
  {
    name: "last seen",
    hasIndex: true,
    query: ({ nowMs }, start) =>
      start % 2
        ? { seenBeforeMs: nowMs - start * 86_400_000 }
        : { seenAfterMs: nowMs - (start + 1) * 600_000 },
  },
  {
    name: "id",
    hasIndex: true,
    query: ({ ids }, start) => ({ q: ids[start]?.slice(0, 36 - start * 3) }),
  },
  {
    name: "two: state, tag",
    hasIndex: true,
    query: ({ states, tags }, start) => ({
      state: states[start % states.length],
      tag: tags[start % tags.length],
    }),
  },
  {
    name: "three: version, state, ring",
    hasIndex: true,
    query: ({ versions, states, rings }, start) => ({
      product: "kiosk",
      version: versions[start % versions.length],
      state: states[start % 3],
      ring: rings[start % rings.length],
    }),
  },
  { name: "part of a name, common", hasIndex: false, query: () => ({ q: "till" }) },
  {
    name: "part of a name, of one",
    hasIndex: false,
    query: ({ names }, start) => ({ q: names[start] }),
  },
  { name: "part of a name, of none", hasIndex: false, query: () => ({ q: "zzz" }) },
];

export const devicesBench: Bench = {
  name: "devices",
  describe: "the server's list of a million devices, each filter in each order",
  async run(only) {
    const folder = mkdtempSync(join(tmpdir(), "upbeat-bench-devices-"));
    const file = join(folder, "server.db");
    const db = await openDatabase(file);
    try {
      process.stderr.write(`devices: writing ${DEVICES.toLocaleString("en")} of them\n`);
      const fleet = seedDevices(file, DEVICES);
      return await measure(db, fleet, file, only);
    } finally {
      await db.destroy();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function measure(
  db: Database,
  fleet: SeededFleet,
  file: string,
  only: readonly string[] | undefined,
): ReturnType<Bench["run"]> {
  const chosen = FILTERS.filter(
    ({ name }) => only === undefined || only.some((part) => name.includes(part)),
  );
  const rows: (string | number)[][] = [];
  const goals: Goal[] = [];
  for (const filter of chosen) {
    for (const sort of FLEET_SORTS) {
      const times = await timesOf(db, fleet, filter, sort);
      const p95 = quantile(times, 0.95);
      const way = `${filter.name}, by ${sort}`;
      rows.push([filter.name, sort, round(median(times)), round(p95), round(Math.max(...times))]);
      if (filter.hasIndex) goals.push(atMost(`${way}: 95 % of pages, ms`, round(p95), GOAL_MS));
    }
  }
  const overviewMs = await timed(() => overviewOf(db, fleet));
  const facetsMs = await timed(() => fleetFacets(db));
  const worst = Math.max(...goals.map((goal) => goal.value));
  return {
    figures: {
      devices: fleet.devices,
      databaseBytes: statSync(file).size,
      worstIndexedP95Ms: worst,
      overviewMs: round(overviewMs),
      facetsMs: round(facetsMs),
    },
    goals,
    tables: [
      {
        title: `A page of 50 of ${fleet.devices.toLocaleString("en")} devices, ms`,
        header: ["filter", "sorted by", "median", "95 %", "slowest"],
        rows,
      },
      {
        title: "Beside the list",
        header: ["what", "value"],
        rows: [
          ["the overview's counts and failures, ms", round(overviewMs)],
          ["what one can filter by, ms", round(facetsMs)],
          ["database, MB", Math.round(statSync(file).size / 1e6)],
        ],
      },
    ],
  };
}

async function timesOf(
  db: Database,
  fleet: SeededFleet,
  filter: Filter,
  sort: (typeof FLEET_SORTS)[number],
): Promise<number[]> {
  const times: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const order = start % 2 === 0 ? "asc" : "desc";
    const asked = { ...filter.query(fleet, start), sort, order };
    let after: string | undefined;
    for (let page = 0; page < PAGES; page++) {
      const query = FleetQuery.parse({ ...asked, ...(after === undefined ? {} : { after }) });
      const before = performance.now();
      const found = await findDevices(db, query);
      times.push(performance.now() - before);
      after = found.next;
      if (after === undefined) break;
    }
  }
  return times;
}

const overviewOf = (db: Database, { nowMs }: SeededFleet) =>
  overview({ db, trust: { roles: [] }, rollouts: [], nowMs });

async function timed(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 9; round++) {
    const before = performance.now();
    await work();
    times.push(performance.now() - before);
  }
  return median(times);
}

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN;
const round = (ms: number): number => Math.round(ms * 10) / 10;
