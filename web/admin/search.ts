/** What addresses of pages say after `?`: of whatever somebody typed there only what pages know. */

type Given = Readonly<Record<string, unknown>>;

/** Numbers too: a version such as `2` is one to whoever parses addresses. */
const text = (value: unknown): string | undefined =>
  (typeof value === "string" && value !== "") || typeof value === "number"
    ? String(value)
    : undefined;

const oneOf = <Known extends string>(known: readonly Known[], value: unknown): Known | undefined =>
  known.find((one) => one === value);

export const DEVICE_STATES = ["up-to-date", "behind", "failing", "silent", "unknown"] as const;

export interface FleetSearch {
  readonly q?: string | undefined;
  readonly state?: (typeof DEVICE_STATES)[number] | undefined;
  readonly channel?: string | undefined;
  readonly product?: string | undefined;
  readonly version?: string | undefined;
  readonly tag?: string | undefined;
  readonly ring?: string | undefined;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
  readonly seenBeforeMs?: string | undefined;
  readonly sort?: "name" | "seen" | undefined;
  readonly order?: "asc" | "desc" | undefined;
}

export const fleetSearch = (given: Given): FleetSearch => ({
  q: text(given.q),
  state: oneOf(DEVICE_STATES, given.state),
  channel: text(given.channel),
  product: text(given.product),
  version: text(given.version),
  tag: text(given.tag),
  ring: text(given.ring),
  error: text(given.error),
  cause: text(given.cause),
  seenBeforeMs: text(given.seenBeforeMs),
  sort: oneOf(["name", "seen"], given.sort),
  order: oneOf(["asc", "desc"], given.order),
});

export const DEVICE_TABS = ["updates", "facts", "policy", "timeline", "diagnosis"] as const;
export interface DeviceSearch {
  readonly tab?: (typeof DEVICE_TABS)[number] | undefined;
  /** Of which update the whole explanation is shown: `PRODUCT@VERSION`. */
  readonly why?: string | undefined;
}
export const deviceSearch = (given: Given): DeviceSearch => ({
  tab: oneOf(DEVICE_TABS, given.tab),
  why: text(given.why),
});

export const UPDATE_TABS = ["about", "files", "delivery", "signatures", "audience"] as const;
export interface UpdateSearch {
  readonly tab?: (typeof UPDATE_TABS)[number] | undefined;
}
export const updateSearch = (given: Given): UpdateSearch => ({
  tab: oneOf(UPDATE_TABS, given.tab),
});

export interface RolloutSearch {
  readonly update?: string | undefined;
  readonly channel?: string | undefined;
}
export const rolloutSearch = (given: Given): RolloutSearch => ({
  update: text(given.update),
  channel: text(given.channel),
});
