import { describe, expect, it } from "vitest";
import { Product, Version } from "../protocol/ids.ts";
import { knownUpdate, offerRules } from "../tests/support/knownUpdates.ts";
import type { SettingsLayer } from "./settings.ts";
import { type SimulatedEvent, type SimulatedMachine, simulate } from "./simulate.ts";
import { zoneNamed } from "./timing/zone.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A Monday at midnight. */
const START_MS = Date.parse("2026-03-02T00:00:00Z");

describe("the next days of one machine", () => {
  it("of an office: found in the morning, downloaded and installed beside the person, restarted at night", () => {
    const events = run({ restart: "always", sizeBytes: 1e9 }, { machine: office() });
    expect(events.filter((it) => it.kind !== "check").map((it) => it.kind)).toEqual([
      "offered",
      "downloading",
      "downloaded",
      "installing",
      "warning",
      "restart",
      "installed",
    ]);
    const restart = events.find((it) => it.kind === "restart");
    expect(new Date(restart?.atMs ?? 0).getUTCHours() % 17).toBeLessThan(8);
  });

  it("that is never left alone ends with its deadline, after three warnings", () => {
    const machine = office({ people: () => "present", isOn: () => true });
    const events = run({ restart: "always" }, { machine, days: 9 });
    const kinds = events.filter((it) => it.kind !== "check").map((it) => it.kind);
    expect(kinds).toEqual([
      "offered",
      "downloading",
      "downloaded",
      "installing",
      "warning",
      "warning",
      "warning",
      "restart",
      "installed",
    ]);
    const restart = events.find((it) => it.kind === "restart");
    expect(Math.floor(((restart?.atMs ?? 0) - START_MS) / DAY_MS)).toBe(7);
  });

  it("follows settings and policy: deferral, then the window of the weekend", () => {
    const layers: SettingsLayer[] = [
      {
        layer: "server",
        values: {
          qualityDeferralDays: 3,
          maintenanceWindows: [
            { start: "2026-01-03T02:00", rule: "FREQ=WEEKLY;BYDAY=SA", durationMinutes: 180 },
          ],
        },
      },
    ];
    const machine = office({ people: () => "nobody", isOn: () => true });
    const events = run({ restart: "always" }, { machine, layers, days: 7 });
    const at = (kind: string) => new Date(events.find((it) => it.kind === kind)?.atMs ?? 0);
    expect(at("offered").getTime()).toBeGreaterThanOrEqual(START_MS + 3 * DAY_MS);
    expect(at("installing").toISOString()).toBe("2026-03-07T02:00:00.000Z");
    expect(at("restart").toISOString()).toMatch(/^2026-03-07T02:/);
  });

  it("stops a download when the network costs, and goes on where it was", () => {
    const machine = office({
      people: () => "nobody",
      isOn: () => true,
      network: (hour) => (hour % 2 === 0 ? "unmetered" : "metered"),
      downloadBytesPerSecond: 1e9 / (3 * 3_600),
    });
    const events = run({ sizeBytes: 1e9 }, { machine, days: 2 });
    const [offered, downloaded] = ["offered", "downloaded"].map(
      (kind) => events.find((it) => it.kind === kind)?.atMs ?? 0,
    );
    const hours = ((downloaded ?? 0) - (offered ?? 0)) / HOUR_MS;
    expect(hours).toBeGreaterThan(4);
    expect(hours).toBeLessThan(7);
  });

  it("withdraws what is halted before it was installed", () => {
    const machine = office({ people: () => "nobody", isOn: () => true });
    const rollout = (state: string) => ({
      id: "R",
      product: "kiosk",
      version: "2.0",
      createdAt: "2026-03-01T00:00:00Z",
      rings: [{ name: "all", startsAt: "2026-03-01T00:00:00Z" }],
      state,
    });
    const layers: SettingsLayer[] = [{ layer: "admin", values: { install: "ask" } }];
    const events: SimulatedEvent[] = [];
    simulate(
      {
        ...world({}, { machine, days: 3, layers }),
        rulesAt: (nowMs) =>
          offerRules(nowMs, {
            layers,
            policy: { rollouts: [rollout(nowMs < START_MS + DAY_MS ? "running" : "halted")] },
          }),
      },
      (event) => events.push(event),
    );
    const kinds = events.filter((it) => it.kind !== "check").map((it) => it.kind);
    expect(kinds).toEqual(["offered", "downloading", "downloaded", "withdrawn"]);
  });

  it("begin with the check that was planned before", () => {
    const events: SimulatedEvent[] = [];
    const lastCheckMs = START_MS - 10 * HOUR_MS;
    simulate({ ...world({}, { machine: office() }), lastCheckMs }, (event) => events.push(event));
    expect(events[0]?.kind).toBe("check");
    expect(events[0]?.atMs).toBeGreaterThanOrEqual(lastCheckMs + 17.6 * HOUR_MS);
  });

  it("is the same again for the same chances", () => {
    const once = () => run({ restart: "always" }, { machine: office(), days: 20 }).map(inShort);
    expect(once()).toEqual(once());
  });
});

interface Office {
  people?: (hour: number) => "nobody" | "away" | "present";
  isOn?: (hour: number) => boolean;
  network?: (hour: number) => "none" | "metered" | "unmetered";
  downloadBytesPerSecond?: number;
}

/** Somebody works from 9 to 17, and leaves the machine on and signed in. */
function office(differs: Office = {}): SimulatedMachine {
  const hourOf = (ms: number) => Math.floor(ms / HOUR_MS) % 24;
  const { people = (hour) => (hour >= 9 && hour < 17 ? "present" : "away") } = differs;
  return {
    at: (ms) => ({
      isOn: differs.isOn?.(hourOf(ms)) ?? true,
      network: differs.network?.(hourOf(ms)) ?? "unmetered",
      power: "mains",
      people: people(hourOf(ms)),
      busy: false,
    }),
    nextChangeMs: (ms) => (Math.floor(ms / HOUR_MS) + 1) * HOUR_MS,
    downloadBytesPerSecond: differs.downloadBytesPerSecond ?? 1e6,
    installMs: 5 * 60_000,
    restartMs: 60_000,
  };
}

interface Options {
  machine: SimulatedMachine;
  days?: number;
  layers?: readonly SettingsLayer[];
}

function world(manifest: { sizeBytes?: number; restart?: string }, options: Options) {
  const zone = zoneNamed("UTC");
  if (zone === undefined) throw new Error("no UTC");
  const { sizeBytes = 1e6, ...rest } = manifest;
  const payload = { sha256: "a".repeat(64), sizeBytes: 300, files: 1, totalBytes: sizeBytes };
  const update = knownUpdate("kiosk", "2.0", {
    payload,
    publishedAt: "2026-03-02T00:00:00Z",
    ...rest,
  });
  let seed = 1;
  return {
    startMs: START_MS,
    days: options.days ?? 3,
    zone,
    activeHours: { start: "08:00", end: "17:00" },
    updates: [update],
    facts: {},
    products: [
      {
        product: Product.parse("kiosk"),
        channel: update.manifest.channel,
        current: Version.parse("1.0"),
      },
    ],
    records: [],
    rulesAt: (nowMs: number) => offerRules(nowMs, { layers: options.layers ?? [] }),
    machine: options.machine,
    random: () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    },
  };
}

function run(manifest: { sizeBytes?: number; restart?: string }, options: Options) {
  const events: SimulatedEvent[] = [];
  simulate(world(manifest, options), (event) => events.push(event));
  return events;
}

const inShort = ({ atMs, kind }: SimulatedEvent): string => `${kind} at ${atMs}`;
