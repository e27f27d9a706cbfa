/**
 * The kill harness: the real update service as a process, SIGKILLed at every named step of every
 * scenario and at random moments, started again, and looked at.
 *
 * UPBEAT_KILLS_RANDOM: how many random cycles (default 50; 300 in `npm run test:long`).
 * UPBEAT_KILLS_SEED: repeats the plan.
 * A cycle that fails keeps its folder and prints how it was killed.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KILL_POINTS } from "../../device/killPoint.ts";
import { differences } from "../support/deviceTree.ts";
import { type Random, seededRandom, seedFrom } from "../support/random.ts";
import { type SampleReleases, sampleReleases } from "../support/sampleReleases.ts";
import { type Kill, runCycle } from "./cycle.ts";
import { scenarios } from "./scenarios.ts";
import { copyDevice, makeTemplate, type Template } from "./templates.ts";

const AT_ONCE = 2;
const RANDOM_CYCLES = Number(process.env.UPBEAT_KILLS_RANDOM ?? 50);
/** Fewer would say nothing about the code, only that the harness did not run. */
const FEWEST_KILLS = 100;
/** Several updates that share one restart: `tests/orchestrator/sharedRestart.test.ts` kills there. */
const KILLED_ELSEWHERE: ReadonlySet<string> = new Set(["park:done", "park:taken-up"]);
/** A step that is passed several times in a scenario is tried the first time and the second. */
const PASSES = 2;

/** Resolves to the number of kills that happened. */
type RunOne = (template: Template, kills: readonly Kill[]) => Promise<number>;

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "upbeat-kills-"));
  const seed = seedFrom("UPBEAT_KILLS_SEED");
  const releases = await sampleReleases(join(folder, "releases"));
  try {
    const templates: Template[] = [];
    for (const scenario of scenarios(releases)) {
      const template = await makeTemplate(folder, scenario, releases);
      console.log(`${scenario.name}: undisturbed ${template.tookMs.toFixed(0)} ms`);
      templates.push(template);
    }
    const tally = { kills: 0, failures: 0 };
    const runOne = cycleRunner(folder, releases, tally);
    const reached = new Set<string>();
    await inParallel([
      ...tagTasks(templates, runOne, reached),
      ...randomTasks(templates, runOne, seededRandom(seed)),
    ]);
    const unreached = KILL_POINTS.filter((tag) => !reached.has(tag) && !KILLED_ELSEWHERE.has(tag));
    if (unreached.length > 0) console.log(`never passed: ${unreached.join(", ")}`);
    if (tally.failures === 0) rmSync(folder, { recursive: true, force: true });
    else console.log(`kept: ${folder}`);
    console.log(
      `${tally.kills} kills (${reached.size} of ${KILL_POINTS.length} named steps, ` +
        `${RANDOM_CYCLES} random cycles) in ${templates.length} scenarios, ` +
        `${tally.failures} failures, seed ${seed}`,
    );
    const proven = unreached.length === 0 && tally.kills >= FEWEST_KILLS;
    return tally.failures === 0 && proven ? 0 : 1;
  } finally {
    await releases.close();
  }
}

type Task = () => Promise<void>;

function tagTasks(templates: readonly Template[], runOne: RunOne, reached: Set<string>): Task[] {
  return templates.flatMap((template) =>
    KILL_POINTS.filter((tag) => template.scenario.passes.includes(tag.split(":")[0] ?? "")).map(
      (tag) => async () => {
        for (let pass = 1; pass <= PASSES; pass++) {
          if ((await runOne(template, [{ at: `${tag}#${pass}` }])) === 0) return;
          reached.add(tag);
        }
      },
    ),
  );
}

/** Every third is killed once more while it recovers. */
function randomTasks(templates: readonly Template[], runOne: RunOne, random: Random): Task[] {
  return Array.from({ length: RANDOM_CYCLES }, (_, index) => {
    // biome-ignore lint/style/noNonNullAssertion: the remainder is an index
    const template = templates[index % templates.length]!;
    const moment = () => ({ afterMs: Math.round(random.next() * template.tookMs * 1.1) });
    const kills = index % 3 === 0 ? [moment(), moment()] : [moment()];
    return async () => {
      await runOne(template, kills);
    };
  });
}

function cycleRunner(
  folder: string,
  releases: SampleReleases,
  tally: { kills: number; failures: number },
): RunOne {
  const cycles = join(folder, "cycles");
  mkdirSync(cycles);
  let count = 0;
  return async (template, kills) => {
    const root = join(cycles, String(++count));
    await copyDevice(template.folder, root);
    const result = await runCycle(root, releases, template.scenario, kills);
    const violations = [...result.violations];
    if (violations.length === 0) violations.push(...leftovers(template.shape, result.shape));
    tally.kills += result.kills;
    if (violations.length === 0) {
      rmSync(root, { recursive: true, force: true });
    } else {
      tally.failures++;
      console.log(`FAILED ${template.scenario.name} ${JSON.stringify(kills)} in ${root}`);
      for (const violation of violations) console.log(`  ${violation}`);
    }
    return result.kills;
  };
}

/** A killed device must end up with the same files as one that was left alone. */
function leftovers(expected: readonly string[], found: readonly string[]): string[] {
  const counted = (paths: readonly string[]) => {
    const counts = new Map<string, string>();
    for (const path of paths) counts.set(path, String(Number(counts.get(path) ?? 0) + 1));
    return counts;
  };
  return differences(counted(expected), counted(found)).map((line) => `files: ${line}`);
}

async function inParallel(tasks: readonly Task[]): Promise<void> {
  const startedMs = performance.now();
  let next = 0;
  const work = async () => {
    for (let task = tasks[next++]; task !== undefined; task = tasks[next++]) {
      await task();
      if (next % 50 !== 0) continue;
      const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
      console.log(`${next} of ${tasks.length} cycles, ${seconds} s`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

process.exitCode = await main();
