import { describe, expect, it } from "vitest";
import { Channel, Product, Version } from "../../protocol/ids.ts";
import { Rollout } from "../../protocol/offerPolicy.ts";
import { describe as describeDevice, type ReportedDevice, SILENT_AFTER_MS } from "./describe.ts";

const NOW = Date.parse("2026-06-01T12:00:00Z");
const stable = Channel.parse("stable");
const kiosk = Product.parse("kiosk");
const rollout = Rollout.parse({
  id: "kiosk-2",
  product: "kiosk",
  version: "2.0",
  createdAt: "2026-06-01T00:00:00Z",
  state: "halted",
  rings: [
    { name: "canary", who: { fact: "tag.canary", exists: true }, startsAt: "2026-06-01T00:00:00Z" },
    { name: "rest", startsAt: "2026-06-02T00:00:00Z" },
  ],
});
const shown = {
  newest: () => Version.parse("2.0"),
  rollouts: () => [rollout],
};
const installed = (current: string) => [
  { product: kiosk, channel: stable, current: Version.parse(current) },
];
const device: ReportedDevice = {
  deviceId: "dev-1",
  lastSeenMs: NOW,
  facts: { "tag.canary": true, "os.id": "debian" },
  products: installed("2.0"),
  followed: [{ product: kiosk, channel: stable }],
  failures: [],
  checkError: undefined,
  causes: [],
};
const stateOf = (fields: Partial<ReportedDevice>, nowMs = NOW) =>
  describeDevice({ ...device, ...fields }, shown, nowMs).state;

describe("a device", () => {
  it("is up to date with the newest version of all that it follows, or with a newer one", () => {
    expect(stateOf({})).toBe("up-to-date");
    expect(stateOf({ products: installed("2.1") })).toBe("up-to-date");
  });

  it("is behind with an older version, and without one that it follows", () => {
    expect(stateOf({ products: installed("1.9") })).toBe("behind");
    expect(stateOf({ products: [] })).toBe("behind");
  });

  it("is failing while an update or its checks stand with an error", () => {
    const failure = { product: "kiosk", version: "2.0", code: "UPB-HEALTH-FAILED" };
    expect(stateOf({ products: installed("1.0"), failures: [failure] })).toBe("failing");
    expect(stateOf({ checkError: "UPB-FETCH-OFFLINE" })).toBe("failing");
    // A later version has come since.
    expect(stateOf({ failures: [{ ...failure, version: "1.5" }] })).toBe("up-to-date");
  });

  it("is silent after a week, and unknown before it has said what it has", () => {
    expect(stateOf({ checkError: "x" }, NOW + SILENT_AFTER_MS)).toBe("silent");
    expect(stateOf({ checkError: "x" }, NOW + SILENT_AFTER_MS - 1)).toBe("failing");
    expect(stateOf({ lastSeenMs: undefined })).toBe("unknown");
    expect(stateOf({ followed: undefined, products: [] })).toBe("unknown");
  });

  it("is found by everything that it is listed by", () => {
    const causes = ["disk-full"];
    expect(describeDevice({ ...device, causes, checkError: "UPB-X" }, shown, NOW)).toEqual({
      state: "failing",
      error: "UPB-X",
      labels: [
        "all",
        "cause:disk-full",
        "channel:stable",
        "error:UPB-X",
        "has:stable/kiosk@2.0",
        "product:kiosk",
        "ring:stable/kiosk-2/canary",
        "state:failing",
        "tag:canary",
        "version:kiosk@2.0",
      ],
    });
  });

  it("may say anything about itself and stays within bounds", () => {
    const tags = Array.from({ length: 60_000 }, (_, at) => [`tag.t${at}`, true] as const);
    const { labels } = describeDevice({ ...device, facts: Object.fromEntries(tags) }, shown, NOW);
    expect(labels.length).toBe(2_000);
    expect(labels).toContain("state:up-to-date");
  });
});
