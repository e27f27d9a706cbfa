/**
 * What happens by itself: asks `core/timing/plan.ts` what may happen now, and does it. Downloads and
 * installs become changes in the one queue, like those that people ask for; the restart is the update
 * service's to do, after the lock service has agreed.
 *
 * Called about twice a minute (`step`), and once a second (`watch`), so that what runs in the
 * background stops within two seconds when somebody comes back: downloads, patches, files that are
 * being put in place. From the switch on an install goes on to its end, and so do a provider's.
 */
import type { CombinedSettings } from "../../../core/settings.ts";
import { type Plan, planNow } from "../../../core/timing/plan.ts";
import type { WarningKind } from "../../../core/timing/restart.ts";
import type { Situation } from "../../../core/timing/situation.ts";
import { reportError } from "../../../protocol/errors/error.ts";
import { formatUpdate, type UpdateId } from "../../../protocol/ids.ts";
import type { Change, ChangeRequest } from "../../../protocol/orchestratorApi.ts";
import type { ServiceStatus } from "../../../protocol/updateServiceApi.ts";
import type { LockAnswer } from "../fleetLock.ts";
import type { Notices } from "../machine/notices.ts";
import type { Pending } from "./pending.ts";
import type { RestartMemory } from "./restartState.ts";

export interface AutomatWorld {
  readonly now: () => number;
  readonly combined: () => CombinedSettings;
  readonly pending: (status: ServiceStatus) => Pending;
  readonly situation: (combined: CombinedSettings, pending: Pending) => Promise<Situation>;
  readonly restart: RestartMemory;
  /** What runs or waits in the queue of changes. */
  readonly current: () => Change | undefined;
  readonly request: (request: ChangeRequest) => void;
  /** Stops what can be stopped without harm; false: nothing of that is going on. */
  readonly pause: () => Promise<boolean>;
  readonly restartMachine: () => Promise<void>;
  /** Asks the lock service that the settings name; without one the answer is yes. */
  readonly takeRestartSlot: (combined: CombinedSettings) => Promise<LockAnswer>;
  readonly log: (message: string, facts: object) => void;
  readonly tell: Notices["tell"];
  /** Every plan that differs from the one before, with what it was decided from. */
  readonly decided: (situation: Situation, plan: Plan) => void;
}

export interface Automat {
  /** As things stand, without anything that is pending. */
  situation(): Promise<Situation>;
  /** Undefined: there is nothing to plan. */
  plan(status: ServiceStatus): Promise<Plan | undefined>;
  step(status: ServiceStatus): Promise<void>;
  /** True when it stopped what was going on. */
  watch(status: () => Promise<ServiceStatus | undefined>): Promise<boolean>;
}

/** The lock service is asked again after this, as Zincati does. */
const LOCK_AGAIN_MS = 5 * 60_000;
/** A restart that the machine refuses is not tried every half minute. */
const FAILED_AGAIN_MS = 10 * 60_000;
/** A machine that is told to restart is gone by then, or it did not listen. */
const GOING_DOWN_MS = 10 * 60_000;

const CHOOSE = "Choose another time with `upbeat restart snooze` or `upbeat restart tonight`.";
const WARNINGS: Record<WarningKind, string> = {
  "24h": `This machine restarts for updates within 24 hours. ${CHOOSE}`,
  "4h": `This machine restarts for updates within 4 hours. ${CHOOSE}`,
  "15min": `This machine restarts for updates in 15 minutes. Save your work. ${CHOOSE}`,
};

