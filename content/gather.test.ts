import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OfferInputs } from "../protocol/deviceApi.ts";
import { UpbeatError } from "../protocol/errors/error.ts";
import { Channel, Product, Sha256, Version } from "../protocol/ids.ts";
import { ProductIndex, UpdateManifest } from "../protocol/manifest.ts";
import { emptyOfferPolicy, OfferPolicy } from "../protocol/offerPolicy.ts";
import { type DeviceNow, gatherAndDecide } from "./gather.ts";
import { deviceNowFrom, reportedInputs } from "./offerInputs.ts";
import type { ReleaseSource } from "./releaseSource.ts";

const STABLE = Channel.parse("stable");
const KIOSK = Product.parse("kiosk");
const NOW = "2026-06-01T12:00:00.000Z";
const NOW_MS = Date.parse(NOW);
const shaOf = (version: string) =>
  Sha256.parse(Buffer.from(version).toString("hex").padEnd(64, "0"));

interface TestSource extends ReleaseSource {
  /** Versions of which the manifest was read. */
  readonly read: string[];
}

/** `versions`: newest first. */
function source(versions: readonly string[], policy?: OfferPolicy | Error): TestSource {
  const read: string[] = [];
  return {
    read,
    index: async (channel, product) =>
      ProductIndex.parse({
        schema: "upbeat.index/1",
        product,
        channel,
        updates: versions.map((version) => ({
          version,
          manifestSha256: shaOf(version),
          manifestSizeBytes: 1,
          publishedAt: NOW,
        })),
      }),
    async update({ product, channel }, version) {
      read.push(version);
      const manifest = UpdateManifest.parse({
        schema: "upbeat.manifest/1.0",
        ...{ product, version, channel, title: version, publishedAt: NOW },
        classification: "update",
        handler: "none",
      });
      return { id: { product, version, manifestSha256: shaOf(version) }, manifest };
    },
    async policy() {
      if (policy instanceof Error) throw policy;
      return policy;
    },
  };
}

const device = (fields: Partial<DeviceNow> = {}): DeviceNow => ({
  deviceId: `dev-${"0".repeat(32)}`,
  followed: [{ product: KIOSK, channel: STABLE }],
  facts: { "tag.till": true },
  products: [],
  records: [],
  layers: [],
  held: [],
  ...fields,
});
const installed = (version: string) => [
  { product: KIOSK, channel: STABLE, current: Version.parse(version) },
];
const policy = (fields: object): OfferPolicy =>
  OfferPolicy.parse({ ...emptyOfferPolicy(STABLE, NOW), ...fields });
const offers = async (from: ReleaseSource, on: DeviceNow) =>
  (await gatherAndDecide(from, on, NOW_MS)).decision.offers.map((it) => it.update.version);

/** 300, 299 … 1 */
const MANY = Array.from({ length: 300 }, (_, at) => String(300 - at));

describe("what a decision reads", () => {
  it("is one manifest where the newest suits", async () => {
    const from = source(MANY);
    expect(await offers(from, device())).toEqual(["300"]);
    expect(from.read).toEqual(["300"]);
  });

  it("is a version far down when the policy makes it a floor, a pin, or the only rollout", async () => {
    const at = { product: KIOSK, version: Version.parse("7") };
    const all = [{ name: "all", startsAt: NOW }];
    const rollout = { id: "r", ...at, createdAt: NOW, rings: all };
    for (const fields of [
      { floors: [at] },
      { pins: [at] },
      { rollouts: [rollout], rolloutRequired: true },
    ])
      expect(
        await offers(source(MANY, policy(fields)), device({ products: installed("3") })),
      ).toEqual(["7"]);
  });

  it("is the version that somebody asks about, also when nobody would look at it", async () => {
    const asked = { product: KIOSK, version: Version.parse("5") };
    const { input } = await gatherAndDecide(source(MANY), device(), NOW_MS, asked);
    expect(input.updates.map((it) => it.id.version)).toContain("5");
  });
});

