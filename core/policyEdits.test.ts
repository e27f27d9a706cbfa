import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Channel, Product, Version } from "../protocol/ids.ts";
import { emptyOfferPolicy, OfferPolicy, Rollout } from "../protocol/offerPolicy.ts";
import {
  addFloor,
  addHold,
  changeRollout,
  createRollout,
  type Edited,
  expediteRollout,
  liftHold,
  nextPolicy,
  type PolicyEdit,
  type RolloutAction,
  removeFloor,
  removePins,
  removeRollout,
  requireThat,
  setPin,
  setSettings,
  unsetSettings,
} from "./policyEdits.ts";
import { reachOf } from "./rollout.ts";

const NOW = "2026-06-01T12:00:00.000Z";
const NOW_MS = Date.parse(NOW);
const KIOSK = Product.parse("kiosk");
const EMPTY = emptyOfferPolicy(Channel.parse("stable"), NOW);
const iso = (ms: number) => new Date(ms).toISOString();

const rollout = (fields: object = {}): Rollout =>
  Rollout.parse({
    id: "kiosk-1.4",
    product: "kiosk",
    version: "1.4",
    createdAt: NOW,
    rings: [{ name: "all", startsAt: NOW }],
    ...fields,
  });

const changedBy = (policy: OfferPolicy, edit: PolicyEdit, nowMs = NOW_MS): OfferPolicy => {
  const edited = nextPolicy(policy, edit, iso(nowMs));
  if (edited.is !== "changed") throw new Error(edited.because);
  return edited.policy;
};
const outcome = (edited: Edited) => edited.is;

describe("an edit of a policy", () => {
  it("counts the revision up and leaves the document before as it was", () => {
    const next = changedBy(EMPTY, createRollout(rollout()), NOW_MS + 1_000);
    expect(next).toMatchObject({ revision: 2, issuedAt: iso(NOW_MS + 1_000) });
    expect(EMPTY).toMatchObject({ revision: 1, rollouts: [] });
  });

  it("that removes a rollout must mean it, unless it has reached every machine or nobody is offered more", () => {
    const half = rollout({
      rings: [{ name: "all", startsAt: NOW, curve: [{ afterHours: 0, percent: 50 }] }],
    });
    const removed = (one: Rollout, differs: Partial<OfferPolicy> = {}, mayWiden = false) => {
      const policy = { ...changedBy(EMPTY, createRollout(one)), ...differs };
      return outcome(nextPolicy(policy, removeRollout(one.id, mayWiden), NOW));
    };
    expect(removed(half)).toBe("widens");
    expect(removed(half, {}, true)).toBe("changed");
    expect(removed(half, { rolloutRequired: true })).toBe("changed");
    expect(removed(rollout())).toBe("changed");
    expect(removed(rollout({ state: "halted" }))).toBe("widens");
    expect(removed(rollout({ optional: true }))).toBe("widens");
    const some = { name: "some", startsAt: NOW, who: { fact: "tag.some", exists: true } };
    expect(removed(rollout({ rings: [some] }))).toBe("widens");
  });

  it("gives an id once, and an update one rollout", () => {
    const policy = changedBy(EMPTY, createRollout(rollout()));
    expect(outcome(nextPolicy(policy, createRollout(rollout({ version: "1.5" })), NOW))).toBe(
      "refused",
    );
    expect(outcome(nextPolicy(policy, createRollout(rollout({ id: "other" })), NOW))).toBe(
      "refused",
    );
  });

  it("of what does not exist says so", () => {
    for (const edit of [
      changeRollout("x", "halt", undefined),
      expediteRollout("x", 1),
      removeRollout("x", false),
      liftHold("x"),
      unsetSettings("x", []),
      removeFloor({ product: KIOSK, version: Version.parse("1") }),
      removePins(KIOSK),
    ])
      expect(outcome(nextPolicy(EMPTY, edit, NOW))).toBe("missing");
  });

  it("that changes nothing signs nothing", () => {
    const floor = { product: KIOSK, version: Version.parse("1.4") };
    const pin = { ...floor, text: "as agreed" };
    const settings = { id: "all", values: { qualityDeferralDays: 3 } };
    const edits = [
      addFloor(floor),
      setPin(pin),
      setSettings(settings),
      requireThat("approvals", true),
    ];
    const policy = edits.reduce((before, edit) => changedBy(before, edit), EMPTY);
    for (const edit of edits) expect(outcome(nextPolicy(policy, edit, NOW))).toBe("unchanged");
  });

  it("keeps the settings of an entry that are not named", () => {
    let policy = changedBy(EMPTY, setSettings({ id: "all", values: { qualityDeferralDays: 3 } }));
    policy = changedBy(policy, setSettings({ id: "all", values: { graceDays: 1 } }));
    expect(policy.settings).toEqual([
      { id: "all", values: { qualityDeferralDays: 3, graceDays: 1 } },
    ]);
    policy = changedBy(policy, unsetSettings("all", ["graceDays"]));
    expect(policy.settings[0]?.values).toEqual({ qualityDeferralDays: 3 });
    expect(outcome(nextPolicy(policy, unsetSettings("all", ["graceDays"]), NOW))).toBe("unchanged");
    expect(changedBy(policy, unsetSettings("all", ["qualityDeferralDays"])).settings).toEqual([]);
  });

  it("has one pin of a product for the same machines", () => {
    const who = { fact: "tag.lab", exists: true };
    const pinned = (version: string, more: object = {}) =>
      setPin({ product: KIOSK, version: Version.parse(version), ...more });
    let policy = changedBy(EMPTY, pinned("1.4"));
    policy = changedBy(policy, pinned("2.0", { who }));
    policy = changedBy(policy, pinned("1.5"));
    expect(policy.pins.map((pin) => pin.version)).toEqual(["2.0", "1.5"]);
    expect(changedBy(policy, removePins(KIOSK)).pins).toEqual([]);
  });

  it("adds and lifts a hold", () => {
    const hold = { id: "H-1", text: "The screen stays dark", updates: {}, createdAt: NOW };
    const policy = changedBy(EMPTY, addHold(hold));
    expect(changedBy(policy, liftHold("H-1")).holds).toEqual([]);
  });
});