export function automat(world: AutomatWorld): Automat {
  const { now, restart, log } = world;

  const look = async (status: ServiceStatus) => {
    const combined = world.combined();
    const pending = world.pending(status);
    if (pending.updates.length === 0) {
      restart.clear();
      return undefined;
    }
    const situation = await world.situation(combined, pending);
    if (!pending.updates.some((it) => it.stage === "restart-pending")) restart.clear();
    const plan = planNow(situation);
    world.decided(situation, plan);
    return { combined, pending, plan };
  };

  const bring = (
    kind: "download" | "install",
    ids: readonly UpdateId[],
    pending: Pending,
  ): void => {
    const own = ids.filter((id) => !pending.providers.has(id.manifestSha256));
    if (own.length > 0) {
      world.request({ kind, updates: [...own], background: true });
      return;
    }
    for (const id of ids) {
      const provider = pending.providers.get(id.manifestSha256);
      if (provider !== undefined) world.request({ kind, provider, background: true });
    }
  };

  /** What waits for a word of theirs; not what is optional: nobody has to want that. */
  const askPeople = (plan: Plan, { updates }: Pending): void => {
    for (const { update, step, waiting } of plan.waiting) {
      const asks = waiting.some(({ reason }) => reason === `${step}-consent`);
      const isOptional = updates.some(
        ({ id, optional }) => optional && id.manifestSha256 === update.manifestSha256,
      );
      if (!asks || isOptional) continue;
      const sentence = `${formatUpdate(update)} waits until you say so: \`upbeat ${step} ${update.product}\`.`;
      world.tell("update", `${step} ${update.manifestSha256}`, sentence);
    }
  };

  const restartIfDue = async (plan: Plan, combined: CombinedSettings): Promise<void> => {
    if (plan.restart === undefined) return;
    const { warn } = plan.restart;
    if (warn !== undefined) {
      restart.change({ warnedMs: { ...restart.read().warnedMs, [warn]: now() } });
      log("restart.warned", { warning: warn, restart: plan.restart.plan });
      world.tell("restart", `${warn} ${now()}`, WARNINGS[warn]);
    }
    if (!plan.restart.now || isAhead(restart.read().failed?.notBeforeMs)) return;
    if (isAhead((restart.read().begunMs ?? -GOING_DOWN_MS) + GOING_DOWN_MS)) return;
    const answer = await world.takeRestartSlot(combined);
    if (answer.is !== "granted") {
      const by = combined.settings.restartLock?.url ?? "the lock service";
      const denied = { by, untilMs: now() + LOCK_AGAIN_MS, because: answer.because };
      restart.change({ lockDenied: denied });
      log("restart.waits for its turn", denied);
      return;
    }
    await goDown();
  };
  const isAhead = (untilMs: number | undefined): boolean =>
    untilMs !== undefined && now() < untilMs;

  const goDown = async (): Promise<void> => {
    log("restart.begins", {});
    restart.change({ begunMs: now(), lockDenied: undefined });
    try {
      await world.restartMachine();
    } catch (error) {
      const report = reportError(error);
      log("restart.failed", { error: report });
      restart.change({
        begunMs: undefined,
        failed: { error: report, atMs: now(), notBeforeMs: now() + FAILED_AGAIN_MS },
      });
    }
  };

  return {
    situation: () => world.situation(world.combined(), { updates: [], providers: new Map() }),
    plan: async (status) => (await look(status))?.plan,
    async step(status) {
      const found = await look(status);
      if (found === undefined) return;
      const { plan, pending, combined } = found;
      askPeople(plan, pending);
      if (world.current() === undefined && status.busy === undefined) {
        // What was halted meanwhile is not installed.
        if (plan.checkFirst) return world.request({ kind: "check", full: false });
        // What is ready is installed before more is fetched: it may share the restart.
        if (plan.install.length > 0) return bring("install", plan.install, pending);
        if (plan.download.length > 0) return bring("download", plan.download, pending);
      }
      await restartIfDue(plan, combined);
    },
    async watch(readStatus) {
      const request = world.current()?.request;
      if (request?.kind !== "download" && request?.kind !== "install") return false;
      if (request.background !== true || request.atShutdown === true) return false;
      const status = await readStatus();
      if (status?.busy === undefined) return false;
      const found = await look(status);
      const unwelcome = [...(found?.plan.pause ?? []), ...withdrawn(status, found?.pending)];
      if (unwelcome.length === 0 || !(await world.pause())) return false;
      log("work.paused", { updates: unwelcome.map(formatUpdate) });
      return true;
    },
  };
}

/** What is at work and not offered any more: paused by a person, or halted. */
function withdrawn({ updates }: ServiceStatus, pending: Pending | undefined): readonly UpdateId[] {
  const offered = new Set(pending?.updates.map(({ id }) => id.manifestSha256));
  return updates.filter(
    ({ state, manifestSha256 }) =>
      (state === "downloading" || state === "installing") && !offered.has(manifestSha256),
  );
}
