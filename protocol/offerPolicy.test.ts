import { describe, expect, it } from "vitest";
import { Channel } from "./ids.ts";
import {
  emptyOfferPolicy,
  OfferPolicy,
  POLICY_MAX_BYTES,
  Ring,
  readOfferPolicy,
} from "./offerPolicy.ts";

const stable = Channel.parse("stable");
const empty = emptyOfferPolicy(stable, "2026-01-01T00:00:00Z");
const read = (value: unknown) =>
  readOfferPolicy(new TextEncoder().encode(JSON.stringify(value)), stable, "stable/-/policy");

describe("a signed offer policy", () => {
  it("comes back as it was written", () => {
    const policy = OfferPolicy.parse({
      ...empty,
      revision: 7,
      rollouts: [
        {
          id: "kiosk-1.4",
          product: "kiosk",
          version: "1.4.0",
          createdAt: "2026-01-01T00:00:00Z",
          rings: [
            {
              name: "pilot",
              who: { fact: "tag.pilot", exists: true },
              startsAt: "2026-01-02T00:00:00Z",
            },
            {
              name: "everyone",
              startsAt: "2026-01-05T00:00:00Z",
              curve: [
                { afterHours: 0, percent: 1 },
                { afterHours: 72, percent: 100 },
              ],
            },
          ],
        },
      ],
      settings: [{ id: "kiosks", values: { qualityDeadlineDays: 3 } }],
    });
    expect(read(policy)).toEqual(policy);
  });

  it("of another major version is refused, because what is not understood may be a hold", () => {
    expect(() => read({ ...empty, schema: "upbeat.policy/2.0" })).toThrow(
      expect.objectContaining({ code: "UPB-POLICY-VERSION" }),
    );
  });

  it.each([
    ["that speaks for another channel", { ...empty, channel: "beta" }],
    ["in which an id names two entries", { ...empty, holds: [hold("H-1"), hold("H-1")] }],
    ["without a revision", { ...empty, revision: undefined }],
    ["that is no object", []],
  ])("%s is refused", (_, value) => {
    expect(() => read(value)).toThrow(expect.objectContaining({ code: "UPB-POLICY-INVALID" }));
  });

  it("with as many holds as are allowed fits what a device reads", () => {
    const holds = Array.from({ length: 1_000 }, (_, at) => hold(`H-${at}`));
    expect(JSON.stringify(OfferPolicy.parse({ ...empty, holds })).length).toBeLessThan(
      POLICY_MAX_BYTES,
    );
    expect(OfferPolicy.safeParse({ ...empty, holds: [...holds, hold("H-x")] }).success).toBe(false);
  });

  it("knows no curve that takes back what it gave, or goes back in time", () => {
    const ring = (...curve: [number, number][]) =>
      Ring.safeParse({
        name: "all",
        startsAt: "2026-01-01T00:00:00Z",
        curve: curve.map(([afterHours, percent]) => ({ afterHours, percent })),
      }).success;
    expect(ring([0, 10], [1, 50])).toBe(true);
    expect(ring([0, 10], [1, 5])).toBe(false);
    expect(ring([1, 10], [1, 50])).toBe(false);
    expect(ring([0, 101])).toBe(false);
  });
});

function hold(id: string) {
  return {
    id,
    text: "The screen stays dark after it.".repeat(10),
    updates: { product: "kiosk" },
    createdAt: "2026-01-01T00:00:00Z",
  };
}
