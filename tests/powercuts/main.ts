/**
 * Power cuts: what the real update service writes to a real ext4 on a disk with a volatile cache is
 * recorded, then hundreds of states that a cut could have left are mounted, recovered and looked at:
 * the old version or the new one, whole, and never lost once acknowledged.
 *
 * The same with fsync taken out must fail, or this test could not.
 * UPBEAT_POWERCUTS: how many states (default 100; 300 in `npm run test:long`).
 * UPBEAT_POWERCUTS_SEED: repeats the choice on a
 * new recording. Needs root, loop devices and nbdfuse; otherwise it says that it was skipped and why.
 */
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Random, seededRandom, seedFrom } from "../support/random.ts";
import { type SampleReleases, sampleReleases } from "../support/sampleReleases.ts";
import { type CrashState, crashState, imageBuilder } from "./crashStates.ts";
import { undoAll, whyImpossible, withMounted } from "./mounts.ts";
import { type Phase, type Recording, record } from "./recording.ts";
import { verdict } from "./verdict.ts";

const SKIPPED_EXIT_CODE = 77;
const STATES = Number(process.env.UPBEAT_POWERCUTS ?? 100);
const MUTANT_STATES = 40;
const AT_ONCE = 2;
/** Where most missing fsyncs show (reference measurements: all of them after the acknowledgement). */
const SHARE_AFTER_ACKNOWLEDGEMENT = 0.4;
const MIN_MEMORY_BYTES = 512 * 1024 * 1024;

interface Sample {
  readonly phase: Phase;
  readonly state: CrashState;
}

interface Tally {
  states: number;
  acknowledged: number;
  violations: number;
  /** The first few, in words. */
  readonly examples: string[];
}

async function main(): Promise<number> {
  const impossible = whyImpossible();
  if (impossible !== undefined) {
    console.log(`skipped: ${impossible}`);
    return SKIPPED_EXIT_CODE;
  }
  const seed = seedFrom("UPBEAT_POWERCUTS_SEED");
  const folder = mkdtempSync(join(memoryFolder(), "upbeat-powercuts-"));
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      undoAll();
      rmSync(folder, { recursive: true, force: true });
      process.exit(130);
    });
  }
  const releases = await sampleReleases(join(folder, "releases"));
  try {
    const good = await record(join(folder, "recording"), releases, 5, {});
    say("recorded", good);
    const tally = await tryStates(good, STATES, seed, folder, releases);
    for (const example of tally.examples) console.log(`VIOLATION ${example}`);

    const mutant = await record(join(folder, "mutant"), releases, 2, { UPBEAT_TEST_NO_FSYNC: "1" });
    say("without fsync recorded", mutant);
    const caught = await tryStates(mutant, MUTANT_STATES, seed, folder, releases);
    console.log(`without fsync, for example: ${caught.examples[0]?.split("\n")[0]}`);
    if (caught.violations === 0) console.log("FAILED: taking fsync out changed nothing");
    console.log(
      `${tally.states} crash states, ${tally.acknowledged} of them after the acknowledgement: ` +
        `${tally.violations} violations; without fsync ${caught.violations} of ${caught.states}; seed ${seed}`,
    );
    return tally.violations === 0 && caught.violations > 0 ? 0 : 1;
  } finally {
    undoAll();
    await releases.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tryStates(
  recording: Recording,
  count: number,
  seed: number,
  folder: string,
  releases: SampleReleases,
): Promise<Tally> {
  const samples = chooseStates(recording, count, seededRandom(seed));
  const build = imageBuilder(recording.base, recording.log);
  const tally: Tally = { states: 0, acknowledged: 0, violations: 0, examples: [] };
  const startedMs = performance.now();
  let next = 0;
  const work = async (_: unknown, worker: number) => {
    const imagePath = join(folder, `crash-${worker}.img`);
    const mountPoint = join(folder, `crash-${worker}`);
    mkdirSync(mountPoint, { recursive: true });
    for (let sample = samples[next++]; sample !== undefined; sample = samples[next++]) {
      const { phase, state } = sample;
      writeFileSync(imagePath, build(state));
      const wrong = await withMounted(imagePath, mountPoint, () =>
        verdict(mountPoint, releases, phase, state.cut),
      ).catch((error: unknown) => [String(error)]);
      tally.states++;
      if (state.cut > phase.acknowledged) tally.acknowledged++;
      if (wrong.length === 0) continue;
      tally.violations++;
      if (tally.examples.length < 5) tally.examples.push(describe(sample, wrong));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const ms = (performance.now() - startedMs) / tally.states;
  console.log(`${tally.states} crash states, ${ms.toFixed(0)} ms each`);
  return tally;
}

/** Ascending by what is durable, as the images are built one on the other. */
function chooseStates({ log, phases }: Recording, count: number, random: Random): Sample[] {
  return Array.from({ length: count }, (_, index) => {
    // biome-ignore lint/style/noNonNullAssertion: the remainder is an index
    const phase = phases[index % phases.length]!;
    const { began, acknowledged, ended } = phase;
    const state =
      random.next() < SHARE_AFTER_ACKNOWLEDGEMENT
        ? crashState(log, acknowledged + 1, ended, random)
        : crashState(log, began, acknowledged, random);
    return { phase, state };
  }).toSorted((a, b) => a.state.durable - b.state.durable);
}

function describe({ phase, state }: Sample, wrong: readonly string[]): string {
  return (
    `${phase.scenario.name}, cut at ${state.cut} (began ${phase.began}, acknowledged ` +
    `${phase.acknowledged}), durable before ${state.durable}, ${state.kept.length} pieces kept, ` +
    `${state.lost} lost: ${wrong.join("; ")}`
  );
}

function say(what: string, { log, phases }: Recording): void {
  const writes = log.filter(({ kind }) => kind === "write").length;
  const flushes = log.filter(({ kind }) => kind === "flush").length;
  const names = phases.map(({ scenario }) => scenario.name).join(", ");
  console.log(`${what}: ${writes} writes and ${flushes} flushes in ${names}`);
}

/** Images are written hundreds of times; memory spares the machine's own disk. */
function memoryFolder(): string {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    return bavail * bsize > MIN_MEMORY_BYTES ? "/dev/shm" : tmpdir();
  } catch {
    return tmpdir();
  }
}

process.exitCode = await main();
