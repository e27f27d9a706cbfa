import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Product, Version } from "../protocol/ids.ts";
import { knownUpdate, offerRules, STABLE } from "../tests/support/knownUpdates.ts";
import { explain } from "./explain.ts";
import type { OfferInput } from "./installedHere.ts";
import { decideOffers } from "./offer.ts";
import type { SettingsLayer } from "./settings.ts";

const NOW_MS = Date.parse("2026-03-10T12:00:00Z");
const DAY_MS = 86_400_000;
const kiosk = (version: string, differs: object = {}) => knownUpdate("kiosk", version, differs);

describe("the signed policy", () => {
  it("that cannot be read offers nothing of its channel", () => {
    expect(outcome({ policy: "unreadable" })).toBe("policy-unreadable");
  });

  it("offers an update to those whom its rollout has reached, and tells the others when", () => {
    const rings = (startsAt: string) => [{ name: "all", startsAt }];
    expect(outcome({ policy: { rollouts: [rollout({ rings: rings(days(-1)) })] } })).toBe(
      "offered",
    );
    const early = { policy: { rollouts: [rollout({ rings: rings(days(2)) })] } };
    expect(outcome(early)).toBe("ring-not-reached");
    expect(why(early)).toMatchObject({ untilMs: NOW_MS + 2 * DAY_MS, by: "R-1" });
  });

  it.each([
    [{ state: "halted", text: "It eats batteries" }, "rollout-halted"],
    [{ state: "paused", pauses: [{ from: days(-5) }] }, "rollout-paused"],
    [
      {
        rings: [{ name: "pilot", who: { fact: "tag.pilot", exists: true }, startsAt: days(-1) }],
      },
      "not-in-rollout",
    ],
  ])("with a rollout that is %j answers %s", (differs, reason) => {
    const startsLater = { rings: [{ name: "all", startsAt: days(-1) }], ...differs };
    expect(outcome({ policy: { rollouts: [rollout(startsLater)] } })).toBe(reason);
  });

  it("offers what has no rollout to everyone, unless it asks for one", () => {
    expect(outcome({ policy: {} })).toBe("offered");
    expect(outcome({ policy: { rolloutRequired: true } })).toBe("not-in-rollout");
  });

  it("keeps an update from machines that a hold names, with its text, until it ends", () => {
    const hold = {
      id: "H-7",
      text: "The screen stays dark.",
      updates: { product: "kiosk", from: "2" },
      createdAt: days(-1),
      expectedAt: days(3),
    };
    const debian = { who: { fact: "os.id", equals: "debian" } };
    const held = why({ policy: { holds: [{ ...hold, ...debian }] } });
    expect(held).toMatchObject({ reason: "safeguard-hold", by: "H-7" });
    expect(held.sentence).toContain("The screen stays dark.");
    const fedora = { who: { fact: "os.id", equals: "fedora" } };
    expect(outcome({ policy: { holds: [{ ...hold, ...fedora }] } })).toBe("offered");
    expect(outcome({ policy: { holds: [{ ...hold, expiresAt: days(-0.5) }] } })).toBe("offered");
    expect(outcome({ policy: { holds: [{ ...hold, updates: { below: "2" } }] } })).toBe("offered");
    const endless = { who: nested(40) };
    expect(outcome({ policy: { holds: [{ ...hold, ...endless }] } })).toBe("safeguard-hold");
  });

  it("leaves the version before on offer when the newest is held", () => {
    const holds = [{ id: "H", text: "x", updates: { version: "2.0" }, createdAt: days(-1) }];
    const input = world({ policy: { holds } }, [kiosk("2.0"), kiosk("1.5")]);
    expect(decideOffers(input).offers.map((it) => it.update.version)).toEqual(["1.5"]);
  });

  it("asks for approval where it says so; declining wins", () => {
    const approval = (differs: object) => ({
      id: `A-${JSON.stringify(differs).length}`,
      action: "approve",
      updates: { product: "kiosk" },
      createdAt: days(-9),
      ...differs,
    });
    const required = (...approvals: object[]) =>
      outcome({ policy: { approvalRequired: true, approvals } });
    expect(required()).toBe("not-approved");
    expect(required(approval({}))).toBe("offered");
    expect(required(approval({ startsAt: days(1) }))).toBe("not-approved");
    expect(required(approval({ expiresAt: days(-1) }))).toBe("not-approved");
    expect(required(approval({ who: nested(40) }))).toBe("not-approved");
    expect(required(approval({}), approval({ id: "D", action: "decline" }))).toBe("declined");
    const later = why({
      policy: { approvalRequired: true, approvals: [approval({ startsAt: days(1) })] },
    });
    expect(later.untilMs).toBe(NOW_MS + DAY_MS);
  });

  it("gives an offer the earliest of its deadlines", () => {
    const approvals = [days(5), days(3)].map((deadline, at) => ({
      id: `A-${at}`,
      action: "approve",
      updates: {},
      createdAt: days(-9),
      deadline,
    }));
    const input = world({ policy: { approvals } }, [kiosk("2.0", { deadline: days(4) })]);
    expect(decideOffers(input).offers[0]?.deadlineMs).toBe(NOW_MS + 3 * DAY_MS);
  });

  it("lets nobody skip a floor: a machine below it gets the floor first", () => {
    const floors = [
      { product: "kiosk", version: "1.8" },
      { product: "kiosk", version: "1.4" },
    ];
    const versions = ["2.0", "1.8", "1.6", "1.4", "1.2"].map((version) => kiosk(version));
    const offered = (installed?: string) =>
      decideOffers(world({ policy: { floors } }, versions, installed)).offers[0]?.update.version;
    expect(offered("1.0")).toBe("1.4");
    expect(offered("1.4")).toBe("1.8");
    expect(offered("1.8")).toBe("2.0");
    expect(offered(undefined)).toBe("2.0");
  });

  it("holds a product at a pinned version, and lets that one come without deferral", () => {
    const pins = [{ product: "kiosk", version: "1.5" }];
    const updates = [kiosk("2.0"), kiosk("1.5", { publishedAt: days(-1) })];
    const layers: SettingsLayer[] = [{ layer: "admin", values: { qualityDeferralDays: 20 } }];
    const input = world({ policy: { pins }, layers }, updates);
    expect(decideOffers(input).offers.map((it) => it.update.version)).toEqual(["1.5"]);
    expect(why({ policy: { pins } }).reason).toBe("pinned");
  });

  it("in a hurry passes deferral, pause and curve, but no hold and no floor", () => {
    const hurry = rollout({
      rings: [{ name: "all", startsAt: days(20), curve: [{ afterHours: 0, percent: 1 }] }],
      expedite: { deadlineDays: 1 },
    });
    const pause = { setAt: days(-1), until: days(9) };
    const layers: SettingsLayer[] = [{ layer: "user", values: { qualityDeferralDays: 30, pause } }];
    const young = [kiosk("2.0", { publishedAt: days(-1) })];
    const input = (policy: object) =>
      world({ policy: { rollouts: [hurry], ...policy }, layers }, young, "1.0");
    expect(decideOffers(input({})).offers).toMatchObject([{ expedited: true, deadlineDays: 1 }]);
    const holds = [{ id: "H", text: "x", updates: {}, createdAt: days(-1) }];
    expect(decideOffers(input({ holds })).offers).toEqual([]);
    const floors = [{ product: "kiosk", version: "1.5" }];
    expect(decideOffers(input({ floors })).offers).toEqual([]);
  });
});

