/** Rollouts and what else narrows offers, with how far devices have come against the signed plan. */
import { matches } from "../../core/offerPolicy.ts";
import { percentAt, planTimes, ringTimes } from "../../core/rolloutPlan.ts";
import type {
  ListedRollout,
  Restrictions,
  RolloutDetail,
  RolloutPoint,
} from "../../protocol/admin/rollouts.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Channel } from "../../protocol/ids.ts";
import type { OfferPolicy, Rollout } from "../../protocol/offerPolicy.ts";
import { label } from "../fleet/describe.ts";
import type { Database } from "../storage/database.ts";
import { devicesWith, labelCounts } from "../storage/labels.ts";
import { countProgress, type ProgressHour, progressHours } from "../storage/progress.ts";

/** More points than a chart has pixels. */
const MAX_POINTS = 500;

export interface ConsoleRollouts {
  /** Newest first. */
  list(): Promise<ListedRollout[]>;
  /** Errors: UPB-SERVER-NOT-FOUND. */
  detail(channel: Channel, id: string): Promise<RolloutDetail>;
  restrictions(): Restrictions;
}

export function consoleRollouts(deps: {
  readonly db: Database;
  /** Of every channel that has one. */
  readonly policies: () => OfferPolicy[];
  readonly now: () => number;
}): ConsoleRollouts {
  const { db, policies, now } = deps;
  const rings = async (channel: Channel, rollout: Rollout) =>
    Promise.all(
      rollout.rings.map(async (ring) => ({
        ring,
        devices: await devicesWith(db, label.ring(channel, rollout.id, ring.name)),
      })),
    );
  const listed = async (channel: Channel, rollout: Rollout): Promise<ListedRollout> => {
    const nowMs = now();
    const having = await labelCounts(db, `has:${channel}/${rollout.product}@`);
    return {
      channel,
      rollout,
      devices: having.reduce((sum, one) => sum + one.devices, 0),
      planned: planned(rollout, await rings(channel, rollout), nowMs),
      counts: await countProgress(db, channel, rollout),
    };
  };
  return {
    async list() {
      const all = policies().flatMap(({ channel, rollouts }) =>
        rollouts.map((rollout) => ({ channel, rollout })),
      );
      const newestFirst = all.toSorted(
        (a, b) => Date.parse(b.rollout.createdAt) - Date.parse(a.rollout.createdAt),
      );
      return Promise.all(newestFirst.map(({ channel, rollout }) => listed(channel, rollout)));
    },
    async detail(channel, id) {
      const policy = policies().find((one) => one.channel === channel);
      const rollout = policy?.rollouts.find((one) => one.id === id);
      if (policy === undefined || rollout === undefined)
        throw new UpbeatError("UPB-SERVER-NOT-FOUND", { object: `rollout ${id} of ${channel}` });
      const nowMs = now();
      const counted = await rings(channel, rollout);
      const hours = await progressHours(db, channel, rollout);
      const times = [...new Set([...planTimes(rollout), nowMs])].toSorted((a, b) => a - b);
      const means = (entry: Parameters<typeof meansUpdate>[0]) => meansUpdate(entry, rollout);
      return {
        ...(await listed(channel, rollout)),
        rings: counted.map(({ ring, devices }) => ({
          name: ring.name,
          devices,
          ...ringTimes(rollout, ring),
          percent: percentAt(rollout, ring, nowMs),
        })),
        actual: thinned(series(hours, Date.parse(rollout.createdAt), nowMs)),
        plan: thinned(times.map((atMs) => ({ atMs, devices: planned(rollout, counted, atMs) }))),
        holds: policy.holds.filter(means),
        approvals: policy.approvals.filter(means),
      };
    },
    restrictions() {
      const nowMs = now();
      return {
        channels: policies().map((policy) => ({
          ...policy,
          holds: policy.holds.map((hold) => ({
            ...hold,
            active: hold.expiresAt === undefined || Date.parse(hold.expiresAt) > nowMs,
          })),
        })),
      };
    },
  };
}

/** Of an entry's filter, what a rollout says of its update; a classification it does not say. */
function meansUpdate(
  { updates }: Pick<OfferPolicy["holds"][number], "updates">,
  { product, version }: Rollout,
): boolean {
  const { classifications: _, ...filter } = updates;
  return matches(filter, { product, version, classification: "update" });
}

const planned = (
  rollout: Rollout,
  rings: readonly { ring: Rollout["rings"][number]; devices: number }[],
  atMs: number,
): number =>
  Math.round(
    rings.reduce(
      (sum, { ring, devices }) => sum + (devices * percentAt(rollout, ring, atMs)) / 100,
      0,
    ),
  );

const STEPS = {
  offered_ms: "offered",
  downloaded_ms: "downloaded",
  installed_ms: "installed",
  failed_ms: "failed",
  rolled_back_ms: "rolledBack",
} as const;

/** Cumulative, at the end of each hour. A device whose clock is wrong counts at the nearest end. */
function series(hours: readonly ProgressHour[], fromMs: number, nowMs: number): RolloutPoint[] {
  const points: RolloutPoint[] = [];
  let point: RolloutPoint = {
    atMs: fromMs,
    offered: 0,
    downloaded: 0,
    installed: 0,
    failed: 0,
    rolledBack: 0,
  };
  for (const { step, hourMs, devices } of hours) {
    const name = Object.hasOwn(STEPS, step) ? STEPS[step as keyof typeof STEPS] : undefined;
    if (name === undefined) continue;
    const atMs = Math.max(fromMs, Math.min(hourMs + 3_600_000, nowMs));
    if (points.at(-1)?.atMs === atMs) points.pop();
    point = { ...point, atMs, [name]: point[name] + devices };
    points.push(point);
  }
  return points;
}

/** As many as a chart shows, the last one always among them. */
function thinned<Point>(points: readonly Point[]): Point[] {
  if (points.length <= MAX_POINTS) return [...points];
  const step = (points.length - 1) / (MAX_POINTS - 1);
  return Array.from({ length: MAX_POINTS }, (_, at) => points[Math.round(at * step)]).filter(
    (point) => point !== undefined,
  );
}
