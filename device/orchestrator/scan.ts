/**
 * One check for updates: asks whether anything changed, refreshes the signed metadata if so, and
 * decides what suits this machine. Leaves what was known before when anything fails.
 *
 * Errors: UPB-FETCH-*, UPB-TRUST-*, UPB-DEVICE-NOT-ENROLLED.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { checkForChange, isRefreshDue } from "../../content/changeCheck.ts";
import { type DeviceNow, gatherAndDecide } from "../../content/gather.ts";
import { httpMetadataSource, httpTargetReader } from "../../content/metadataSource.ts";
import { metadataStore } from "../../content/metadataStore.ts";
import { releaseSource } from "../../content/releaseSource.ts";
import type { DeviceConfig } from "../../protocol/deviceApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { UpdateId } from "../../protocol/ids.ts";
import { CheckResult } from "../../protocol/orchestratorApi.ts";
import { openCached, refresh } from "../../protocol/trust/client.ts";
import type { TrustedMetadata } from "../../protocol/trust/ports.ts";
import type { DevicePaths } from "../paths.ts";
import type { OrchestratorDatabase } from "./database.ts";
import { targetCache } from "./targetCache.ts";

/** What the last successful check left, kept over restarts. */
export const Evaluation = z.object({
  checkedMs: z.int(),
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
  /** Another server or another root: nothing that was remembered counts. */
  source: z.string(),
});

export interface ScanInput {
  readonly paths: DevicePaths;
  readonly database: OrchestratorDatabase;
  readonly config: DeviceConfig;
  readonly device: DeviceNow;
  readonly full: boolean;
  readonly now: () => number;
}

export async function scan(input: ScanInput): Promise<Evaluation> {
  const { database, config, device, now } = input;
  const trustedRoot = readTrustedRoot(input.paths);
  const source = digest([config.serverUrl, Buffer.from(trustedRoot).toString("base64")]);
  const baseUrl = new URL(config.serverUrl);
  const traffic = { requests: 0, receivedBytes: 0 };
  const count = (bytes: number): void => {
    traffic.requests += 1;
    traffic.receivedBytes += bytes;
  };
  const folder = join(input.paths.orchestratorState, "server", source.slice(0, 16));
  const trustOptions = { trustedRoot, store: metadataStore(join(folder, "metadata")), now };
  const http = httpMetadataSource(baseUrl, count);
  const cache = targetCache(join(folder, "targets"), httpTargetReader(baseUrl, count));
  const remembered = database.recall("lastRefresh", LastRefresh);
  const last = remembered?.source === source && !input.full ? remembered : undefined;
  const before = last && database.recall("evaluation", Evaluation);
  const decidedFor = digest([source, device]);

  const keep = (evaluation: Evaluation): Evaluation => {
    database.remember("evaluation", evaluation);
    return evaluation;
  };
  const evaluate = async (
    trusted: TrustedMetadata,
    outcome: CheckResult["outcome"],
  ): Promise<Evaluation> => {
    const releases = releaseSource(trusted, cache.read);
    const { decision, isTimeless } = await gatherAndDecide(releases, device, now());
    const { installs, offers, notOffered } = decision;
    cache.keepOnlyRead();
    return {
      checkedMs: now(),
      result: { outcome, ...traffic, offers, notOffered, providers: [] },
      installs: Object.fromEntries([...installs].map(([name, ids]) => [name, [...ids]])),
      trust: { versions: { ...trusted.versions }, expiresMs: trusted.expiresMs },
      decidedFor,
      isTimeless,
    };
  };

  if (before !== undefined && last !== undefined && !isRefreshDue(last, now())) {
    const answer = await checkForChange({ baseUrl, last, nowMs: now() });
    count(0);
    if (answer === "unchanged") {
      if (before.decidedFor === decidedFor && before.isTimeless) {
        const result: CheckResult = { ...before.result, outcome: "unchanged", ...traffic };
        return keep({ ...before, checkedMs: now(), result });
      }
      // The server is the same; this machine, or the time, is not: decide again with what is here.
      const trusted = await openCached({ ...trustOptions, source: http });
      if (trusted !== undefined) return keep(await evaluate(trusted, "unchanged"));
    }
  }
  const trusted = await refresh({ ...trustOptions, source: http });
  const evaluation = await evaluate(trusted, "evaluated");
  return database.atomically(() => {
    const etag = http.etagOf("timestamp.json");
    // Kept only now: a check that failed on the way must not be followed by "unchanged".
    database.remember(
      "lastRefresh",
      etag === undefined
        ? null
        : { etag, timestampExpiresMs: trusted.expires.timestamp, refreshedMs: now(), source },
    );
    return keep(evaluation);
  });
}

function readTrustedRoot(paths: DevicePaths): Uint8Array {
  try {
    return readFileSync(paths.trustedRoot);
  } catch (cause) {
    throw new UpbeatError("UPB-DEVICE-NOT-ENROLLED", { object: paths.trustedRoot, cause });
  }
}

const digest = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex");
