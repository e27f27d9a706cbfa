/**
 * The orchestrator of one device: takes changes, checks on schedule, follows the update service and
 * reports to the server. Everything that it decides is decided in `core/`; nothing that it says is
 * believed by the update service, which gets ids only.
 */

import { setTimeout as wait } from "node:timers/promises";
import { removeUnfinished } from "../../content/durableFile.ts";
import type { Gathered } from "../../content/gather.ts";
import { reportedInputs } from "../../content/offerInputs.ts";
import { waitsOf } from "../../core/timing/waits.ts";
import type { Explanation } from "../../protocol/decisions.ts";
import type { DeviceConfig } from "../../protocol/deviceApi.ts";
import { reportError, UpbeatError } from "../../protocol/errors/error.ts";
import type { Product, Version } from "../../protocol/ids.ts";
import type {
  Change,
  ChangeRequest,
  DeviceStatus,
  FactReport,
  SettingsChange,
} from "../../protocol/orchestratorApi.ts";
import type { RestartWish } from "../../protocol/restartWishes.ts";
import type { EffectivePolicy } from "../../protocol/settings.ts";
import type { Simulation } from "../../protocol/simulation.ts";
import type { HistoryEntry, ServiceStatus } from "../../protocol/updateServiceApi.ts";
import { readDeviceConfig } from "../deviceConfig.ts";
import { readDeviceKey } from "../deviceKey.ts";
import { readKeptDiagnosis } from "../keptDiagnosis.ts";
import type { DevicePaths } from "../paths.ts";
import { changeBar } from "./bar.ts";
import { causeWatch } from "./causeWatch.ts";
import { changes } from "./changes.ts";
import { clockWatch } from "./clockWatch.ts";
import { openDatabase } from "./database.ts";
import { type DecisionLog, decisionLog } from "./decisions/decisionLog.ts";
import { deviceStatus } from "./deviceStatus.ts";
import { diagnosisToTell } from "./diagnosisToTell.ts";
import { decideInput } from "./evaluate.ts";
import { eventQueue } from "./eventQueue.ts";
import { factsOf } from "./facts/collect.ts";
import { factKeeper } from "./facts/keeper.ts";
import { failureLog } from "./failures.ts";
import { type Inhibitors, inhibitors } from "./machine/inhibitors.ts";
import { notices } from "./machine/notices.ts";
import { tellPeople } from "./machine/tellPeople.ts";
import { memory } from "./memory.ts";
import { recallProviders } from "./providerWork.ts";
import { redeciding } from "./redeciding.ts";
import { reporter } from "./reporter.ts";
import { lookAt } from "./scan.ts";
import { serviceSight } from "./serviceSight.ts";
import { devicePolicy } from "./settings/devicePolicy.ts";
import { stuckWatch } from "./stuckWatch.ts";
import { restartSlot } from "./timing/restartSlot.ts";
import { restartMemory } from "./timing/restartState.ts";
import { simulateDays } from "./timing/simulation.ts";
import { startAutomat } from "./timing/startAutomat.ts";
import { updateServiceCalls } from "./updateServiceCalls.ts";
import { whyUpdate } from "./why.ts";
import { changeWork } from "./work.ts";

const STOP_MS = 2_000;
const HOUR_MS = 3_600_000;
/** As many as a report may name. */
const MAX_WAITS = 100;

export interface OrchestratorWorld {
  readonly paths: DevicePaths;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds that pass whatever the wall clock does, but not while the machine sleeps. */
  readonly elapsed: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: (message: string, facts: object) => void;
}

export interface Orchestrator {
  status(): Promise<DeviceStatus>;
  request(request: ChangeRequest): Change;
  change(id: string): Change;
  history(limit: number): Promise<HistoryEntry[]>;
  /** Collected for the answer. Works without the update service: then no product is installed. */
  facts(): Promise<FactReport>;
  readonly inhibitors: Inhibitors;
  policy(): EffectivePolicy;
  changeSettings(change: SettingsChange): Promise<EffectivePolicy>;
  /** Errors: UPB-RESTART-NOTHING, UPB-RESTART-TIME. */
  wishRestart(wish: RestartWish): Promise<void>;
  /** Errors: those of the check, when the answer needs what is not kept here. */
  why(asked: {
    readonly product: Product;
    readonly version?: Version | undefined;
  }): Promise<Explanation>;
  /** Errors: those of `why`. */
  simulate(days: number): Promise<Simulation>;
  readonly decisions: Pick<DecisionLog, "list" | "replay">;
  /** Called once a second: what runs in the background stops when somebody comes back. */
  watch(): Promise<void>;
  /** Does what is due: a scheduled check, new events, reports. Called about once a minute. */
  tick(): Promise<void>;
  stop(): Promise<void>;
}

