import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Channel, Product, Sha256, Version } from "../protocol/ids.ts";
import { UpdateManifest } from "../protocol/manifest.ts";
import type { InstalledProduct, UpdateRecord } from "../protocol/updateServiceApi.ts";
import type { KnownUpdate, OfferInput } from "./installedHere.ts";
import { decideOffers } from "./offer.ts";
import { compareVersions } from "./versionOrder.ts";

describe("what is offered", () => {
  it("is the highest version, also when nothing is installed yet", () => {
    const decision = decide({ updates: [update("kiosk", "1.9"), update("kiosk", "1.10")] });
    expect(offered(decision)).toEqual(["kiosk@1.10"]);
    expect(reasons(decision)).toEqual({ "kiosk@1.9": "superseded" });
  });

  it("is nothing when the highest version is installed", () => {
    const decision = decide({
      updates: [update("kiosk", "1.0"), update("kiosk", "2.0")],
      products: [installed("kiosk", "2.0")],
    });
    expect(offered(decision)).toEqual([]);
    expect(reasons(decision)).toEqual({
      "kiosk@1.0": "older-than-installed",
      "kiosk@2.0": "installed",
    });
  });

  it("is the next lower version when the highest is not made for this machine", () => {
    const other = { isInstallable: { fact: "os.id", equals: "fedora" } };
    const decision = decide({
      updates: [update("kiosk", "2.0", { applicability: other }), update("kiosk", "1.0")],
    });
    expect(offered(decision)).toEqual(["kiosk@1.0"]);
    expect(reasons(decision)).toEqual({ "kiosk@2.0": "not-installable" });
    expect(decision.notOffered[0]?.detail).toContain("os.id");
  });

  it("never is an update that was rolled back here, until another build of it is published", () => {
    const bad = update("kiosk", "2.0");
    const products = [installed("kiosk", "1.0")];
    const records = [record(bad, "rolled-back")];
    expect(reasons(decide({ updates: [bad], products, records }))).toEqual({
      "kiosk@2.0": "rolled-back-here",
    });
    const rebuilt = { ...bad, id: { ...bad.id, manifestSha256: Sha256.parse("e".repeat(64)) } };
    expect(offered(decide({ updates: [rebuilt], products, records }))).toEqual(["kiosk@2.0"]);
  });

  it("says what it is: size, classification and the version that it replaces", () => {
    const payload = { sha256: "a".repeat(64), sizeBytes: 300, files: 2, totalBytes: 14 };
    const decision = decide({
      updates: [update("kiosk", "2.0", { payload, classification: "security" })],
      products: [installed("kiosk", "1.0")],
    });
    expect(decision.offers).toMatchObject([
      { sizeBytes: 14, classification: "security", installedVersion: "1.0" },
    ]);
    expect(decision.installs.get("kiosk@2.0")).toEqual([decision.offers[0]?.update]);
  });
});

describe("rules", () => {
  it("of isInstalled recognise software that came another way", () => {
    const here = { isInstalled: { fact: "os.id", equals: "debian" } };
    const decision = decide({
      updates: [update("kiosk", "2.0", { applicability: here }), update("kiosk", "1.0")],
    });
    expect(reasons(decision)).toEqual({
      "kiosk@2.0": "installed",
      "kiosk@1.0": "older-than-installed",
    });
  });

  it("of isSuperseded take an update out, with the fact that did it", () => {
    const rule = { isSuperseded: { fact: "os.version", versionAtLeast: "12" } };
    const decision = decide({ updates: [update("kiosk", "2.0", { applicability: rule })] });
    expect(reasons(decision)).toEqual({ "kiosk@2.0": "superseded" });
  });

  it("that are nested too deeply refuse the update instead of offering it", () => {
    let deep: object = { fact: "gpu", exists: true };
    for (let at = 0; at < 40; at++) deep = { not: deep };
    for (const rule of ["isInstalled", "isSuperseded", "isInstallable"]) {
      const decision = decide({
        updates: [update("kiosk", "2.0", { applicability: { [rule]: deep } })],
      });
      expect(reasons(decision)).toEqual({ "kiosk@2.0": "not-installable" });
    }
  });
});

