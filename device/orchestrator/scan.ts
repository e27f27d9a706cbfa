/**
 * One check for updates: asks whether anything changed, refreshes the signed metadata if so, and
 * decides what suits this machine. Leaves what was known before when anything fails.
 *
 * Errors: UPB-FETCH-*, UPB-TRUST-*, UPB-DEVICE-NOT-ENROLLED.
 */
import { z } from "zod";
import { firstFromBundle } from "../../content/bundle/bundledSource.ts";
import { checkForChange, isRefreshDue } from "../../content/changeCheck.ts";
import { folderMetadataSource } from "../../content/folderSource.ts";
import { type DeviceNow, type Gathered, gatherAndDecide } from "../../content/gather.ts";
import { type ReleaseSource, releaseSource } from "../../content/releaseSource.ts";
import type { DeviceConfig } from "../../protocol/deviceApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { type Product, UpdateId, type Version } from "../../protocol/ids.ts";
import { CheckResult } from "../../protocol/orchestratorApi.ts";
import { openCached, refresh } from "../../protocol/trust/client.ts";
import type { TrustedMetadata } from "../../protocol/trust/ports.ts";
import type { DevicePaths } from "../paths.ts";
import type { OrchestratorDatabase } from "./database.ts";
import { neverOlder } from "./policyMarks.ts";
import { digest, openRepository, type Repository } from "./repository.ts";

/** What the last successful check left, kept over restarts. */
export const Evaluation = z.object({
  checkedMs: z.int(),
  /** When it was decided; later than the check when something here changed since. */
  decidedMs: z.int().default(0),
  result: CheckResult,
  /** By `formatUpdate`: what installing an offer means. */
  installs: z.record(z.string(), z.array(UpdateId)),
  trust: z.object({ versions: z.record(z.string(), z.int()), expiresMs: z.int() }),
  /** Of everything about this machine that the decision looked at. */
  decidedFor: z.string(),
  /** False: rollouts, holds, deferrals … may decide otherwise later, though nothing changed. */
  isTimeless: z.boolean().default(false),
});
export type Evaluation = z.infer<typeof Evaluation>;

const LastRefresh = z.object({
  etag: z.string(),
  timestampExpiresMs: z.number(),
  refreshedMs: z.number(),
  source: z.string(),
});

export interface DecideInput {
  readonly paths: DevicePaths;
  readonly database: OrchestratorDatabase;
  readonly config: DeviceConfig;
  readonly device: DeviceNow;
  readonly now: () => number;
  /** Hears each decision with what it was decided from. */
  readonly decided: (gathered: Gathered) => void;
}
export interface ScanInput extends DecideInput {
  readonly full: boolean;
}

/**
 * A check without the server: from the catalogue in `paths.catalogue`, verified as if it had come
 * over the network. What the server said last counts on for the next check that asks it.
 */
export async function scanOffline(input: DecideInput): Promise<Evaluation> {
  const { catalogue } = input.paths;
  const repository = openRepository(input.paths, input.config, input.now, catalogue);
  const source = folderMetadataSource(catalogue);
  const trusted = await refresh({ ...repository.trust, source });
  return keep(input.database, await evaluate(input, repository, trusted, "evaluated"));
}

export async function scan(input: ScanInput): Promise<Evaluation> {
  const { database, device, now } = input;
  const repository = openRepository(input.paths, input.config, now);
  const { source, trust, traffic } = repository;
  const remembered = database.recall("lastRefresh", LastRefresh);
  const last = remembered?.source === source && !input.full ? remembered : undefined;
  const before = last && database.recall("evaluation", Evaluation);

  if (before !== undefined && last !== undefined && !isRefreshDue(last, now())) {
    const answer = await checkForChange({ source: trust.source, last, nowMs: now() });
    if (answer === "unchanged") {
      if (before.decidedFor === digest([source, device]) && before.isTimeless) {
        const result: CheckResult = { ...before.result, outcome: "unchanged", ...traffic };
        return keep(database, { ...before, checkedMs: now(), result });
      }
      // The server is the same; this machine, or the time, is not: decide again with what is here.
      const trusted = await openCached(trust);
      if (trusted !== undefined) {
        return keep(database, await evaluate(input, repository, trusted, "unchanged"));
      }
    }
  }
  const trusted = await refreshed(repository);
  const evaluation = await evaluate(input, repository, trusted, "evaluated");
  return database.atomically(() => {
    const etag = trust.source.etagOf("timestamp.json");
    // Kept only now: a check that failed on the way must not be followed by "unchanged".
    database.remember(
      "lastRefresh",
      etag === undefined
        ? null
        : { etag, timestampExpiresMs: trusted.expires.timestamp, refreshedMs: now(), source },
    );
    return keep(database, evaluation);
  });
}

/**
 * Decides again from what the last check left, because something about this machine or the time
 * changed. Undefined: there was no check yet, or what it left has expired.
 */
export async function decideAgain(input: DecideInput): Promise<Evaluation | undefined> {
  const before = input.database.recall("evaluation", Evaluation);
  const repository = openRepository(input.paths, input.config, input.now);
  const trusted = await openUnexpired(repository.trust);
  if (before === undefined || trusted === undefined) return undefined;
  const evaluation = await evaluate(input, repository, trusted, before.result.outcome);
  return keep(input.database, { ...evaluation, checkedMs: before.checkedMs });
}

/** Everything that an answer about one update needs; what is not kept here is fetched. */
export async function lookAt(
  input: DecideInput,
  asked?: { readonly product: Product; readonly version?: Version | undefined },
): Promise<Gathered> {
  const repository = openRepository(input.paths, input.config, input.now);
  const trusted = (await openUnexpired(repository.trust)) ?? (await refreshed(repository));
  const releases = releasesOf(input.database, repository, trusted);
  return await gatherAndDecide(releases, input.device, input.now(), asked);
}

const refreshed = ({ trust, newest }: Repository): Promise<TrustedMetadata> =>
  firstFromBundle(newest, ({ metadata }) => refresh({ ...trust, source: metadata }));

/** Undefined too when what is kept has expired: then only the server can tell. */
async function openUnexpired(trust: Repository["trust"]): Promise<TrustedMetadata | undefined> {
  try {
    return await openCached(trust);
  } catch (error) {
    if (error instanceof UpbeatError && error.code === "UPB-TRUST-EXPIRED") return undefined;
    throw error;
  }
}

function keep(database: OrchestratorDatabase, evaluation: Evaluation): Evaluation {
  database.remember("evaluation", evaluation);
  return evaluation;
}

const releasesOf = (
  database: OrchestratorDatabase,
  { source, cache }: Repository,
  trusted: TrustedMetadata,
): ReleaseSource => neverOlder(releaseSource(trusted, cache.read), database, source);

async function evaluate(
  { database, device, now, decided }: DecideInput,
  repository: Repository,
  trusted: TrustedMetadata,
  outcome: CheckResult["outcome"],
): Promise<Evaluation> {
  const { source, cache, traffic } = repository;
  const releases = releasesOf(database, repository, trusted);
  const gathered = await gatherAndDecide(releases, device, now());
  const { installs, offers, notOffered } = gathered.decision;
  cache.keepOnlyRead();
  decided(gathered);
  return {
    checkedMs: now(),
    decidedMs: now(),
    result: { outcome, ...traffic, offers, notOffered, providers: [] },
    installs: Object.fromEntries([...installs].map(([name, ids]) => [name, [...ids]])),
    trust: { versions: { ...trusted.versions }, expiresMs: trusted.expiresMs },
    decidedFor: digest([source, device]),
    isTimeless: gathered.isTimeless,
  };
}
