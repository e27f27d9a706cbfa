import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listenLocally, localApi } from "../../device/localServer.ts";
import { devicePaths } from "../../device/paths.ts";
import { reportError, UpbeatError } from "../../protocol/errors/error.ts";
import { Change, type DeviceStatus } from "../../protocol/orchestratorApi.ts";
import { HistoryEntry } from "../../protocol/updateServiceApi.ts";
import { TEST_NOW_MS, testWorld } from "../../tests/support/cliWorld.ts";
import { EXIT } from "../exitCodes.ts";
import { run } from "../run.ts";

const ID = "0b8b8a3e-3b52-4a39-a3a2-5ef5d3a8a001";
const UPDATE = { product: "kiosk", version: "1.4.0", manifestSha256: "a".repeat(64) };
const OFFER = {
  update: UPDATE,
  channel: "stable",
  title: "Kiosk\u001b[2J 1.4.0",
  classification: "security",
  severity: "important",
  releaseNotes: "",
  sizeBytes: 12_400_000,
  installedVersion: "1.3.0",
  restart: "never",
};
const RECORD = { ...UPDATE, state: "installed", sinceMs: TEST_NOW_MS, jobId: ID };
const change = (more: object) =>
  Change.parse({
    id: ID,
    request: { kind: "install" },
    state: "succeeded",
    startedMs: 1,
    updates: [],
    ...more,
  });

/** What the orchestrator's socket answers in this test: the wire is real, the answers are chosen. */
let root: string;
let app: FastifyInstance;
let changes: Change[];
const asked: unknown[] = [];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "upbeat-cli-"));
  asked.length = 0;
  app = localApi({});
  app.get("/v1/status", () => STATUS);
  app.post("/v1/changes", (request) => {
    asked.push(request.body);
    return changes.shift();
  });
  app.get("/v1/changes/:id", () => changes.shift());
  app.get("/v1/history", () => ({ entries: [ROLLED_BACK] }));
  await listenLocally(app, devicePaths(root).orchestratorSocket);
});
afterEach(async () => {
  await app.close();
  rmSync(root, { recursive: true, force: true });
});

const call = async (...args: string[]) => {
  const world = testWorld([...args, "--root", root]);
  return { exitCode: await run(world), ...world.printed };
};

test("check lists what is offered, made safe for a terminal, and ends with 0", async () => {
  const result = {
    outcome: "evaluated",
    requests: 3,
    receivedBytes: 900,
    offers: [OFFER],
    notOffered: [],
  };
  changes = [change({ check: result })];
  const { exitCode, out } = await call("check");
  expect(exitCode).toBe(EXIT.ok);
  expect(asked).toEqual([{ kind: "check", full: false }]);
  expect(out).toContain("kiosk 1.3.0 → 1.4.0");
  expect(out).toContain("12.4 MB");
  expect(out).not.toContain("\u001b");
});

test("check without an offer says up to date and ends with 2", async () => {
  const result = {
    outcome: "unchanged",
    requests: 1,
    receivedBytes: 0,
    offers: [],
    notOffered: [],
  };
  changes = [change({ check: result })];
  const { exitCode, out } = await call("check", "--full");
  expect(exitCode).toBe(EXIT.nothingToDo);
  expect(asked).toEqual([{ kind: "check", full: true }]);
  expect(out).toContain("Up to date");
});

test("install follows the change to its end, phases on stderr, result on stdout", async () => {
  const progress = (phase: string) => ({
    jobId: ID,
    phase,
    doneBytes: 5,
    totalBytes: 10,
    sinceMs: 0,
  });
  changes = [
    change({ state: "waiting" }),
    change({ state: "running", progress: progress("download") }),
    change({ state: "running", progress: progress("health-check") }),
    change({ updates: [RECORD] }),
  ];
  const { exitCode, out, err } = await call("install", "kiosk");
  expect(exitCode).toBe(EXIT.ok);
  expect(asked).toEqual([{ kind: "install", product: "kiosk" }]);
  expect(err.match(/Download|Check its health/g)).toEqual(["Download", "Check its health"]);
  expect(out).toContain("Installed kiosk@1.4.0");
});

test.each([
  ["UPB-MANIFEST-INVALID", EXIT.failed],
  ["UPB-LOCAL-TIMEOUT", EXIT.notRunning],
  ["UPB-TRUST-EXPIRED", EXIT.notTrusted],
] as const)(
  "a change that failed with %s ends with %i and its own error",
  async (code, expected) => {
    const error = reportError(new UpbeatError(code, { object: "kiosk@1.4.0" }));
    changes = [change({ state: "failed", error })];
    const { exitCode, out } = await call("install", "--json");
    expect(exitCode).toBe(expected);
    expect(JSON.parse(out)).toMatchObject({ schema: "upbeat.error/1", error: { code } });
  },
);

