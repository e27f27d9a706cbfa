/**
 * What a check and an install mean for providers. Their scans run here, without rights; what needs
 * rights is asked of the update service, by the provider's name and its own ids.
 *
 * Errors of `bringProviderUpdates`: that of the first provider that failed, after all were tried.
 */
import { z } from "zod";
import { reportError } from "../../protocol/errors/error.ts";
import type { Change } from "../../protocol/orchestratorApi.ts";
import { type ProviderId, ProviderReport, type ProviderVerb } from "../../protocol/providers.ts";
import { providerNames, providerVerbs } from "../providerFolder.ts";
import type { OrchestratorDatabase } from "./database.ts";
import { followProvider } from "./followProvider.ts";
import { scanProviders } from "./scanProviders.ts";
import { providerUpdateId } from "./timing/pending.ts";
import { watchedFor } from "./watchChange.ts";
import type { WorkTools, WorkWorld } from "./work.ts";

/** What the last check found, kept over restarts. */
export const recallProviders = (database: OrchestratorDatabase): ProviderReport[] =>
  database.recall("providers", z.array(ProviderReport)) ?? [];

/** Lists that are fetched anew more often than this cost a server more than they tell. */
const REFRESH_MS = 12 * 3_600_000;

/** Brings each provider's lists up to date when they are old, or when `always`, and asks what it has. */
export async function checkProviders(
  world: WorkWorld,
  change: Change,
  always: boolean,
  tools: WorkTools,
): Promise<ProviderReport[]> {
  const { database, paths, now } = world;
  const refreshed = database.recall("providersRefreshed", z.record(z.string(), z.int())) ?? {};
  const failures = new Map<ProviderId, string>();
  for (const provider of providerNames(paths.providersFolder)) {
    const ageMs = Math.abs(now() - (refreshed[provider] ?? 0));
    if (!providerVerbs(paths.providersFolder, provider).includes("refresh")) continue;
    if (!always && ageMs < REFRESH_MS) continue;
    try {
      await runProvider(world, change, { provider, verb: "refresh", updates: [] }, tools);
      refreshed[provider] = now();
    } catch (error) {
      if (tools.signal.aborted) throw error;
      failures.set(provider, error instanceof Error ? error.message : String(error));
    }
  }
  database.remember("providersRefreshed", refreshed);
  const reports = await scan(world);
  // Old lists are still worth something; that they are old is said.
  return reports.map((report) => {
    const failure = report.failure ?? failures.get(report.provider);
    return failure === undefined ? report : { ...report, failure };
  });
}

async function scan({ paths, database, now }: WorkWorld): Promise<ProviderReport[]> {
  const reports = await scanProviders(paths.providersFolder, now);
  database.remember("providers", reports);
  return reports;
}

interface WantedOfProviders {
  readonly kind: "download" | "install";
  readonly provider: ProviderId | undefined;
}

interface ProviderStep {
  readonly provider: ProviderId;
  readonly verb: ProviderVerb;
  readonly updates: string[];
}

const openReports = ({ database }: WorkWorld, wanted: WantedOfProviders): ProviderReport[] =>
  recallProviders(database).filter(
    ({ provider, updates }) =>
      updates.length > 0 && (wanted.provider === undefined || provider === wanted.provider),
  );

/** What `bringProviderUpdates` will ask of the update service, in its order. */
export const providerSteps = (world: WorkWorld, wanted: WantedOfProviders): ProviderStep[] =>
  openReports(world, wanted).flatMap(({ provider, updates, verbs }) =>
    (["download", "install"] as const)
      .filter((verb) => verbs.includes(verb) && (verb === "download" || wanted.kind === "install"))
      .map((verb) => ({ provider, verb, updates: updates.map(({ id }) => id) })),
  );

export async function bringProviderUpdates(
  world: WorkWorld,
  change: Change,
  what: WantedOfProviders,
  tools: WorkTools,
): Promise<"succeeded" | "nothing-to-do"> {
  const open = openReports(world, what);
  const steps = providerSteps(world, what);
  if (steps.length === 0) return "nothing-to-do";
  const failed = new Map<ProviderId, unknown>();
  for (const step of steps) {
    // Without its download an install would only fail once more.
    if (failed.has(step.provider)) continue;
    try {
      await runProvider(world, change, step, tools);
    } catch (error) {
      if (tools.signal.aborted) throw error;
      failed.set(step.provider, error);
    }
  }
  for (const { provider, updates } of open) {
    const id = providerUpdateId(provider, updates);
    const error = failed.get(provider);
    // Timing tries again what failed only after a while, as with an update of ours.
    if (error === undefined) world.failures.forget(id);
    else world.failures.add(id, reportError(error));
  }
  if (what.kind === "install") await scan(world);
  const [first] = failed.values();
  if (first !== undefined) throw first;
  return "succeeded";
}

async function runProvider(
  world: WorkWorld,
  change: Change,
  step: ProviderStep,
  { signal }: WorkTools,
): Promise<void> {
  const tools = { calls: world.calls, signal, elapsed: () => performance.now() };
  const job = { kind: "provider", ...step } as const;
  await watchedFor(world, change, job, (watcher) => followProvider(job, tools, watcher));
}
