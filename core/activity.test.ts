import { describe, expect, it } from "vitest";
import { WAIT_REASONS } from "../protocol/decisions.ts";
import { Change, DeviceStatus } from "../protocol/orchestratorApi.ts";
import { PHASES, Progress } from "../protocol/updateServiceApi.ts";
import { activityOf } from "./activity.ts";
import { BEGIN_LIMIT_MS, CHECK_LATE_MS, STAGE_LIMIT_MS } from "./stageLimits.ts";

const NOW_MS = Date.parse("2026-11-25T09:00:00Z");
const HOUR_MS = 3_600_000;
const ID = "0b8b8a3e-3b52-4a39-a3a2-5ef5d3a8a001";
const UPDATE = { product: "kiosk", version: "2.0", manifestSha256: "a".repeat(64) };
const OFFER = {
  update: UPDATE,
  channel: "stable",
  title: "Kiosk",
  classification: "update",
  severity: "low",
  releaseNotes: "",
  sizeBytes: 1,
  restart: "never",
};
const status = (more: object = {}) =>
  DeviceStatus.parse({
    pid: 1,
    startedMs: 1,
    now: "",
    lastCheckMs: NOW_MS - HOUR_MS,
    nextCheckMs: NOW_MS + HOUR_MS,
    offers: [],
    products: [],
    updates: [],
    updateService: "running",
    reportsWaiting: 0,
    ...more,
  });
const of = (more: { status?: object; running?: object; busy?: object }, nowMs = NOW_MS) =>
  activityOf({
    nowMs,
    running:
      more.running &&
      Change.parse({ id: ID, state: "running", startedMs: NOW_MS, updates: [], ...more.running }),
    busy: more.busy && progress(more.busy),
    status: status(more.status),
  });
const progress = (more: object) =>
  Progress.parse({ jobId: ID, doneBytes: 0, totalBytes: 10, sinceMs: NOW_MS, ...more });

describe("what goes on", () => {
  it.each(PHASES)(
    "says of %s what it waits for and when it is stuck, and then that it is",
    (phase) => {
      const limitMs = STAGE_LIMIT_MS[phase];
      const busy = { phase, movedMs: NOW_MS };
      expect(of({ busy }, NOW_MS + limitMs)).toMatchObject({
        sinceMs: NOW_MS,
        stuckMs: NOW_MS + limitMs,
        waitsFor: expect.stringMatching(/^(?:the|this|bytes) ?/),
      });
      expect(of({ busy }, NOW_MS + limitMs).stuck).toBeUndefined();
      expect(of({ busy }, NOW_MS + limitMs + 1).stuck).toMatchObject({
        code: "UPB-UPDATE-STUCK",
        detail: expect.stringContaining("2026-11-25T09:00:00"),
      });
    },
  );

  it("counts from the last byte, not from the phase's beginning", () => {
    const busy = { phase: "download", sinceMs: NOW_MS - 9 * HOUR_MS, movedMs: NOW_MS - 1_000 };
    expect(of({ busy }).stuck).toBeUndefined();
  });

  it("waits for the update service to take the work up, between two jobs only so long", () => {
    const running = { request: { kind: "install" }, movedMs: NOW_MS + HOUR_MS };
    expect(of({ running }, NOW_MS + HOUR_MS + 1_000)).toMatchObject({
      sinceMs: NOW_MS + HOUR_MS,
      waitsFor: expect.stringContaining("update service"),
    });
    const late = of({ running }, NOW_MS + HOUR_MS + BEGIN_LIMIT_MS + 1);
    expect(late.stuck?.code).toBe("UPB-UPDATE-STUCK");
  });

  it("of a machine at rest is the next check, and a check that was not made is told", () => {
    expect(of({})).toMatchObject({
      waitsFor: "the next check for updates",
      untilMs: NOW_MS + HOUR_MS,
      sinceMs: NOW_MS - HOUR_MS,
    });
    const late = of({}, NOW_MS + HOUR_MS + CHECK_LATE_MS + 1);
    expect(late.stuck?.code).toBe("UPB-CHECK-LATE");
  });

  it.each(WAIT_REASONS)("names %s, and how to have it at once", (reason) => {
    const waiting = [{ update: UPDATE, step: "install", waiting: [{ reason, sentence: "x" }] }];
    expect(of({ status: { offers: [OFFER], waiting } })).toMatchObject({
      waitsFor: expect.stringMatching(/^(?:a|an|the|you|mains|its|another) ?/),
      advice: expect.stringContaining("upbeat install"),
    });
  });

  it("of a restart that is pending is never stuck: waiting is what it should do", () => {
    const restart = {
      updates: [UPDATE],
      pendingSinceMs: NOW_MS - 30 * 24 * HOUR_MS,
      mode: "automatic",
      warnings: [],
      waiting: [],
    };
    const found = of({ status: { restart } });
    expect(found).toMatchObject({ waitsFor: "a restart of this machine" });
    expect(found.stuckMs).toBeUndefined();
  });

  it("after a failed check is its next try, with the remedy", () => {
    const lastCheckError = {
      code: "UPB-FETCH-UNREACHABLE",
      stage: "scan",
      object: "x",
      text: "It failed",
      remedy: "Look at the network",
      retry: "transient",
      causes: [],
    };
    expect(of({ status: { lastCheckError } })).toMatchObject({
      waitsFor: expect.stringContaining("next try"),
      advice: expect.stringContaining("Look at the network"),
    });
  });

  it("under a pause is its end", () => {
    const paused = { untilMs: NOW_MS + 9 * HOUR_MS, setBy: "user" };
    expect(of({ status: { paused } })).toMatchObject({ untilMs: NOW_MS + 9 * HOUR_MS });
  });
});
