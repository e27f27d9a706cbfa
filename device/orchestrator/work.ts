/**
 * What each kind of change does. A check decides; the others ask the update service, with ids only.
 * Errors: those of the check (`scan.ts`) and of the jobs (`followJob.ts`).
 */
import { randomUUID } from "node:crypto";
import { errorFromReport, reportError, UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, type Product, type UpdateId } from "../../protocol/ids.ts";
import type { Change, ChangeRequest, Offer } from "../../protocol/orchestratorApi.ts";
import type { Settings } from "../../protocol/settings.ts";
import type { BandwidthRule } from "../../protocol/transfer.ts";
import type { ServiceStatus } from "../../protocol/updateServiceApi.ts";
import { type ChangeBar, jobKey } from "./bar.ts";
import type { ChangeWork } from "./changes.ts";
import { type DecideWorld, evaluate, evaluateOffline, redecide } from "./evaluate.ts";
import { followJob, type MovingJob } from "./followJob.ts";
import { followReport } from "./followReport.ts";
import { type Memory, openOffers } from "./memory.ts";
import { isDone, plannedJobs } from "./plannedJobs.ts";
import { bringProviderUpdates, checkProviders, providerSteps } from "./providerWork.ts";
import type { Evaluation } from "./scan.ts";
import { watchedFor } from "./watchChange.ts";
import type { FollowTools } from "./watchJob.ts";

export interface WorkWorld extends DecideWorld {
  readonly memory: Memory;
  readonly bar: ChangeBar;
}

export function changeWork(world: WorkWorld): ChangeWork {
  return async (change, tools) => {
    const { request } = change;
    switch (request.kind) {
      case "check":
        await check(world, change, request, tools);
        return "succeeded";
      case "download":
      case "install":
        return await bring(world, change, request, tools);
      case "rollback":
      case "uninstall":
        await doJob(world, change, { kind: request.kind, product: request.product }, tools);
        return "succeeded";
      case "plan":
        return await planDownloads(world, change, request.product, tools);
      case "verify":
        return await verify(world, change, request.product, tools);
    }
  };
}

async function check(
  world: WorkWorld,
  change: Change,
  { full, offline }: Extract<ChangeRequest, { kind: "check" }>,
  tools: WorkTools,
): Promise<void> {
  const { memory, queue, now } = world;
  const event = { id: randomUUID(), atMs: now(), kind: "check" as const };
  try {
    const { result } = await (offline === true ? evaluateOffline(world) : evaluate(world, full));
    change.check = { ...result, providers: await checkProviders(world, change, full, tools) };
    if (offline !== true)
      memory.planAfterSuccess(world.policy.combined().settings.checkIntervalHours);
    queue.add({ ...event, outcome: result.outcome });
  } catch (error) {
    // That somebody brought a bad stick says nothing about the server.
    if (offline !== true) memory.planAfterFailure(error);
    queue.add({ ...event, outcome: "failed", error: reportError(error) });
    throw error;
  }
}

export type WorkTools = Parameters<ChangeWork>[1];
type Bringing = Extract<ChangeRequest, { kind: "download" | "install" }>;

/** Ours first; a provider that fails does not keep them, nor another provider, from being done. */
async function bring(
  world: WorkWorld,
  change: Change,
  request: Bringing,
  tools: WorkTools,
): Promise<"succeeded" | "nothing-to-do"> {
  const { kind, product, provider, updates, background } = request;
  if (background !== true) await startAfresh(world, product);
  const all = product === undefined && updates === undefined;
  if (all) {
    const steps = providerSteps(world, { kind, provider });
    const jobs = steps.map((step) => ({ kind: "provider", ...step }) as const);
    world.bar.expect(
      change,
      jobs.map((job) => ({ key: jobKey(job), kind: job.kind })),
    );
  }
  const ours =
    provider === undefined ? await bringOffers(world, change, request, tools) : "nothing-to-do";
  if (!all) return ours;
  const theirs = await bringProviderUpdates(world, change, { kind, provider }, tools);
  return ours === "succeeded" ? ours : theirs;
}

