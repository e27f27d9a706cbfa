/**
 * How a device stands, and the labels by which it is found, from what it has reported. Pure.
 *
 * A label is a word that many devices share: `state:failing`, `tag:kiosk`, `version:kiosk@1.4`. All
 * that the list of devices is filtered by is a label, so that every filter is found and counted in
 * the same way.
 */
import { reachOf } from "../../core/rollout.ts";
import { compareVersions } from "../../core/versionOrder.ts";
import type { DEVICE_STATES } from "../../protocol/admin/fleet.ts";
import type { Facts, OfferInputs } from "../../protocol/deviceApi.ts";
import { type Channel, formatUpdate, type Product, type Version } from "../../protocol/ids.ts";
import type { Rollout } from "../../protocol/offerPolicy.ts";
import type { InstalledProduct } from "../../protocol/updateServiceApi.ts";

/** What is published and signed now. */
export interface Shown {
  newest(channel: Channel, product: Product): Version | undefined;
  rollouts(channel: Channel): readonly Rollout[];
}

export interface ReportedDevice {
  readonly deviceId: string;
  readonly lastSeenMs: number | undefined;
  readonly facts: Facts;
  readonly products: readonly InstalledProduct[];
  /** Undefined: it has not said what it follows. */
  readonly followed: OfferInputs["followed"] | undefined;
  /** Updates that stand with an error there. */
  readonly failures: readonly { product: string; version: string; code: string }[];
  /** Of its last check, when that failed. */
  readonly checkError: string | undefined;
  /** What its troubleshooter found. */
  readonly causes: readonly string[];
}

export interface Described {
  readonly state: (typeof DEVICE_STATES)[number];
  readonly error: string | undefined;
  /** Sorted, each once. */
  readonly labels: readonly string[];
}

/** A machine that checks once a day and was off over a long weekend is not silent. */
export const SILENT_AFTER_MS = 7 * 86_400_000;

/** An engine takes only so many parameters in one statement; a sane machine has a dozen. */
const MAX_LABELS = 2_000;

/** Every device has it. */
export const EVERY_DEVICE = "all";
export const label = {
  state: (state: string) => `state:${state}`,
  error: (code: string) => `error:${code}`,
  cause: (cause: string) => `cause:${cause}`,
  channel: (channel: string) => `channel:${channel}`,
  product: (product: string) => `product:${product}`,
  version: (product: string, version: string) => `version:${formatUpdate({ product, version })}`,
  tag: (tag: string) => `tag:${tag}`,
  ring: (channel: string, rollout: string, ring: string) => `ring:${channel}/${rollout}/${ring}`,
  /** Counted, never listed: what the devices of a channel have of a product; `-`: nothing. */
  has: (channel: string, product: string, version: string) =>
    `has:${channel}/${formatUpdate({ product, version })}`,
};

export function describe(device: ReportedDevice, shown: Shown, nowMs: number): Described {
  const { facts, products, lastSeenMs } = device;
  const followed = device.followed ?? products;
  const versionOf = (product: string) => products.find((it) => it.product === product)?.current;
  const error = errorOf(device, versionOf) ?? device.checkError;
  const isOutdated = followed.some(({ channel, product }) => {
    const newest = shown.newest(channel, product);
    const current = versionOf(product);
    return newest !== undefined && (current === undefined || compareVersions(current, newest) < 0);
  });
  const state =
    lastSeenMs === undefined || (device.followed === undefined && products.length === 0)
      ? "unknown"
      : lastSeenMs <= nowMs - SILENT_AFTER_MS
        ? "silent"
        : error !== undefined
          ? "failing"
          : isOutdated
            ? "behind"
            : "up-to-date";
  const labels = [
    EVERY_DEVICE,
    label.state(state),
    ...(error === undefined ? [] : [label.error(error)]),
    ...device.causes.map(label.cause),
    ...followed.flatMap(({ channel, product }) => [
      label.channel(channel),
      label.product(product),
      label.has(channel, product, versionOf(product) ?? "-"),
      ...shown.rollouts(channel).flatMap((rollout) => ringLabel(channel, product, rollout, device)),
    ]),
    ...products.flatMap(({ product, current }) =>
      current === undefined ? [] : [label.version(product, current)],
    ),
    ...tagsOf(facts).map(label.tag),
  ];
  return { state, error, labels: [...new Set(labels)].slice(0, MAX_LABELS).toSorted() };
}

/** `etc/upbeat/tags` of the machine. */
export const tagsOf = (facts: Facts): string[] =>
  Object.keys(facts).flatMap((fact) => (fact.startsWith("tag.") ? [fact.slice(4)] : []));

/** Of the newest version that failed; one that a later one has replaced since is no matter now. */
function errorOf(
  { failures }: ReportedDevice,
  versionOf: (product: string) => Version | undefined,
): string | undefined {
  const standing = failures.filter(({ product, version }) => {
    const current = versionOf(product);
    return current === undefined || compareVersions(version, current) >= 0;
  });
  return standing.toSorted((a, b) => compareVersions(b.version, a.version))[0]?.code;
}

function ringLabel(
  channel: Channel,
  product: Product,
  rollout: Rollout,
  device: ReportedDevice,
): string[] {
  if (rollout.product !== product) return [];
  // Which ring it is in does not change with the state of the rollout.
  const reach = reachOf({ ...rollout, state: "running" }, device, 0);
  return "ring" in reach ? [label.ring(channel, rollout.id, reach.ring)] : [];
}
