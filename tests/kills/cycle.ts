/**
 * One cycle: a device in the state before a scenario, the real update service on it, killed as
 * planned and started again until nothing is left to do, then everything is looked at.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { devicePaths } from "../../device/paths.ts";
import { shapeOf, versionOf } from "../support/deviceTree.ts";
import type { SampleReleases } from "../support/sampleReleases.ts";
import { type RunningService, startUpdateService } from "../support/updateServiceProcess.ts";
import type { Scenario, Step } from "./scenarios.ts";

/** The service is started once for each, and once more to finish undisturbed. */
export type Kill =
  /** It kills itself there (`device/killPoint.ts`). */
  | { readonly at: string }
  /** Counted from the start of the process. */
  | { readonly afterMs: number };

export interface CycleResult {
  /** How many of the planned kills happened; a tag may lie on another path. */
  readonly kills: number;
  readonly violations: readonly string[];
  readonly shape: readonly string[];
  /** From the start of the first process to the end of the work. */
  readonly tookMs: number;
}

const MAX_STARTS = 8;

export async function runCycle(
  root: string,
  releases: SampleReleases,
  scenario: Scenario,
  kills: readonly Kill[],
): Promise<CycleResult> {
  const current = join(devicePaths(root).installed, "products", releases.product, "current");
  const violations: string[] = [];
  const accepted = new Set<Step>();
  const startedMs = performance.now();
  let happened = 0;

  for (let start = 0; start < MAX_STARTS; start++) {
    const kill = kills[start];
    const service = await startKillable(root, kill);
    try {
      await follow(service, scenario, accepted);
      const tookMs = performance.now() - startedMs;
      violations.push(...(await look(service, current, releases, scenario)));
      await service.kill();
      violations.push(...(await orphans(root)));
      return { kills: happened, violations, shape: shapeOf(root), tookMs };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const killed = kill !== undefined && (await killedBy(service));
      if (!killed) {
        await service.kill();
        return failed(`start ${start}: ${reason}\n${service.output()}`);
      }
      happened++;
      const version = versionOf(current, releases.trees);
      const isKnownDamage = scenario.damage !== undefined && version.startsWith("broken: 1.0.0:");
      if (!scenario.allowed.includes(version) && !isKnownDamage)
        violations.push(`after kill ${happened}: ${version}`);
    }
  }
  return failed(`not finished after ${MAX_STARTS} starts`);

  function failed(violation: string): CycleResult {
    const tookMs = performance.now() - startedMs;
    return { kills: happened, violations: [...violations, violation], shape: [], tookMs };
  }
}

async function startKillable(root: string, kill: Kill | undefined): Promise<RunningService> {
  if (kill === undefined) return startUpdateService(root);
  if ("at" in kill) return startUpdateService(root, { UPBEAT_KILL_AT: kill.at });
  return startUpdateService(root, {}, kill.afterMs);
}

/** A refused connection shows the kill a moment before the process is reaped. */
async function killedBy(service: RunningService): Promise<boolean> {
  const end = await Promise.race([service.ended, sleep(2_000)]);
  return end?.signal === "SIGKILL";
}

/** Asks for every step once; what was accepted before a kill must come about unasked. */
async function follow(
  service: RunningService,
  scenario: Scenario,
  accepted: Set<Step>,
): Promise<void> {
  for (const step of scenario.steps) {
    const status = await service.idle();
    if (step.done(status, await service.history())) continue;
    if (accepted.has(step)) {
      throw new Error(`an accepted ${step.job.kind} was lost: ${JSON.stringify(status)}`);
    }
    await service.request(step.job);
    accepted.add(step);
    const after = await service.idle();
    if (!step.done(after, await service.history())) {
      throw new Error(`${step.job.kind} did not come about: ${JSON.stringify(after)}`);
    }
  }
}

async function look(
  service: RunningService,
  current: string,
  releases: SampleReleases,
  { before, outcome }: Scenario,
): Promise<string[]> {
  const wrong: string[] = [];
  const version = versionOf(current, releases.trees);
  if (version !== outcome.current)
    wrong.push(`current: expected ${outcome.current}, found ${version}`);
  const history = await service.history();
  const expected = before.filter(({ job }) => job.kind !== "download").length + 1;
  if (history.length !== expected) {
    wrong.push(`history: expected ${expected} entries, found ${JSON.stringify(history)}`);
  }
  const [newest] = history;
  const { operation, result } = outcome.entry;
  if (newest?.operation !== operation || newest.result !== result) {
    wrong.push(`history: expected ${operation} ${result}, found ${JSON.stringify(newest)}`);
  }
  return wrong;
}

/** Children must end with the service that started them. */
async function orphans(root: string): Promise<string[]> {
  for (let i = 0; i < 40; i++) {
    if (processesOn(root).length === 0) return [];
    await sleep(50);
  }
  return processesOn(root).map((pid) => `process ${pid} outlived the service`);
}

function processesOn(root: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8")
        .split("\0")
        .some((word) => word.startsWith(root));
    } catch {
      return false; // it has ended meanwhile
    }
  });
}