async function bringOffers(
  world: WorkWorld,
  change: Change,
  request: Bringing,
  tools: WorkTools,
): Promise<"succeeded" | "nothing-to-do"> {
  const { kind, background = false } = request;
  // A change that a restart cut off goes on with what it had set out to do.
  const resumed = change.updates.length > 0;
  const wanted = resumed ? change.updates.map(idOf) : await chooseUpdates(world, request);
  if (wanted.length === 0) return "nothing-to-do";
  const status = await world.calls.status();
  note(change, wanted, status);
  world.bar.expect(change, plannedJobs(kind, wanted, status, world.memory.evaluation()));
  tools.save();
  const { settings } = world.policy.combined();
  let worked = false;
  for (const update of wanted) {
    const before = stateOf(await world.calls.status(), update);
    if (isDone(before, kind)) continue;
    worked = true;
    if (before !== "downloaded") {
      const bandwidth = background ? backgroundLimits(settings) : [];
      await doJob(world, change, { kind: "download", update, background, bandwidth }, tools);
    }
    if (kind === "install") {
      const { rollbackDays } = settings;
      await doJob(world, change, { kind, update, rollbackDays }, tools);
    }
  }
  return worked || resumed ? "succeeded" : "nothing-to-do";
}

/**
 * What the open offers mean, bundles opened. A machine that was never checked is checked first; so is
 * one that offers nothing to somebody who asks, because the server may have something since.
 */
async function chooseUpdates(world: WorkWorld, request: Bringing): Promise<UpdateId[]> {
  const known = world.memory.evaluation();
  if (known !== undefined) {
    const chosen = await chosenOf(world, known, request);
    const isAsked = request.background !== true && request.updates === undefined;
    if (chosen.length > 0 || !isAsked) return chosen;
  }
  return chosenOf(world, await evaluate(world, false), request);
}

async function chosenOf(
  world: WorkWorld,
  evaluation: Evaluation,
  { product, updates }: Bringing,
): Promise<UpdateId[]> {
  const offers: Offer[] = openOffers(evaluation, await world.calls.status());
  const ids = offers
    .filter((offer) =>
      // What is optional is brought when it is named, not with all else.
      product === undefined ? updates !== undefined || !offer.optional : isOf(offer, product),
    )
    .flatMap(({ update }) => evaluation.installs[formatUpdate(update)] ?? [update]);
  const wanted = updates && new Set(updates.map((update) => update.manifestSha256));
  const chosen = ids.filter((id) => wanted === undefined || wanted.has(id.manifestSha256));
  return [...new Map(chosen.map((id) => [id.manifestSha256, id])).values()];
}

/** The first rule that holds counts. */
function backgroundLimits(settings: Settings): BandwidthRule[] {
  const { downloadLimit, activeHoursDownloadLimit, activeHours } = settings;
  const rule = (limit: number | null) => (limit === null ? [] : [{ background: limit }]);
  const inActiveHours = rule(activeHoursDownloadLimit).map((limit) => ({
    from: activeHours.start,
    to: activeHours.end,
    ...limit,
  }));
  return [...inActiveHours, ...rule(downloadLimit)];
}

const isOf = (offer: Offer, product: Product): boolean => offer.update.product === product;

/** Somebody asks: what failed before and was held back may be tried once more. */
async function startAfresh(world: WorkWorld, product: Product | undefined): Promise<void> {
  const held = world.failures
    .held()
    .filter((it) => product === undefined || it.product === product);
  if (held.length === 0) return;
  for (const update of held) world.failures.forget(update);
  await redecide(world);
}