describe("relations", () => {
  const detectoid = update("is-debian", "1", {
    kind: "detectoid",
    handler: "none",
    applicability: { isInstalled: { fact: "os.id", equals: "debian" } },
  });

  it("need one update of every prerequisite group", () => {
    const app = update("kiosk", "1.0", {
      prerequisites: [
        {
          anyOf: [
            { product: "runtime", version: "9" },
            { product: "runtime", version: "8" },
          ],
        },
        { anyOf: [{ product: "is-debian" }] },
      ],
    });
    const updates = [app, detectoid];
    expect(reasons(decide({ updates }))).toEqual({ "kiosk@1.0": "prerequisite-missing" });
    const products = [installed("runtime", "8")];
    expect(offered(decide({ updates, products }))).toEqual(["kiosk@1.0"]);
    expect(reasons(decide({ updates: [app], products }))).toEqual({
      "kiosk@1.0": "prerequisite-missing",
    });
  });

  it("never offer a detectoid or a category", () => {
    const category = update("tools", "1", { kind: "category", handler: "none" });
    expect(decide({ updates: [detectoid, category] })).toMatchObject({
      offers: [],
      notOffered: [],
    });
  });

  it("let a later update of another product replace an earlier one", () => {
    const old = update("viewer", "1.0", { publishedAt: "2026-01-01T00:00:00Z" });
    const young = update("suite", "1.0", {
      publishedAt: "2026-02-01T00:00:00Z",
      supersedes: [{ product: "viewer" }],
    });
    const decision = decide({ updates: [old, young] });
    expect(offered(decision)).toEqual(["suite@1.0"]);
    expect(reasons(decision)).toEqual({ "viewer@1.0": "superseded" });
  });

  it("of two updates that name each other leave one", () => {
    const a = update("a", "1", {
      publishedAt: "2026-01-01T00:00:00Z",
      supersedes: [{ product: "b" }],
    });
    const b = update("b", "1", {
      publishedAt: "2026-02-01T00:00:00Z",
      supersedes: [{ product: "a" }],
    });
    expect(offered(decide({ updates: [a, b] }))).toEqual(["b@1"]);
  });
});

describe("a bundle", () => {
  const child = (product: string) => ({ product, version: "1" });
  const bundle = (product: string, ...children: string[]) =>
    update(product, "1", { kind: "bundle", handler: "none", children: children.map(child) });

  it("means its children that are not here yet, in their order", () => {
    const decision = decide({
      updates: [
        bundle("all", "b", "some", "c"),
        bundle("some", "a", "b"),
        update("a", "1"),
        update("b", "1"),
        update("c", "1"),
      ],
      products: [installed("c", "2")],
    });
    expect(decision.installs.get("all@1")?.map((id) => id.product)).toEqual(["b", "a"]);
  });

  it("is installed when all its children are", () => {
    const decision = decide({
      updates: [bundle("all", "a", "b"), update("a", "1"), update("b", "1")],
      products: [installed("a", "1"), installed("b", "2")],
    });
    expect(reasons(decision)["all@1"]).toBe("installed");
  });

  it("is refused when a child is unknown, unsuitable or was rolled back, and says which", () => {
    const unsuitable = update("b", "1", {
      applicability: { isInstallable: { fact: "gpu", exists: true } },
    });
    expect(reasons(decide({ updates: [bundle("all", "b")] }))["all@1"]).toBe("not-installable");
    const decision = decide({ updates: [bundle("all", "b"), unsuitable] });
    expect(reasons(decision)["all@1"]).toBe("not-installable");
    expect(decision.notOffered[0]?.detail).toContain("b@1");
    const records = [record(update("b", "1"), "rolled-back")];
    expect(reasons(decide({ updates: [bundle("all", "b"), update("b", "1")], records }))).toEqual({
      "all@1": "rolled-back-here",
      "b@1": "rolled-back-here",
    });
  });

  it("in a circle or nested too deeply is refused", () => {
    const circle = [bundle("a", "b"), bundle("b", "c"), bundle("c", "a")];
    expect(Object.values(reasons(decide({ updates: circle })))).toEqual(
      Array(3).fill("not-installable"),
    );
    const deep = Array.from({ length: 12 }, (_, at) => bundle(`p${at}`, `p${at + 1}`));
    expect(reasons(decide({ updates: [...deep, update("p12", "1")] })).p0).toBeUndefined();
    expect(reasons(decide({ updates: [...deep, update("p12", "1")] }))["p0@1"]).toBe(
      "not-installable",
    );
  });

  it("that shares children in many layers costs little", () => {
    const layers = Array.from({ length: 7 }, (_, at) =>
      bundle(`p${at}`, ...Array<string>(40).fill(`p${at + 1}`)),
    );
    expect(reasons(decide({ updates: [...layers, update("p7", "1")] }))["p0@1"]).toBe(
      "not-installable",
    );
  });

  it("that is reached again through a newer version ends", () => {
    const a1 = bundle("a", "b");
    const b2 = update("b", "2", { kind: "bundle", handler: "none", children: [child("a")] });
    const b1 = bundle("b", "x");
    expect(() => decide({ updates: [a1, b1, b2, update("x", "1")] })).not.toThrow();
  });
});

