/**
 * What machines are offered and why, answered on the server by the code that decides on them
 * (`content/gather.ts`, `core/`), from what they have reported and what is signed.
 *
 * Errors: UPB-SERVER-NOT-FOUND, UPB-SERVER-NOT-REPORTED, and those of `currentReleases`.
 */
import { setImmediate as breathe } from "node:timers/promises";
import { type DeviceNow, gatherAndDecide } from "../../content/gather.ts";
import type { ReleaseSource } from "../../content/releaseSource.ts";
import { explain } from "../../core/explain.ts";
import type { KnownUpdate } from "../../core/installedHere.ts";
import { explainedWithWaits } from "../../core/timing/waits.ts";
import type { Audience, AudienceDevice } from "../../protocol/adminApi.ts";
import type { Explanation, NotOffered } from "../../protocol/decisions.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { type DeviceId, formatUpdate, type Product, type Version } from "../../protocol/ids.ts";
import type { EffectivePolicy } from "../../protocol/settings.ts";
import type { Database } from "../storage/database.ts";
import { offeringOf, offeringsFrom, type ReportedOffering } from "../storage/offerings.ts";

export interface Preview {
  /** Without a version: what is offered of the product, or else its newest version. */
  why(deviceId: DeviceId, asked: Asked): Promise<Explanation>;
  /** Whether and when one device would get this version. */
  when(deviceId: DeviceId, update: UpdateName): Promise<AudienceDevice>;
  /** Every update that was looked at for a device; one without a refusal is offered. */
  decided(deviceId: DeviceId): Promise<{ update: KnownUpdate; refusal?: NotOffered }[]>;
  /** Out of the settings of the machine and those that are signed. */
  policy(device: DeviceNow): Promise<EffectivePolicy>;
  /** Who of the machines that follow the product would get this version, and when. */
  audience(update: UpdateName): Promise<Audience>;
}

type UpdateName = { readonly product: Product; readonly version: Version };
type Asked = { readonly product: Product; readonly version?: Version | undefined };

const DAY_MS = 86_400_000;
const LISTED = 1_000;
const PAGE = 200;
/** A ring, then a deferral, then a pause: more reasons than this do not follow each other. */
const MAX_STEPS = 8;

export function openPreview(deps: {
  readonly db: Database;
  readonly releases: () => Promise<ReleaseSource>;
  readonly now: () => number;
}): Preview {
  const { db, releases, now } = deps;
  const known = async (deviceId: DeviceId): Promise<ReportedOffering> => {
    const device = await offeringOf(db, deviceId);
    if (device !== undefined) return device;
    throw new UpbeatError("UPB-SERVER-NOT-FOUND", { object: `device ${deviceId}` });
  };
  const reported = async (deviceId: DeviceId): Promise<DeviceNow> => {
    const { now: device } = await known(deviceId);
    if (device !== undefined) return device;
    throw new UpbeatError("UPB-SERVER-NOT-REPORTED", { object: deviceId });
  };
  return {
    async why(deviceId, asked) {
      const device = await reported(deviceId);
      const { waiting } = await known(deviceId);
      const { input } = await gatherAndDecide(await releases(), device, now(), asked);
      return explainedWithWaits(explain(input, asked), waiting?.updates ?? [], waiting?.atMs);
    },

    async when(deviceId, update) {
      const { name, now: device } = await known(deviceId);
      const about = { deviceId, name };
      if (device === undefined) return { ...about, outcome: "unknown" };
      return { ...about, ...(await answer(await releases(), device, update, now())) };
    },

    async decided(deviceId) {
      const device = await reported(deviceId);
      const { input, decision } = await gatherAndDecide(await releases(), device, now());
      return input.updates.flatMap((update) => {
        const isOffered = decision.offers.some((offer) => isSame(offer.update, update.id));
        const refusal = decision.notOffered.find((it) => isSame(it, update.id));
        // A detectoid is asked about and never installed.
        if (!isOffered && refusal === undefined) return [];
        return [{ update, ...(refusal === undefined ? {} : { refusal }) }];
      });
    },

    async policy(device) {
      const { settings } = await gatherAndDecide(await releases(), device, now());
      return settings.policy;
    },

    async audience(update) {
      const source = await releases();
      const nowMs = now();
      const found: AudienceDevice[] = [];
      for (let after = ""; ; ) {
        const page = await offeringsFrom(db, after, PAGE);
        const last = page.at(-1);
        if (last === undefined) break;
        after = last.deviceId;
        for (const device of page) {
          const about = { deviceId: device.deviceId, name: device.name };
          if (device.now === undefined) found.push({ ...about, outcome: "unknown" });
          else if (device.now.followed.some((it) => it.product === update.product))
            found.push({ ...about, ...(await answer(source, device.now, update, nowMs)) });
        }
        // Other requests are answered between the pages.
        await breathe();
      }
      return summary(update, found);
    },
  };
}

type AudienceAnswer = Omit<AudienceDevice, "deviceId" | "name">;

/** Decides now, and then at each moment at which the reason of before ends. */
async function answer(
  source: ReleaseSource,
  device: DeviceNow,
  update: UpdateName,
  nowMs: number,
): Promise<AudienceAnswer> {
  let first: AudienceAnswer | undefined;
  let atMs = nowMs;
  for (let step = 0; step < MAX_STEPS; step++) {
    const { decision } = await gatherAndDecide(source, device, atMs, update);
    if (decision.offers.some((offer) => isSame(offer.update, update))) {
      return first === undefined ? { outcome: "offered" } : { ...first, outcome: "later", atMs };
    }
    const refusal = decision.notOffered.find((it) => isSame(it, update));
    if (refusal === undefined) return first ?? { outcome: "unknown" };
    const { reason, detail, untilMs, by } = refusal;
    first ??= {
      outcome: reason === "installed" ? "installed" : "not-offered",
      reason,
      detail,
      ...(by === undefined ? {} : { by }),
    };
    if (untilMs === undefined || untilMs <= atMs) return first;
    atMs = untilMs;
  }
  return first ?? { outcome: "unknown" };
}

function summary(update: UpdateName, found: readonly AudienceDevice[]): Audience {
  const count = (outcome: AudienceDevice["outcome"]) =>
    found.filter((it) => it.outcome === outcome).length;
  const days = Map.groupBy(
    found.flatMap(({ atMs }) => (atMs === undefined ? [] : [Math.floor(atMs / DAY_MS)])),
    (day) => day,
  );
  const refused = found.filter((it) => it.outcome === "not-offered");
  const reasons = Map.groupBy(refused, (it) => it.reason);
  return {
    ...update,
    offered: count("offered"),
    later: count("later"),
    installed: count("installed"),
    notOffered: [...reasons].flatMap(([reason, devices]) =>
      reason === undefined ? [] : [{ reason, devices: devices.length }],
    ),
    unknown: count("unknown"),
    arrivals: [...days]
      .map(([day, devices]) => ({ dayMs: day * DAY_MS, devices: devices.length }))
      .toSorted((a, b) => a.dayMs - b.dayMs),
    devices: found.slice(0, LISTED),
  };
}

const isSame = (
  one: { product: string; version: string },
  other: { product: string; version: string },
): boolean => formatUpdate(one) === formatUpdate(other);
