/**
 * What there is to do on this machine, as timing sees it: every offered update with how far it is,
 * what waits for a restart, and what the providers have. Remembers when each was first offered,
 * because deadlines count from then.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { PendingUpdate } from "../../../core/timing/situation.ts";
import { formatUpdate, Product, Sha256, type UpdateId, Version } from "../../../protocol/ids.ts";
import { CLASSIFICATIONS } from "../../../protocol/manifest.ts";
import type { Offer } from "../../../protocol/orchestratorApi.ts";
import type { ProviderId, ProviderReport, ProviderUpdate } from "../../../protocol/providers.ts";
import type { ServiceStatus, UpdateState } from "../../../protocol/updateServiceApi.ts";
import type { OrchestratorDatabase } from "../database.ts";
import type { FailureLog } from "../failures.ts";
import { openOffers } from "../memory.ts";
import type { Evaluation } from "../scan.ts";

export interface Pending {
  readonly updates: readonly PendingUpdate[];
  /** The providers' part: all that one has counts as one update, which is made up here. */
  readonly providers: ReadonlyMap<string, ProviderId>;
}

const About = z.object({
  firstOfferedMs: z.int(),
  classification: z.enum(CLASSIFICATIONS),
  restart: z.enum(["never", "canRequest", "always"]),
  userInput: z.boolean(),
  exclusive: z.boolean(),
  optional: z.boolean(),
  deadlineMs: z.int().optional(),
  deadlineDays: z.int().optional(),
});
type About = z.infer<typeof About>;

const Known = z.record(z.string(), About);
const FirstSeen = z.record(z.string(), z.int());

type Stage = PendingUpdate["stage"];
/** Undefined: nothing is left to do about it. */
const STAGES: Record<UpdateState, Stage | undefined> = {
  offered: "offered",
  held: "offered",
  paused: "offered",
  superseded: "offered",
  downloading: "downloading",
  downloaded: "downloaded",
  installing: "installing",
  "restart-pending": "restart-pending",
  committing: "installing",
  installed: undefined,
  "rolling-back": "installing",
  "rolled-back": undefined,
  uninstalling: "installing",
  uninstalled: "offered",
  failed: "offered",
};

export interface PendingInput {
  readonly evaluation: Evaluation | undefined;
  readonly status: ServiceStatus;
  readonly reports: readonly ProviderReport[];
  readonly failures: FailureLog;
  readonly nowMs: number;
}

export function pendingUpdates(database: OrchestratorDatabase, input: PendingInput): Pending {
  const own = ownUpdates(database, input);
  const theirs = providerUpdates(database, input);
  return {
    updates: [...own, ...theirs.map(({ update }) => update)],
    providers: new Map(theirs.map(({ update, provider }) => [update.id.manifestSha256, provider])),
  };
}

function ownUpdates(database: OrchestratorDatabase, input: PendingInput): PendingUpdate[] {
  const { evaluation, status, failures, nowMs } = input;
  const before = database.recall("pending", Known) ?? {};
  const known: Record<string, About> = {};
  const found = new Map<string, UpdateId>();
  for (const offer of openOffers(evaluation, status)) {
    for (const id of evaluation?.installs[formatUpdate(offer.update)] ?? [offer.update]) {
      found.set(id.manifestSha256, id);
      known[id.manifestSha256] = about(offer, before[id.manifestSha256], nowMs);
    }
  }
  // What waits for its restart does so whether or not it is still offered.
  for (const { product, version, manifestSha256, state, sinceMs } of status.updates) {
    if (state !== "restart-pending" || found.has(manifestSha256)) continue;
    found.set(manifestSha256, { product, version, manifestSha256 });
    known[manifestSha256] = before[manifestSha256] ?? { ...UNKNOWN, firstOfferedMs: sinceMs };
  }
  if (JSON.stringify(known) !== JSON.stringify(before)) database.remember("pending", known);
  return [...found.values()].flatMap((id): PendingUpdate[] => {
    const record = status.updates.find((it) => it.manifestSha256 === id.manifestSha256);
    const stage = record === undefined ? "offered" : STAGES[record.state];
    const what = known[id.manifestSha256];
    if (stage === undefined || what === undefined) return [];
    // A clock that was wrong in the future then must not move the deadline there either.
    const restartPendingMs =
      stage === "restart-pending" ? Math.min(record?.sinceMs ?? nowMs, nowMs) : undefined;
    const notBeforeMs = failures.notBeforeMs(id);
    return [{ id, stage, asked: "nothing", ...what, restartPendingMs, notBeforeMs }];
  });
}

