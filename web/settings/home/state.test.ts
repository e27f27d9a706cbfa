import { describe, expect, it } from "vitest";
import type { ErrorReport } from "../../../protocol/errors/error.ts";
import { DeviceStatus } from "../../../protocol/orchestratorApi.ts";
import type { DeviceView } from "../../../protocol/settingsPageApi.ts";
import { headerState } from "./state.ts";

const NOW_MS = Date.parse("2026-11-25T09:00:00Z");
const MINUTE_MS = 60_000;
const error = (code: string): ErrorReport => ({
  code,
  stage: "scan",
  object: "x",
  text: "It failed",
  remedy: "Try again",
  retry: "transient",
  causes: [],
});
const status = (more: object = {}): DeviceStatus =>
  DeviceStatus.parse({
    pid: 1,
    startedMs: 1,
    deviceId: `dev-${"0".repeat(32)}`,
    now: "Everything is up to date.",
    lastCheckMs: NOW_MS,
    offers: [],
    products: [],
    updates: [],
    updateService: "running",
    reportsWaiting: 0,
    ...more,
  });
const view = (device: DeviceStatus): DeviceView => ({
  device: { state: "ready", value: device },
  services: { state: "ready", value: [] },
});
const kindOf = (more: object): string =>
  headerState({ state: "ready", value: view(status(more)) }, NOW_MS).kind;

const UPDATE = { product: "kiosk", version: "2.0", manifestSha256: "a".repeat(64) };
const OFFER = {
  update: UPDATE,
  channel: "stable",
  title: "Kiosk 2.0",
  classification: "update",
  severity: "unspecified",
  releaseNotes: "",
  sizeBytes: 1,
  restart: "never",
};
const PROVIDER = {
  provider: "apt",
  scannedMs: NOW_MS,
  tookMs: 1,
  verbs: ["install"],
  updates: [{ id: "openssl", title: "openssl 3.5", version: "3.5" }],
};
const record = (state: string, more: object = {}) => ({
  ...UPDATE,
  state,
  sinceMs: NOW_MS,
  jobId: "0b8b8a3e-3b52-4a39-a3a2-5ef5d3a8a001",
  ...more,
});
const plan = (atMs: number) => ({
  updates: [UPDATE],
  pendingSinceMs: NOW_MS,
  atMs,
  mode: "automatic",
  warnings: [],
  waiting: [],
});
const waitsFor = (reason: string) => [
  { update: UPDATE, step: "download", waiting: [{ reason, sentence: "It waits." }] },
];

describe("the state of the header", () => {
  it.each([
    ["up-to-date", {}],
    ["never-checked", { lastCheckMs: undefined }],
    ["not-enrolled", { deviceId: undefined }],
    ["update-service-stopped", { updateService: "not-running" }],
    ["available", { offers: [OFFER] }],
    ["ready", { offers: [OFFER], updates: [record("downloaded")] }],
    ["available", { providers: [PROVIDER] }],
    ["available", { offers: [OFFER], updates: [record("downloaded")], providers: [PROVIDER] }],
    ["up-to-date", { providers: [{ ...PROVIDER, updates: [] }] }],
    ["up-to-date", { offers: [{ ...OFFER, optional: true }] }],
    ["waiting", { offers: [OFFER], waiting: waitsFor("unmetered-network") }],
    ["available", { offers: [OFFER], waiting: waitsFor("download-consent") }],
    ["failed", { offers: [OFFER], updates: [record("failed", { error: error("UPB-X-Y") })] }],
    ["offline", { lastCheckError: error("UPB-FETCH-UNREACHABLE") }],
    ["check-failed", { lastCheckError: error("UPB-TRUST-EXPIRED") }],
    ["paused", { paused: { untilMs: NOW_MS + 1, setBy: "user" }, offers: [OFFER] }],
    ["restart-required", { restart: plan(NOW_MS + 16 * MINUTE_MS) }],
    ["restarting-soon", { restart: plan(NOW_MS + 15 * MINUTE_MS) }],
    ["rolled-back", { updates: [record("rolled-back", { error: error("UPB-HEALTH-FAILED") })] }],
  ])("is %s", (kind, more) => {
    expect(kindOf(more)).toBe(kind);
  });

  it("does not make news of what a person undid, nor of what is over a week old", () => {
    expect(kindOf({ updates: [record("rolled-back")] })).toBe("up-to-date");
    const old = record("rolled-back", {
      error: error("UPB-HEALTH-FAILED"),
      sinceMs: NOW_MS - 9 * 24 * 60 * MINUTE_MS,
    });
    expect(kindOf({ updates: [old] })).toBe("up-to-date");
  });

  it("tells a service that is down from a page that lost its process", () => {
    const failed = { state: "failed", error: error("UPB-LOCAL-NOT-RUNNING") } as const;
    const at = (value: DeviceView) => headerState({ state: "ready", value }, NOW_MS).kind;
    expect(at({ device: failed, services: failed })).toBe("manager-stopped");
    expect(at({ device: failed, services: { state: "ready", value: [] } })).toBe(
      "orchestrator-stopped",
    );
    expect(headerState(failed, NOW_MS).kind).toBe("closed");
  });
});