describe("for every set of updates and every machine", () => {
  it("one version a product is offered, newer than the installed, and each update has one answer", () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const decision = decideOffers(world);
        const names = offered(decision);
        const products = decision.offers.map((offer) => offer.update.product);
        expect(new Set(products).size).toBe(products.length);
        expect([...names, ...Object.keys(reasons(decision))].toSorted()).toEqual(
          world.updates.map((it) => `${it.id.product}@${it.id.version}`).toSorted(),
        );
        for (const { update: id } of decision.offers) {
          const here = world.products.find((it) => it.product === id.product)?.current;
          if (here !== undefined) expect(compareVersions(id.version, here)).toBeGreaterThan(0);
        }
      }),
    );
  });

  it("the answer does not depend on the order in which updates are known, nor on asking twice", () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const turned = { ...world, updates: world.updates.toReversed() };
        expect(decideOffers(turned)).toEqual(decideOffers(world));
      }),
    );
  });
});

const SHA = "0123456789abcdef";

function update(product: string, version: string, differs: object = {}): KnownUpdate {
  const manifest = UpdateManifest.parse({
    schema: "upbeat.manifest/1.0",
    product,
    version,
    channel: "stable",
    title: `${product} ${version}`,
    classification: "update",
    publishedAt: "2026-01-01T00:00:00Z",
    handler: "tree",
    ...differs,
  });
  const digit = SHA[(product.length + version.length) % 16] ?? "0";
  return {
    manifest,
    id: {
      product: manifest.product,
      version: manifest.version,
      manifestSha256: Sha256.parse(digit.repeat(64)),
    },
  };
}

const installed = (product: string, current: string): InstalledProduct => ({
  product: Product.parse(product),
  channel: Channel.parse("stable"),
  current: Version.parse(current),
});

const record = (of: KnownUpdate, state: UpdateRecord["state"]): UpdateRecord => ({
  ...of.id,
  state,
  sinceMs: 0,
  jobId: "7b0a8cf6-4b44-4b5f-9c39-5b0b4b1f7f10",
});

const decide = (differs: Partial<OfferInput>) =>
  decideOffers({
    updates: [],
    facts: { "os.id": "debian", "os.version": "13" },
    products: [],
    records: [],
    ...differs,
  });

const offered = (decision: ReturnType<typeof decideOffers>): string[] =>
  decision.offers.map((offer) => `${offer.update.product}@${offer.update.version}`);

const reasons = (decision: ReturnType<typeof decideOffers>): Record<string, string> =>
  Object.fromEntries(decision.notOffered.map((it) => [`${it.product}@${it.version}`, it.reason]));

const names = fc.constantFrom("a", "b", "c");
const versionTexts = fc.constantFrom("1", "1.1", "2", "2-rc1", "3");
const worlds: fc.Arbitrary<OfferInput> = fc
  .record({
    updates: fc.uniqueArray(
      fc.tuple(names, versionTexts, fc.boolean(), fc.option(names, { nil: undefined })),
      { selector: ([product, version]) => `${product}@${version}`, maxLength: 8 },
    ),
    here: fc.dictionary(names, versionTexts),
  })
  .map(({ updates, here }) => ({
    updates: updates.map(([product, version, fits, replaced]) =>
      update(product, version, {
        applicability: { isInstallable: { fact: "os.id", equals: fits ? "debian" : "fedora" } },
        supersedes: replaced === undefined ? [] : [{ product: replaced }],
        publishedAt: `2026-01-0${version.length}T00:00:00Z`,
      }),
    ),
    facts: { "os.id": "debian" },
    products: Object.entries(here).map(([product, version]) => installed(product, version)),
    records: [],
  }));