describe("the settings", () => {
  it("defer by classification, from the day of publication, definitions never", () => {
    const layers: SettingsLayer[] = [
      { layer: "admin", values: { qualityDeferralDays: 5, featureDeferralDays: 100 } },
    ];
    const age = (classification: string, ageDays: number) =>
      outcome({ layers }, kiosk("2.0", { classification, publishedAt: days(-ageDays) }));
    expect(age("security", 4)).toBe("deferred");
    expect(age("security", 5)).toBe("offered");
    expect(age("feature", 5)).toBe("deferred");
    expect(age("definition", 0)).toBe("offered");
    const deferred = why({ layers }, kiosk("2.0", { publishedAt: days(-4) }));
    expect(deferred).toMatchObject({ untilMs: NOW_MS + DAY_MS, by: "admin" });
  });

  it("pause what is new, and say who did and until when", () => {
    const pause = { setAt: days(-1), until: days(6) };
    const paused = why({ layers: [{ layer: "user", values: { pause } }] });
    expect(paused).toMatchObject({ reason: "paused", by: "user", untilMs: NOW_MS + 6 * DAY_MS });
    const over = { setAt: days(-9), until: days(-1) };
    expect(outcome({ layers: [{ layer: "user", values: { pause: over } }] })).toBe("offered");
  });

  it("hold a product at the administrator's version and hide what is optional", () => {
    const targetVersions = { [Product.parse("kiosk")]: Version.parse("1.9") };
    expect(outcome({ layers: [{ layer: "admin", values: { targetVersions } }] })).toBe("pinned");
    const optional = {
      rollouts: [rollout({ optional: true, rings: [{ name: "all", startsAt: days(-1) }] })],
    };
    expect(outcome({ policy: optional })).toBe("offered");
    const layers: SettingsLayer[] = [{ layer: "user", values: { optionalUpdates: "hide" } }];
    expect(outcome({ policy: optional, layers })).toBe("hidden");
  });

  it("of the machine itself never widen what the signed policy offers", () => {
    const local = fc.record({
      qualityDeferralDays: fc.integer({ min: 0, max: 30 }),
      optionalUpdates: fc.constantFrom("show" as const, "hide" as const),
      pause: fc.constantFrom(null, { setAt: days(-1), until: days(6) }),
    });
    const deferral = fc.integer({ min: 0, max: 30 });
    fc.assert(
      fc.property(deferral, fc.nat(40), local, local, (serverDays, ageDays, admin, user) => {
        const server: SettingsLayer = {
          layer: "server",
          values: { qualityDeferralDays: serverDays },
        };
        const update = kiosk("2.0", { publishedAt: days(-ageDays) });
        const signedAlone = outcome({ layers: [server] }, update);
        const withLocal = outcome(
          { layers: [server, { layer: "admin", values: admin }, { layer: "user", values: user }] },
          update,
        );
        if (withLocal === "offered") expect(signedAlone).toBe("offered");
      }),
    );
  });
});