describe("a rollout", () => {
  it("that is paused for an hour reaches everybody an hour later", () => {
    const curve = [
      { afterHours: 0, percent: 0 },
      { afterHours: 10, percent: 100 },
    ];
    const rings = [{ name: "all", startsAt: NOW, curve }];
    const device = { deviceId: "dev-1", facts: {} };
    const policy = changedBy(EMPTY, createRollout(rollout({ rings })));
    const at = (document: OfferPolicy, nowMs: number) =>
      reachOf(document.rollouts[0] ?? rollout(), device, nowMs);
    const planned = at(policy, NOW_MS);
    if (planned.is !== "waiting") throw new Error(planned.is);
    const paused = changedBy(policy, changeRollout("kiosk-1.4", "pause", "a look first"), NOW_MS);
    expect(at(paused, NOW_MS + 99 * 3_600_000).is).toBe("paused");
    const resumed = changedBy(
      paused,
      changeRollout("kiosk-1.4", "resume", undefined),
      NOW_MS + 3_600_000,
    );
    expect(at(resumed, NOW_MS)).toMatchObject({ is: "waiting", atMs: planned.atMs + 3_600_000 });
    expect(resumed.rollouts[0]).not.toHaveProperty("text");
  });

  it("that is halted is offered to nobody until it is resumed", () => {
    const policy = changedBy(EMPTY, createRollout(rollout()));
    const halted = changedBy(policy, changeRollout("kiosk-1.4", "halt", "tills stay dark"));
    expect(halted.rollouts).toMatchObject([{ state: "halted", text: "tills stay dark" }]);
    expect(outcome(nextPolicy(halted, changeRollout("kiosk-1.4", "pause", "x"), NOW))).toBe(
      "refused",
    );
    expect(outcome(nextPolicy(halted, changeRollout("kiosk-1.4", "halt", "x"), NOW))).toBe(
      "unchanged",
    );
  });

  it("stays one that every device can read, whatever is done to it and whatever the clock does", () => {
    const action = fc.constantFrom<RolloutAction>("pause", "resume", "halt");
    const step = fc.record({ action, afterMs: fc.integer({ min: -7_200_000, max: 86_400_000 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let policy = changedBy(EMPTY, createRollout(rollout()));
        let nowMs = NOW_MS;
        for (const { action: done, afterMs } of steps) {
          nowMs += afterMs;
          const edited = nextPolicy(policy, changeRollout("kiosk-1.4", done, "why"), iso(nowMs));
          if (edited.is === "changed") policy = edited.policy;
          expect(OfferPolicy.safeParse(policy).success).toBe(true);
        }
      }),
    );
  });
});