async function planDownloads(
  world: WorkWorld,
  change: Change,
  product: Product | undefined,
  tools: WorkTools,
): Promise<"succeeded" | "nothing-to-do"> {
  const wanted = await chooseUpdates(world, { kind: "download", product });
  change.plans = [];
  world.bar.expect(
    change,
    wanted.map((update) => ({ key: jobKey({ kind: "plan", update }), kind: "plan" })),
  );
  for (const update of wanted) {
    const job = { kind: "plan", update } as const;
    const plan = await watchedFor(world, change, job, (watcher) =>
      followReport(job, followTools(world, tools), watcher, async (jobId) => {
        const answer = await world.calls.plan(jobId);
        if (answer.error !== undefined) throw errorFromReport(answer.error);
        return answer.plan;
      }),
    );
    change.plans.push({ update, plan });
    tools.save();
  }
  return wanted.length === 0 ? "nothing-to-do" : "succeeded";
}

/** What an earlier process had checked is checked again: it does no harm. */
async function verify(
  world: WorkWorld,
  change: Change,
  product: Product | undefined,
  tools: WorkTools,
): Promise<"succeeded" | "nothing-to-do"> {
  const { products } = await world.calls.status();
  const installed = products.filter(({ current }) => current !== undefined);
  const wanted = product === undefined ? installed.map((it) => it.product) : [product];
  change.verified = [];
  world.bar.expect(
    change,
    wanted.map((it) => ({ key: jobKey({ kind: "verify", product: it }), kind: "verify" })),
  );
  for (const each of wanted) {
    const job = { kind: "verify", product: each } as const;
    const entry = await watchedFor(world, change, job, (watcher) =>
      followReport(job, followTools(world, tools), watcher, async (jobId) =>
        (await world.calls.history(20)).find(({ id }) => id === jobId),
      ),
    );
    if (entry.verify !== undefined && entry.fromVersion !== undefined)
      change.verified.push({ product: each, version: entry.fromVersion, report: entry.verify });
    tools.save();
    if (entry.error !== undefined) throw errorFromReport(entry.error);
  }
  return wanted.length === 0 ? "nothing-to-do" : "succeeded";
}

const followTools = (world: WorkWorld, { signal }: WorkTools): FollowTools => ({
  calls: world.calls,
  signal,
  elapsed: () => performance.now(),
});

async function doJob(
  world: WorkWorld,
  change: Change,
  job: MovingJob,
  tools: WorkTools,
): Promise<void> {
  const observe = (status: ServiceStatus): void => {
    world.observe(status);
    note(change, change.updates.map(idOf), status);
  };
  const record = await remembered(world, job, () =>
    watchedFor({ bar: world.bar, observe }, change, job, (watcher) =>
      followJob(job, followTools(world, tools), watcher),
    ),
  );
  const others = change.updates.filter((it) => it.manifestSha256 !== record.manifestSha256);
  change.updates = [...others, record];
  tools.save();
}

/** A failure of an update counts when it is decided whether it is tried again. */
async function remembered<Result>(
  { failures }: WorkWorld,
  job: MovingJob,
  work: () => Promise<Result>,
): Promise<Result> {
  if (!("update" in job)) return await work();
  try {
    const result = await work();
    if (job.kind === "install") failures.forget(job.update);
    return result;
  } catch (error) {
    // That a service is away says nothing about the update.
    const isItsOwn = error instanceof UpbeatError && !error.code.startsWith("UPB-LOCAL-");
    if (isItsOwn) failures.add(job.update, reportError(error));
    throw error;
  }
}

/** Where the updates of this change stand; those that the update service does not know are offered. */
function note(change: Change, ids: readonly UpdateId[], status: ServiceStatus): void {
  change.updates = ids.map(
    (id) =>
      status.updates.find((record) => record.manifestSha256 === id.manifestSha256) ?? {
        ...id,
        state: "offered",
        sinceMs: change.startedMs,
        jobId: change.id,
      },
  );
}

const stateOf = (status: ServiceStatus, update: UpdateId) =>
  status.updates.find((record) => record.manifestSha256 === update.manifestSha256)?.state;

const idOf = ({ product, version, manifestSha256 }: UpdateId): UpdateId => ({
  product,
  version,
  manifestSha256,
});
