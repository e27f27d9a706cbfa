import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SERVICE_STATES, type ServiceInfo } from "../../protocol/servicesApi.ts";
import { TEST_NOW_MS, testWorld } from "../../tests/support/cliWorld.ts";
import { drawServices, pressed, type ServiceScreen } from "./serviceScreen.ts";
import { servicesText } from "./serviceText.ts";
import { styleFor } from "./style.ts";
import { width } from "./table.ts";

const style = styleFor(testWorld([]).out, {});
const colourful = styleFor({ ...testWorld([]).out, colours: true }, {});

const service = (more: Partial<ServiceInfo> = {}): ServiceInfo => ({
  name: "update-service",
  title: "Upbeat update service",
  description: "Verifies, downloads and installs updates, and undoes them.",
  state: "running",
  startUp: "automatic",
  account: "root",
  dependsOn: [],
  pid: 4711,
  sinceMs: TEST_NOW_MS - 187_000,
  restarts: 0,
  ...more,
});
const orchestrator = service({
  name: "orchestrator",
  title: "Upbeat update orchestrator",
  description: "Checks for updates, decides what and when, and reports.",
  dependsOn: ["update-service"],
});
const GIVEN_UP = service({
  state: "failed",
  restarts: 3,
  pid: undefined,
  lastExit: {
    code: 7,
    signal: null,
    atMs: TEST_NOW_MS - 60_000,
    lastWords: "starting\nthe database is on fire\u001b[2J",
  },
});
const screen = (more: Partial<ServiceScreen> = {}): ServiceScreen => ({
  services: [service(), orchestrator],
  selected: 0,
  view: "services",
  log: [],
  note: undefined,
  acting: false,
  ...more,
});
const at = { columns: 80, rows: 24, nowMs: TEST_NOW_MS };

describe("the screen of the services", () => {
  it("shows both at 80 columns, the chosen one in words, and the keys", () => {
    const text = drawServices(style, screen(), at).join("\n");
    expect(text).toMatch(/> update-service +running +automatic +4711 +03:07 +0/);
    expect(text).toMatch(/ {2}orchestrator +running/);
    expect(text).toContain("Upbeat update service: Verifies");
    expect(text).toContain("s start  t stop  r restart  e enable  d disable  l log  q quit");
  });

  it("says of a service that was given up why, and what it said last, made safe", () => {
    const text = drawServices(style, screen({ services: [GIVEN_UP] }), at).join("\n");
    expect(text).toContain("is not started any more, after 3 restarts");
    expect(text).toContain("last error code 7, 60 s ago");
    expect(text).toContain("the database is on fire [2J");
    expect(text).not.toContain("\u001b");
  });

  it("fits every terminal, whatever it has to show", () => {
    const size = {
      columns: fc.integer({ min: 1, max: 200 }),
      rows: fc.integer({ min: 8, max: 60 }),
    };
    const log = fc.array(fc.string({ unit: "binary", maxLength: 300 }), { maxLength: 50 });
    const view = fc.constantFrom("services" as const, "log" as const);
    const state = fc.constantFrom(...SERVICE_STATES);
    fc.assert(
      fc.property(size.columns, size.rows, log, view, state, (columns, rows, lines, shows, is) => {
        const services = [{ ...GIVEN_UP, state: is }, orchestrator];
        const note = { text: lines.join(" "), isBad: true };
        const drawn = drawServices(colourful, screen({ services, view: shows, log: lines, note }), {
          columns,
          rows,
          nowMs: TEST_NOW_MS,
        });
        expect(drawn.length).toBeLessThanOrEqual(rows);
        for (const line of drawn) {
          expect(width(line)).toBeLessThanOrEqual(columns);
          expect(line).not.toMatch(/[\r\n]/);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("counts on while one looks, also over days", () => {
    const long = service({ sinceMs: TEST_NOW_MS - 100_000_000 });
    const text = drawServices(style, screen({ services: [long] }), at).join("\n");
    expect(text).toContain("1 d 03:46");
  });
});

describe("a key", () => {
  it("chooses, acts, shows the log or ends", () => {
    expect(pressed(screen(), "\u001b[B")).toMatchObject({ screen: { selected: 1 } });
    expect(pressed(screen(), "\u001b[A")).toMatchObject({ screen: { selected: 1 } });
    const keys = { s: "start", t: "stop", r: "restart", e: "enable", d: "disable" };
    for (const [key, action] of Object.entries(keys)) {
      expect(pressed(screen(), key)).toEqual({ is: "act", action });
    }
    expect(pressed(screen(), "l")).toMatchObject({ screen: { view: "log" } });
    expect(pressed(screen({ view: "log" }), "l")).toMatchObject({ screen: { view: "services" } });
    for (const key of ["q", "\u0003", "\u0004"])
      expect(pressed(screen(), key)).toEqual({ is: "quit" });
  });

  it("does nothing while an action goes on, without a service, or when it means nothing", () => {
    const same = screen({ acting: true });
    expect(pressed(same, "t")).toEqual({ is: "screen", screen: same });
    const none = screen({ services: [] });
    expect(pressed(none, "s")).toEqual({ is: "screen", screen: none });
    expect(pressed(screen(), "x")).toEqual({ is: "screen", screen: screen() });
  });
});

describe("the table of the services", () => {
  it("has every column of a service console where there is room", () => {
    const text = servicesText(style, [GIVEN_UP, orchestrator], {
      nowMs: TEST_NOW_MS,
      columns: 140,
    });
    const [head = "", first = "", second = ""] = text.split("\n");
    expect(head).toMatch(
      /^SERVICE +STATUS +START-UP +PID +SINCE +RESTARTS +ACCOUNT +DEPENDS ON +LAST ERROR$/,
    );
    expect(first).toMatch(/^update-service +failed +automatic +- .+ 3 +root +- +code 7, 60 s ago$/);
    expect(second).toMatch(/ root +update-service +-$/);
    expect(text).toContain("the database is on fire");
    expect(text).toContain("Checks for updates, decides");
  });

  it("says in words what does not fit into 80 columns", () => {
    const text = servicesText(style, [GIVEN_UP, orchestrator], { nowMs: TEST_NOW_MS, columns: 80 });
    const [head = ""] = text.split("\n");
    expect(head).not.toContain("ACCOUNT");
    expect(width(head)).toBeLessThanOrEqual(80);
    expect(text).toContain("account root, depends on update-service");
  });
});
