/** Updates, policies and what else the deciding code takes, made short for tests and benches. */
import { createHash } from "node:crypto";
import type { KnownUpdate } from "../../core/installedHere.ts";
import type { OfferRules } from "../../core/offerContext.ts";
import { combineSettings, type SettingsLayer } from "../../core/settings.ts";
import { Channel, Sha256 } from "../../protocol/ids.ts";
import { UpdateManifest } from "../../protocol/manifest.ts";
import { emptyOfferPolicy, OfferPolicy } from "../../protocol/offerPolicy.ts";

export const STABLE = Channel.parse("stable");

export function knownUpdate(product: string, version: string, differs: object = {}): KnownUpdate {
  const manifest = UpdateManifest.parse({
    schema: "upbeat.manifest/1.0",
    product,
    version,
    channel: STABLE,
    title: `${product} ${version}`,
    classification: "update",
    publishedAt: "2026-01-01T00:00:00Z",
    handler: "tree",
    ...differs,
  });
  const manifestSha256 = Sha256.parse(
    createHash("sha256").update(JSON.stringify(manifest)).digest("hex"),
  );
  return {
    manifest,
    id: { product: manifest.product, version: manifest.version, manifestSha256 },
  };
}

export const stablePolicy = (differs: object): OfferPolicy =>
  OfferPolicy.parse({ ...emptyOfferPolicy(STABLE, "2026-01-01T00:00:00Z"), ...differs });

export function offerRules(
  nowMs: number,
  differs: {
    policy?: object | "unreadable";
    layers?: readonly SettingsLayer[];
    deviceId?: string;
    heldHere?: OfferRules["heldHere"];
  } = {},
): OfferRules {
  const { policy, layers = [], deviceId = "dev-1", heldHere = () => undefined } = differs;
  const { settings, setBy } = combineSettings(layers, nowMs);
  const signed = typeof policy === "object" ? stablePolicy(policy) : policy;
  const policies = new Map(signed === undefined ? [] : [[STABLE, signed] as const]);
  return { deviceId, nowMs, policies, settings, setBy, heldHere };
}