export function startOrchestrator(world: OrchestratorWorld): Orchestrator {
  const { paths, now, log } = world;
  const startedMs = now();
  const database = openDatabase(paths.orchestratorState, startedMs);
  removeUnfinished(paths.orchestratorState);
  if (database.movedAside !== undefined) {
    log("the database was damaged and was made anew", { movedAside: database.movedAside });
  }
  const queue = eventQueue(database);
  const known = memory(database, world);
  const reports = reporter(database, queue, world);
  const calls = updateServiceCalls(paths);
  const causes = causeWatch(paths, now);
  const facts = factKeeper(paths, now);
  const objections = inhibitors(database, paths.root, now);
  const policy = devicePolicy(paths.settings, database, now);
  const failures = failureLog(database, now);
  const restart = restartMemory(database, now);
  const decisions = decisionLog(database, now, queue.addDecision);

  const observe = (status: ServiceStatus): void => {
    const config = configOrReason();
    if (typeof config === "object") queue.addNewStates(status.updates, config.deviceId);
  };
  const configOrReason = () => {
    try {
      return readDeviceConfig(paths);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  const sight = serviceSight(calls, observe, now);
  const serviceStatus = sight.status;

  const decided = ({ input, decision }: Gathered): void => {
    policy.keepServer(input.rules.policies.values(), input.facts);
    decisions.offers(input, decision);
  };
  const deciding = {
    paths,
    database,
    queue,
    calls,
    facts,
    policy,
    failures,
    now,
    observe,
    decided,
  };
  const bar = changeBar(database, now);
  const work = changeWork({ ...deciding, memory: known, bar });
  const queued = changes(
    database,
    async (change, tools) => {
      log("change.started", { change: change.id, kind: change.request.kind });
      try {
        return await work(change, tools);
      } finally {
        void report();
      }
    },
    now,
  );

  let reporting: Promise<void> | undefined;
  const report = (): Promise<void> => {
    reporting ??= reportOnce()
      .catch((error: unknown) => log("reports wait", { error: reportError(error) }))
      .finally(() => {
        reporting = undefined;
      });
    return reporting;
  };
  const reportOnce = async (): Promise<void> => {
    const config = configOrReason();
    if (typeof config !== "object") return;
    const status = await serviceStatus();
    await causes.step({
      checkError: known.plan()?.lastError?.code,
      lastSuccessMs: known.evaluation()?.checkedMs,
      updates: status?.updates ?? [],
    });
    const inventory = status && (await inventoryOf(config, status));
    const mayTell = policy.combined().settings.reportDiagnoses;
    const diagnosis = mayTell ? diagnosisToTell(paths, config) : undefined;
    const key = () => readDeviceKey(paths);
    const outcome = await reports.send({ config, key, inventory, diagnosis });
    if (outcome instanceof UpbeatError) {
      log("reports wait", { code: outcome.code, detail: outcome.detail, waiting: queue.size() });
    }
  };

  const inventoryOf = async (
    { deviceId, products: followed }: DeviceConfig,
    status: ServiceStatus,
  ) => {
    const { products, updates: records } = status;
    const known = factsOf(await facts.recent(products));
    const device = {
      deviceId,
      followed,
      facts: known,
      products,
      records,
      layers: policy.local(),
      held: failures.held(),
    };
    // A report must arrive, also where timing cannot say anything.
    const plan = await byItself.plan(status).catch(() => undefined);
    const updates = waitsOf(plan).slice(0, MAX_WAITS);
    const offering = { ...reportedInputs(device), waiting: { atMs: now(), updates } };
    return { facts: known, products, offering };
  };

  const told = notices(database, {
    now,
    setting: () => policy.combined().settings.notices,
    show: (sentence) => tellPeople(paths.root, sentence),
  });
  const byItself = startAutomat({
    ...{ paths, database, memory: known, policy, failures, inhibitors: objections },
    ...{ restart, notices: told, decisions, calls, now, log },
    current: queued.running,
    request: queued.request,
  });
  const stuck = stuckWatch(queue, now, log);
  const slot = restartSlot(paths, policy, restart, now);
  const again = redeciding(deciding, known);
  const quietly = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      log(`${what} waits`, { error: reportError(error) });
    }
  };

  /** Planned by a clock that was wrong, and set right while nobody looked. */
  const isTooFar = (plannedMs = 0): boolean =>
    plannedMs - now() > policy.combined().settings.checkIntervalHours * HOUR_MS;
  const hasJumped = clockWatch(now, world.elapsed);
  known.planFirstCheck();
  queued.resume();

  return {
    async status() {
      const service = await serviceStatus();
      const isReady = service !== undefined && typeof configOrReason() === "object";
      return deviceStatus({
        nowMs: now(),
        timing: isReady ? await byItself.plan(service) : undefined,
        restart: restart.read(),
        combined: policy.combined(),
        settingsProblem: policy.problem(),
        startedMs,
        config: configOrReason(),
        evaluation: known.evaluation(),
        plan: known.plan(),
        running: queued.running(),
        stageTimes: bar.times(),
        service,
        serviceAwayMs: sight.awayMs(),
        providers: recallProviders(database),
        inhibitors: objections.list(),
        notices: told.list(),
        reportsWaiting: queue.size(),
        diagnosis: readKeptDiagnosis(paths)?.diagnosis,
      });
    },
    request: queued.request,
    change: queued.find,
    history: calls.history,
    inhibitors: objections,
    facts: async () => facts.collect((await serviceStatus())?.products ?? []),
    policy: () => policy.combined().policy,
    async changeSettings(change) {
      policy.change(change);
      await quietly("the new decision", again.now);
      return policy.combined().policy;
    },
    async wishRestart(wish) {
      const service = await calls.status();
      const plan = (await byItself.plan(service))?.restart?.plan;
      if (plan === undefined) throw new UpbeatError("UPB-RESTART-NOTHING", { object: wish.when });
      const { settings } = policy.combined();
      restart.wish(wish, { settings, deadlineMs: plan.deadlineMs });
      await quietly("the restart", () => byItself.step(service));
    },
    async why(asked) {
      const service = await calls.status();
      const plan = await byItself.plan(service);
      const decide = await decideInput(deciding, false);
      return await whyUpdate({ decide, plan, records: service.updates }, asked);
    },
    async simulate(days) {
      const gathered = await lookAt(await decideInput(deciding, false));
      const situation = await byItself.situation();
      const lastCheckMs = known.evaluation()?.checkedMs;
      const about = { gathered, policy, situation, lastCheckMs, days };
      return simulateDays({ ...about, nowMs: now(), random: world.random });
    },
    decisions,
    async tick() {
      const config = configOrReason();
      const isEnrolled = typeof config === "object";
      if (hasJumped() || isTooFar(known.plan()?.nextCheckMs)) known.planFirstCheck();
      const due = now() >= (known.plan()?.nextCheckMs ?? 0);
      if (isEnrolled && queued.running() === undefined) {
        if (due) queued.request({ kind: "check", full: false });
        else await quietly("the new decision", again.ifDue);
      }
      const service = isEnrolled ? await serviceStatus() : undefined;
      if (service !== undefined && isEnrolled) {
        stuck.look(service, config.deviceId);
        await quietly("what happens by itself", () => byItself.step(service));
        await quietly("the slot of the last restart", () => slot.freeWhenWell(service));
      }
      await report();
    },
    watch: async () => void (await byItself.watch(serviceStatus)),
    async stop() {
      // What hangs on a slow network is cut off; the next process takes it up.
      await Promise.race([Promise.all([queued.stop(), reporting]), wait(STOP_MS)]);
      if (database.sql.isOpen) database.sql.close();
    },
  };
}