describe("the machine's own past", () => {
  it("holds an update back that keeps failing", () => {
    const heldHere = () => ({ failures: 4, untilMs: NOW_MS + DAY_MS, because: "disk full" });
    expect(why({ heldHere })).toMatchObject({ reason: "failed-here", untilMs: NOW_MS + DAY_MS });
  });
});

describe("the answer to why", () => {
  it("asks every question, also after the one that stopped it, with the conditions of rules", () => {
    const rule = {
      all: [
        { fact: "os.id", equals: "debian" },
        { fact: "gpu", exists: true },
      ],
    };
    const update = kiosk("2.0", { applicability: { isInstallable: rule } });
    const { trace, reason } = why({ policy: { approvalRequired: true } }, update);
    expect(reason).toBe("not-installable");
    const stopped = trace.filter((step) => step.answer === "stopped");
    expect(stopped).toHaveLength(2);
    const conditions = stopped[0]?.parts?.[0]?.parts;
    expect(conditions?.map((step) => step.question)).toEqual(['os.id = "debian"?', "gpu exists?"]);
  });

  it("is about the newest version when nothing is offered, and about the one that is asked for", () => {
    const updates = [kiosk("1.5"), kiosk("2.0")];
    const input = world({ policy: { approvalRequired: true } }, updates);
    const product = Product.parse("kiosk");
    expect(explain(input, { product }).version).toBe("2.0");
    expect(explain(input, { product, version: Version.parse("1.5") }).version).toBe("1.5");
    expect(explain(input, { product: Product.parse("nothing") }).outcome).toBe("unknown");
  });
});

type World = NonNullable<Parameters<typeof offerRules>[1]>;

function world(differs: World, updates = [kiosk("2.0")], installed?: string): OfferInput {
  return {
    updates,
    facts: { "os.id": "debian" },
    products:
      installed === undefined
        ? []
        : [{ product: Product.parse("kiosk"), channel: STABLE, current: Version.parse(installed) }],
    records: [],
    rules: offerRules(NOW_MS, differs),
  };
}

const why = (differs: World, update = kiosk("2.0")) =>
  explain(world(differs, [update]), { product: update.id.product });
const outcome = (differs: World, update = kiosk("2.0")) => {
  const { outcome: is, reason } = why(differs, update);
  return reason ?? is;
};

/** Days from now, as text. */
function days(count: number): string {
  return new Date(NOW_MS + count * DAY_MS).toISOString();
}

const rollout = (differs: object) => ({
  id: "R-1",
  product: "kiosk",
  version: "2.0",
  createdAt: days(-3),
  ...differs,
});

function nested(depth: number): object {
  let rule: object = { fact: "os.id", exists: true };
  for (let at = 0; at < depth; at++) rule = { not: rule };
  return rule;
}
