/**
 * Lets the real update service work on a recorded disk, and marks in the log when each operation
 * began and when it was acknowledged: its history entry is visible through the service's API.
 */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type Scenario, scenarios } from "../kills/scenarios.ts";
import type { SampleReleases } from "../support/sampleReleases.ts";
import {
  prepareDevice,
  type RunningService,
  startUpdateService,
} from "../support/updateServiceProcess.ts";
import type { LogEntry } from "./diskLog.ts";
import { recordedDisk } from "./mounts.ts";

const DISK_BYTES = 48 * 1024 * 1024;
/** A missing fsync shows after the update: ext4 writes data up to seconds behind its names. */
const AFTERMATH_MS = 3_500;
/** In this order on one device; each begins where the one before it ends. */
const SEQUENCE = ["first install", "update", "rollback", "unhealthy update", "uninstall"] as const;

/** One operation of the recording, with its places in the log. */
export interface Phase {
  readonly scenario: Scenario;
  readonly began: number;
  readonly acknowledged: number;
  readonly ended: number;
  /** History entries before it. */
  readonly entriesBefore: number;
  /** What `current` may be until it is acknowledged; first what it was before. */
  readonly allowed: readonly string[];
}

export interface Recording {
  readonly base: Uint8Array;
  readonly log: readonly LogEntry[];
  readonly phases: readonly Phase[];
}

/** Where the device is on the disk. */
export const deviceRoot = (mountPoint: string): string => join(mountPoint, "device");

export async function record(
  folder: string,
  releases: SampleReleases,
  operations: number,
  env: Record<string, string>,
): Promise<Recording> {
  const all = scenarios(releases);
  const sequence = SEQUENCE.slice(0, operations).flatMap((name) =>
    all.filter((scenario) => scenario.name === name),
  );
  mkdirSync(folder, { recursive: true });
  const disk = await recordedDisk(folder, DISK_BYTES);
  const root = deviceRoot(disk.mountPoint);
  prepareDevice(root, releases.device);
  await promisify(execFile)("sync", ["-f", disk.mountPoint], { timeout: 30_000 });
  const service = await startUpdateService(root, env);
  try {
    for (const scenario of sequence) {
      await disk.mark(`began ${scenario.name}`);
      await perform(service, scenario);
      await disk.mark(`acknowledged ${scenario.name}`);
      await sleep(AFTERMATH_MS);
      await disk.mark(`ended ${scenario.name}`);
    }
  } finally {
    await service.kill();
  }
  const { base, log } = await disk.finish();
  const placeOf = (name: string) =>
    log.findIndex((entry) => entry.kind === "mark" && entry.name === name);
  const phases = sequence.map((scenario, entriesBefore) => ({
    scenario,
    began: placeOf(`began ${scenario.name}`),
    acknowledged: placeOf(`acknowledged ${scenario.name}`),
    ended: placeOf(`ended ${scenario.name}`),
    entriesBefore,
    allowed: allowedIn(sequence, entriesBefore),
  }));
  return { base, log, phases };
}

/** A scenario begins where the one before it in the sequence ended, not where it would alone. */
function allowedIn(sequence: readonly Scenario[], at: number): readonly string[] {
  const before = sequence[at - 1]?.outcome.current ?? "absent";
  return [before, ...(sequence[at]?.allowed.slice(1) ?? [])];
}

async function perform(service: RunningService, { name, steps }: Scenario): Promise<void> {
  const before = (await service.history()).length;
  for (const step of steps) {
    await service.request(step.job);
    const status = await service.idle();
    if (!step.done(status, await service.history())) {
      throw new Error(`${name}: ${step.job.kind} failed: ${JSON.stringify(status)}`);
    }
  }
  if ((await service.history()).length !== before + 1) {
    throw new Error(`${name} left no history entry`);
  }
}