const UNKNOWN = {
  classification: "update",
  restart: "always",
  userInput: false,
  exclusive: false,
  optional: false,
} as const;

function about(offer: Offer, before: About | undefined, nowMs: number): About {
  const { classification, restart, userInput, exclusive, optional } = offer;
  return {
    // A clock that was wrong in the future then must not move the deadline there.
    firstOfferedMs: Math.min(before?.firstOfferedMs ?? nowMs, nowMs),
    classification,
    restart,
    userInput,
    exclusive,
    optional,
    ...(offer.deadlineMs === undefined ? {} : { deadlineMs: offer.deadlineMs }),
    ...(offer.deadlineDays === undefined ? {} : { deadlineDays: offer.deadlineDays }),
  };
}

function providerUpdates(
  database: OrchestratorDatabase,
  { reports, status, failures, nowMs }: PendingInput,
): { update: PendingUpdate; provider: ProviderId }[] {
  const before = database.recall("providerUpdates", FirstSeen) ?? {};
  const seen: Record<string, number> = {};
  const names = new Set([
    ...reports.map((it) => it.provider),
    ...status.providers.map((it) => it.provider),
  ]);
  const found = [...names].flatMap((provider) => {
    const report = reports.find((it) => it.provider === provider);
    const state = status.providers.find((it) => it.provider === provider);
    const updates = report?.updates ?? [];
    const firstSeen = updates.map((update) => {
      const name = `${provider} ${update.id} ${update.version}`;
      const atMs = Math.min(before[name] ?? nowMs, nowMs);
      seen[name] = atMs;
      return atMs;
    });
    const restartPendingMs = state?.restartPendingMs;
    const waits = restartPendingMs !== undefined;
    const canInstall = report?.verbs.includes("install") === true;
    if (!waits && (updates.length === 0 || !canInstall)) return [];
    const id = providerUpdateId(provider, updates, waits);
    const deadlines = updates.flatMap(({ deadline }) =>
      deadline === undefined ? [] : [Date.parse(deadline)],
    );
    const busy = status.busy !== undefined && status.busy.phase === "provider";
    const notBeforeMs = failures.notBeforeMs(id);
    const update: PendingUpdate = {
      id,
      // Whether a provider has fetched them it knows itself: its install fetches what is missing.
      stage: waits ? "restart-pending" : busy ? "installing" : "downloaded",
      classification: updates.some((it) => it.classification === "security")
        ? "security"
        : "update",
      restart: updates.some((it) => it.restart !== "never") ? "canRequest" : "never",
      userInput: false,
      exclusive: false,
      optional: false,
      asked: "nothing",
      firstOfferedMs: Math.min(restartPendingMs ?? nowMs, ...firstSeen),
      deadlineMs: deadlines.length === 0 ? undefined : Math.min(...deadlines),
      restartPendingMs,
      notBeforeMs,
    };
    return [{ update, provider }];
  });
  if (JSON.stringify(seen) !== JSON.stringify(before)) database.remember("providerUpdates", seen);
  return found;
}

/** Made up, so that timing and failures can name it; no manifest has this hash. */
export function providerUpdateId(
  provider: ProviderId,
  updates: readonly Pick<ProviderUpdate, "id" | "version">[],
  waits = false,
): UpdateId {
  const names = updates.map(({ id, version }) => `${id} ${version}`).toSorted();
  const text = JSON.stringify([provider, names, waits]);
  return {
    product: Product.parse(provider),
    version: Version.parse(String(updates.length)),
    manifestSha256: Sha256.parse(createHash("sha256").update(text).digest("hex")),
  };
}
