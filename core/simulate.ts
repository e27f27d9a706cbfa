/**
 * The next days of one machine, from the code that decides on it: the same offers, the same plan, a
 * simulated clock and a made-up machine. `upbeat policy simulate`, the property tests and the bench
 * of a fleet run it. Pure; milliseconds.
 *
 * Work takes the time that the machine says, one piece at a time, as the update service does it.
 */
import type { NotOffered } from "../protocol/decisions.ts";
import type { UpdateId } from "../protocol/ids.ts";
import { formatUpdate } from "../protocol/ids.ts";
import type { Offer } from "../protocol/orchestratorApi.ts";
import type { ActiveHours, Settings } from "../protocol/settings.ts";
import type { InstalledProduct } from "../protocol/updateServiceApi.ts";
import type { OfferInput } from "./installedHere.ts";
import { decideOffers } from "./offer.ts";
import type { OfferRules } from "./offerContext.ts";
import { firstCheckMs, nextCheckMs } from "./schedule.ts";
import { maintenanceWindows } from "./timing/maintenanceWindows.ts";
import { afterClockSetBack, type OfferHistory, pendingUpdate } from "./timing/pending.ts";
import { type Plan, planNow } from "./timing/plan.ts";
import type { WarningKind } from "./timing/restart.ts";
import type { Machine, RestartWishes, Situation } from "./timing/situation.ts";
import type { Zone } from "./timing/zone.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The made-up machine. Its real time runs on; `clockOffsetMs` is how wrong its clock is then. */
export interface SimulatedMachine {
  at(realMs: number): Machine & { readonly isOn: boolean; readonly clockOffsetMs?: number };
  /** When `at` next answers otherwise. */
  nextChangeMs(realMs: number): number;
  readonly downloadBytesPerSecond: number;
  readonly installMs: number;
  readonly restartMs: number;
  /** What its person does about a restart, asked at each step. */
  wishes?(nowMs: number, plan: Plan): Pick<RestartWishes, "chosenMs" | "snoozedUntilMs">;
  inhibitors?(nowMs: number): Situation["inhibitors"];
}

export interface SimulationInput extends Omit<OfferInput, "rules"> {
  readonly startMs: number;
  readonly days: number;
  readonly zone: Zone;
  readonly activeHours: ActiveHours;
  /** What decides about offers at a moment; its settings also time the work. */
  rulesAt(nowMs: number): OfferRules;
  readonly machine: SimulatedMachine;
  /** When the machine checked last; absent: it starts now. */
  readonly lastCheckMs?: number;
  /** In [0, 1). */
  random(): number;
}

/** `atMs` is what the machine's clock shows, `realMs` is when it was. */
export type SimulatedEvent = { readonly atMs: number; readonly realMs: number } & (
  | { readonly kind: "check"; readonly offers: number; readonly notOffered: readonly NotOffered[] }
  | {
      readonly kind: "offered" | "withdrawn" | "downloading" | "downloaded";
      readonly update: UpdateId;
    }
  | { readonly kind: "installing" | "installed"; readonly update: UpdateId }
  | { readonly kind: "warning"; readonly warning: WarningKind }
  | { readonly kind: "restart"; readonly plan: Plan; readonly situation: Situation }
);

/** Calls `see` with each event in its order. */
export function simulate(input: SimulationInput, see: (event: SimulatedEvent) => void): void {
  const endMs = input.startMs + input.days * DAY_MS;
  const run = startRun(input, see);
  for (let realMs = input.startMs; realMs < endMs; )
    realMs = Math.max(run.step(realMs), realMs + 1);
}

interface Tracked extends OfferHistory {
  readonly offer: Offer;
  readonly parts: readonly UpdateId[];
}
interface Work {
  readonly sha256: string;
  readonly kind: "download" | "install";
  leftMs: number;
}