test("nothing to install ends with 2", async () => {
  changes = [change({ state: "nothing-to-do" })];
  expect((await call("install")).exitCode).toBe(EXIT.nothingToDo);
});

test("Ctrl-C ends the watching with 130 and says that the change goes on", async () => {
  changes = Array.from({ length: 50 }, () => change({ state: "running" }));
  const world = testWorld(["install", "--root", root]);
  setTimeout(() => world.interrupt.abort(), 50);
  expect(await run(world)).toBe(EXIT.interrupted);
  expect(world.printed.err).toContain("goes on in the background");
});

test("status puts the whole picture on one screen", async () => {
  const { exitCode, out } = await call("status");
  expect(exitCode).toBe(EXIT.ok);
  expect(out).toContain("kiosk 1.3.0 (stable)");
  expect(out).toContain("Next step : upbeat install");
  expect(JSON.parse((await call("status", "--json")).out)).toMatchObject({
    schema: "upbeat.status/1",
    status: { now: "waiting" },
  });
});

const PLAN = {
  plannedMs: 1,
  way: "files",
  parts: [
    { source: "here", count: 130, bytes: 20_000_000, requests: 0 },
    { source: "files", count: 2, bytes: 1_400_000, requests: 2 },
    { source: "description", count: 2, bytes: 30_000, requests: 2 },
  ],
  bytes: 1_430_000,
  requests: 4,
  wholeBytes: 12_400_000,
  estimateMs: 9_000,
  fellBack: [reportError(new UpbeatError("UPB-DELTA-WRONG-BASE", { object: "list" }))],
};

test("download --plan shows bytes, requests and time by source, and asks for nothing else", async () => {
  changes = [change({ request: { kind: "plan" }, plans: [{ update: UPDATE, plan: PLAN }] })];
  const { exitCode, out } = await call("download", "kiosk", "--plan");
  expect(exitCode).toBe(EXIT.ok);
  expect(asked).toEqual([{ kind: "plan", product: "kiosk" }]);
  expect(out).toContain("kiosk@1.4.0  1.4 MB in 4 requests, about 9.0 s");
  expect(out).toContain("130 files of 20.0 MB that are here");
  expect(out).toContain("2 whole files");
  expect(out).toContain("A machine that has nothing fetches 12.4 MB.");
  expect(out).toContain("UPB-DELTA-WRONG-BASE");
});

test("verify says what was damaged, made safe for a terminal, and that it is mended", async () => {
  const report = {
    checkedFiles: 132,
    checkedBytes: 23_000_000,
    damagedCount: 1,
    damaged: [{ path: "lib/\u001b[2Ja.js", what: "other content" }],
    mendedCount: 1,
    fetchedCount: 1,
    unknownCount: 3,
  };
  const verified = [{ product: "kiosk", version: "1.4.0", report }];
  changes = [change({ request: { kind: "verify" }, verified })];
  const { exitCode, out } = await call("verify");
  expect(exitCode).toBe(EXIT.ok);
  expect(out).toContain("kiosk@1.4.0 is whole again: 1 entry mended, 1 from the server");
  expect(out).toContain("other content");
  expect(out).toContain("3 names beside them left alone");
  expect(out).not.toContain("\u001b[2J");
  changes = [change({ request: { kind: "verify" }, state: "nothing-to-do", verified: [] })];
  expect((await call("verify")).exitCode).toBe(EXIT.nothingToDo);
});

test("history names the reason of a rollback", async () => {
  const { out } = await call("history");
  expect(out).toMatch(/install +kiosk 1\.3\.0 → 1\.4\.0 +rolled-back .*UPB-MANIFEST-INVALID/);
});

const ROLLED_BACK = HistoryEntry.parse({
  id: ID,
  operation: "install",
  product: "kiosk",
  fromVersion: "1.3.0",
  toVersion: "1.4.0",
  title: "Kiosk",
  startedMs: TEST_NOW_MS - 2_000,
  endedMs: TEST_NOW_MS,
  result: "rolled-back",
  error: reportError(new UpbeatError("UPB-MANIFEST-INVALID", { object: "kiosk@1.4.0" })),
});

const STATUS = {
  pid: 1,
  startedMs: 0,
  deviceId: `dev-${"0".repeat(32)}`,
  serverUrl: "http://127.0.0.1:8530",
  now: "waiting",
  lastCheckMs: TEST_NOW_MS - 60_000,
  offers: [OFFER],
  products: [{ product: "kiosk", channel: "stable", current: "1.3.0" }],
  updates: [],
  updateService: "running",
  reportsWaiting: 0,
} as unknown as DeviceStatus;
