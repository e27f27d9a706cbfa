/** Devices in the state before a scenario, made once and copied for every cycle. */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { SampleReleases } from "../support/sampleReleases.ts";
import { prepareDevice, startUpdateService } from "../support/updateServiceProcess.ts";
import { runCycle } from "./cycle.ts";
import type { Scenario } from "./scenarios.ts";

export interface Template {
  readonly scenario: Scenario;
  readonly folder: string;
  /** What a device looks like after the scenario when nothing disturbed it. */
  readonly shape: readonly string[];
  /** How long the scenario takes undisturbed, start of the process included. */
  readonly tookMs: number;
}

export async function makeTemplate(
  folder: string,
  scenario: Scenario,
  releases: SampleReleases,
): Promise<Template> {
  const before = join(folder, `before ${scenario.name}`);
  mkdirSync(before, { recursive: true });
  prepareDevice(before, releases.device);
  const service = await startUpdateService(before);
  for (const step of scenario.before) {
    await service.request(step.job);
    const status = await service.idle();
    if (!step.done(status, await service.history())) {
      throw new Error(`${step.job.kind} failed undisturbed: ${JSON.stringify(status)}`);
    }
  }
  await service.stop();
  scenario.damage?.(before);
  const undisturbed = join(folder, `undisturbed ${scenario.name}`);
  await copyDevice(before, undisturbed);
  const { violations, shape, tookMs } = await runCycle(undisturbed, releases, scenario, []);
  if (violations.length > 0) {
    throw new Error(`"${scenario.name}" fails undisturbed: ${violations.join("\n")}`);
  }
  return { scenario, folder: before, shape, tookMs };
}

/** `cp -a`, which keeps the hard links between the store and the versions; Node's copy does not. */
export async function copyDevice(from: string, to: string): Promise<void> {
  await promisify(execFile)("cp", ["-a", from, to], { timeout: 60_000 });
}