describe("a policy", () => {
  it.each([
    ["is of another version", new UpbeatError("UPB-POLICY-VERSION", { object: "x" })],
    ["is nested beyond the stack", new RangeError("Maximum call stack size exceeded")],
  ])("that %s means that nothing is offered", async (_what, error) => {
    const { decision } = await gatherAndDecide(source(["2"], error), device(), NOW_MS);
    expect(decision).toMatchObject({ offers: [], notOffered: [{ reason: "policy-unreadable" }] });
  });

  it("that did not arrive decides nothing at all", async () => {
    const error = new UpbeatError("UPB-FETCH-UNREACHABLE", { object: "x" });
    await expect(gatherAndDecide(source(["2"], error), device(), NOW_MS)).rejects.toBe(error);
  });

  it("makes a decision that may be another one later, though nothing changes", async () => {
    const timeless = async (from: ReleaseSource, on = device()) =>
      (await gatherAndDecide(from, on, NOW_MS)).isTimeless;
    expect(await timeless(source(["2"]))).toBe(true);
    expect(await timeless(source(["2"], policy({})))).toBe(false);
    const layers = [{ layer: "user", values: { qualityDeferralDays: 3 } }] as const;
    expect(await timeless(source(["2"]), device({ layers }))).toBe(false);
  });
});

describe("what a device reports about itself", () => {
  const values = fc.record(
    {
      qualityDeferralDays: fc.integer({ min: 0, max: 30 }),
      targetVersions: fc.constantFrom({}, { kiosk: "2" }, { kiosk: "4" }),
      pause: fc.constantFrom(null, { setAt: NOW, until: "2026-06-11T12:00:00Z" }),
      userMayPause: fc.boolean(),
      optionalUpdates: fc.constantFrom("show", "hide"),
    },
    { requiredKeys: [] },
  );
  const anyDevice = fc.record({
    products: fc.constantFrom([], installed("1"), installed("3")),
    records: fc.subarray(["2", "3", "4", "5"]).map((versions) =>
      versions.map((version) => ({
        manifestSha256: shaOf(version),
        state: "rolled-back" as const,
      })),
    ),
    layers: fc
      .tuple(values, values)
      .map(([{ userMayPause: _, targetVersions: __, ...user }, admin]) => [
        { layer: "admin", values: admin },
        { layer: "user", values: user },
      ]),
    held: fc.subarray(["4", "5"]).map((versions) =>
      versions.map((version) => ({
        manifestSha256: shaOf(version),
        failures: 3,
        because: "It failed.",
      })),
    ),
  });
  const anyPolicy = fc
    .record({
      rolloutRequired: fc.boolean(),
      pins: fc.constantFrom(
        [],
        [{ product: KIOSK, version: "3", who: { fact: "tag.till", exists: true } }],
      ),
      settings: fc.constantFrom([], [{ id: "all", values: { qualityDeferralDays: 2 } }]),
    })
    .map(policy);

  it("makes the server decide as the device does", async () => {
    await fc.assert(
      fc.asyncProperty(anyDevice, anyPolicy, async (fields, signed) => {
        const here = device(fields as Partial<DeviceNow>);
        const sent = OfferInputs.parse(JSON.parse(JSON.stringify(reportedInputs(here))));
        const { deviceId, products, facts } = here;
        const summary = { deviceId: deviceId as never, products: [...products] };
        const there = deviceNowFrom(summary, facts, sent);
        const from = source(["5", "4", "3", "2", "1"], signed);
        const [mine, its] = [
          await gatherAndDecide(from, here, NOW_MS),
          await gatherAndDecide(from, there, NOW_MS),
        ];
        expect(its.decision).toEqual(mine.decision);
        expect(its.settings.policy).toEqual(mine.settings.policy);
      }),
      { numRuns: 200 },
    );
  });
});