function startRun(input: SimulationInput, see: (event: SimulatedEvent) => void) {
  const { machine, zone, activeHours } = input;
  const tracked = new Map<string, Tracked>();
  const firstOffered = new Map<string, number>();
  let products = input.products;
  const works = new Map<string, Work>();
  let work: Work | undefined;
  let wishes: RestartWishes = { now: false, warnedMs: {} };
  let settings: Settings | undefined;
  let shownMs = Number.NEGATIVE_INFINITY;
  let windows = maintenanceWindows([], zone);
  let wasOn = false;
  let checkedMs = input.lastCheckMs;
  let checkMs = input.lastCheckMs === undefined ? undefined : nextCheck(input.lastCheckMs);

  function nextCheck(fromMs: number): number {
    const hours = settings?.checkIntervalHours ?? 22;
    return nextCheckMs(fromMs, input.random(), hours * HOUR_MS);
  }

  function takeSettings(next: Settings): Settings {
    if (settings?.maintenanceWindows !== next.maintenanceWindows) {
      windows = maintenanceWindows(next.maintenanceWindows, zone);
    }
    settings = next;
    return next;
  }

  function check(nowMs: number, realMs: number): void {
    const rules = input.rulesAt(nowMs);
    takeSettings(rules.settings);
    const decision = decideOffers({ ...input, products, rules });
    const { notOffered } = decision;
    see({ atMs: nowMs, realMs, kind: "check", offers: decision.offers.length, notOffered });
    const offered = new Set(decision.offers.map((it) => it.update.manifestSha256));
    for (const [sha256, it] of tracked) {
      const isWaiting = it.stage === "offered" || it.stage === "downloaded";
      if (offered.has(it.offer.update.manifestSha256) || !isWaiting) continue;
      tracked.delete(sha256);
      if (work?.sha256 === sha256) work = undefined;
      see({ atMs: nowMs, realMs, kind: "withdrawn", update: it.offer.update });
    }
    for (const offer of decision.offers) {
      const sha256 = offer.update.manifestSha256;
      const known = tracked.get(sha256);
      if (known !== undefined) {
        tracked.set(sha256, { ...known, offer });
        continue;
      }
      if (!firstOffered.has(sha256)) firstOffered.set(sha256, nowMs);
      const firstOfferedMs = Math.min(nowMs, firstOffered.get(sha256) ?? nowMs);
      const parts = decision.installs.get(formatUpdate(offer.update)) ?? [];
      tracked.set(sha256, { offer, parts, stage: "offered", firstOfferedMs, asked: "nothing" });
      see({ atMs: nowMs, realMs, kind: "offered", update: offer.update });
    }
    checkedMs = nowMs;
    checkMs = nextCheck(nowMs);
  }

  function finish({ sha256, kind }: Work, nowMs: number, realMs: number): void {
    const it = tracked.get(sha256);
    if (it === undefined) return;
    const update = it.offer.update;
    if (kind === "download") {
      tracked.set(sha256, { ...it, stage: "downloaded" });
      see({ atMs: nowMs, realMs, kind: "downloaded", update });
    } else if (it.offer.restart === "never") installed(sha256, it, nowMs, realMs);
    else tracked.set(sha256, { ...it, stage: "restart-pending", restartPendingMs: nowMs });
  }

  function installed(sha256: string, it: Tracked, nowMs: number, realMs: number): void {
    tracked.delete(sha256);
    products = [it.offer.update, ...it.parts].reduce(
      (list, id) => withVersion(list, id, it.offer),
      products,
    );
    see({ atMs: nowMs, realMs, kind: "installed", update: it.offer.update });
  }

  function startWork(plan: Plan, nowMs: number, realMs: number): void {
    if (work?.kind === "install") return;
    const kind = plan.install.length > 0 ? "install" : "download";
    const [next] = kind === "install" ? plan.install : plan.download;
    const it = next && tracked.get(next.manifestSha256);
    if (next === undefined || it === undefined) work = undefined;
    else if (work?.sha256 !== next.manifestSha256 || work.kind !== kind) {
      work = workOn(next.manifestSha256, kind, it.offer);
      if (kind === "install") tracked.set(work.sha256, { ...it, stage: "installing" });
      const event = kind === "install" ? "installing" : "downloading";
      see({ atMs: nowMs, realMs, kind: event, update: next });
    }
  }

  /** A download that lost its turn keeps what it has. */
  function workOn(sha256: string, kind: Work["kind"], offer: Offer): Work {
    const name = `${kind} ${sha256}`;
    const begun = works.get(name);
    if (begun !== undefined) return begun;
    const seconds = offer.sizeBytes / machine.downloadBytesPerSecond;
    const wholeMs = kind === "install" ? machine.installMs : Math.ceil(seconds * 1_000);
    const fresh = { sha256, kind, leftMs: Math.max(1, wholeMs) };
    works.set(name, fresh);
    return fresh;
  }

  function situation(nowMs: number, here: Machine): Situation {
    return {
      nowMs,
      askedServerMs: checkedMs,
      settings: settings ?? takeSettings(input.rulesAt(nowMs).settings),
      zone,
      windows,
      activeHours,
      machine: here,
      updates: [...tracked.values()].map((it) => pendingUpdate(it.offer, it)),
      restart: wishes,
      inhibitors: machine.inhibitors?.(nowMs) ?? [],
    };
  }

  /** Everything that happens at one moment; returns the next one at which something can. */
  function step(realMs: number): number {
    const here = machine.at(realMs);
    const nowMs = realMs + (here.clockOffsetMs ?? 0);
    if (nowMs < shownMs) {
      for (const [sha256, it] of tracked) tracked.set(sha256, afterClockSetBack(it, nowMs));
    }
    shownMs = nowMs;
    const isWaking = here.isOn && !wasOn;
    wasOn = here.isOn;
    const changeMs = machine.nextChangeMs(realMs);
    if (!here.isOn) return changeMs;
    if (isWaking || checkMs === undefined || checkMs > nowMs + DAY_MS) {
      checkMs = firstCheckMs(nowMs, checkMs, input.random());
    }
    if (checkMs <= nowMs && here.network !== "none") check(nowMs, realMs);

    let now = situation(nowMs, here);
    let plan = planNow(now);
    if (plan.checkFirst) {
      check(nowMs, realMs);
      now = situation(nowMs, here);
      plan = planNow(now);
    }
    const said = machine.wishes?.(nowMs, plan);
    const warn = plan.restart?.warn;
    if (said !== undefined || warn !== undefined) {
      const warnedMs = warn === undefined ? wishes.warnedMs : { ...wishes.warnedMs, [warn]: nowMs };
      wishes = { ...wishes, ...said, warnedMs };
      if (warn !== undefined) see({ atMs: nowMs, realMs, kind: "warning", warning: warn });
      now = { ...now, restart: wishes };
      plan = planNow(now);
    }
    if (plan.restart?.now === true) {
      see({ atMs: nowMs, realMs, kind: "restart", plan, situation: now });
      for (const [sha256, it] of tracked) {
        if (it.stage === "restart-pending") installed(sha256, it, nowMs, realMs);
      }
      wishes = { now: false, warnedMs: {} };
      return realMs + machine.restartMs;
    }
    startWork(plan, nowMs, realMs);
    const offMs = nowMs - realMs;
    const nextMs = Math.min(
      changeMs,
      plan.lookAgainMs - offMs,
      // Offline it is asked again when the network changes.
      here.network === "none" ? Number.POSITIVE_INFINITY : checkMs - offMs,
      realMs + (work?.leftMs ?? DAY_MS),
    );
    if (work !== undefined) {
      work.leftMs -= nextMs - realMs;
      if (work.leftMs <= 0) {
        finish(work, nextMs + offMs, nextMs);
        work = undefined;
      }
    }
    return nextMs;
  }

  return { step };
}

function withVersion(
  products: readonly InstalledProduct[],
  { product, version }: UpdateId,
  { channel }: Offer,
): readonly InstalledProduct[] {
  const others = products.filter((it) => it.product !== product);
  return [...others, { product, channel, current: version }];
}
