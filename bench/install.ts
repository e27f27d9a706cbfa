/**
 * `npm run bench -- install`: an install through the real update service, from the request until it
 * is installed, against `cp -r` and `sha256sum` of the same tree, in turn in the same run.
 *
 * The content is downloaded before the clock starts, as the original's install phase begins with
 * content at hand. `cp` is measured as the goal says, without a sync; how long a `sync -f` takes
 * behind it is shown too, since the install is durable when it says so and the copy is not.
 */
import { execFile } from "node:child_process";
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { Product, type UpdateId } from "../protocol/ids.ts";
import { seededRandom } from "../tests/support/random.ts";
import { staticRepository } from "../tests/support/staticRepository.ts";
import {
  peakMemoryBytes,
  prepareDevice,
  startUpdateService,
} from "../tests/support/updateServiceProcess.ts";
import { atMost, type Bench, type BenchResult, median } from "./bench.ts";

const GOAL_RATIO = 1.5;
const GOAL_PEAK_BYTES = 150 * 1024 * 1024;
const COMMAND_TIMEOUT_MS = 10 * 60_000;
const MEBIBYTE = 1024 * 1024;

interface Subject {
  readonly name: string;
  readonly rounds: number;
  /** Makes the folder with the tree, or names one that is there. */
  tree(folder: string): Promise<string>;
}

const SUBJECTS: readonly Subject[] = [
  {
    name: "typescript",
    rounds: 5,
    tree: async () => join(import.meta.dirname, "../node_modules/example-release-1"),
  },
  { name: "10,000 small files", rounds: 5, tree: async (folder) => smallFiles(folder, 10_000) },
  { name: "one file of 1 GiB", rounds: 3, tree: (folder) => bigFile(folder, 1024 * MEBIBYTE) },
];

export const installBench: Bench = {
  name: "install",
  describe: "time and peak memory of an install against cp -r and sha256sum of the same tree",
  run,
};

interface Round {
  readonly installMs: number;
  readonly peakBytes: number;
  readonly copyMs: number;
  readonly hashMs: number;
  readonly syncMs: number;
}

async function run(): Promise<BenchResult> {
  const figures: Record<string, number> = {};
  const goals: BenchResult["goals"][number][] = [];
  const rows: (string | number)[][] = [];
  for (const subject of SUBJECTS) {
    const rounds = await measure(subject);
    const of = (figure: keyof Round) => median(rounds.map((round) => round[figure]));
    const copyAndHashMs = median(rounds.map(({ copyMs, hashMs }) => copyMs + hashMs));
    const ratio = round(of("installMs") / copyAndHashMs, 2);
    const ratioWithSync = round(of("installMs") / (copyAndHashMs + of("syncMs")), 2);
    const peakBytes = Math.max(...rounds.map((each) => each.peakBytes));
    const key = subject.name.replaceAll(/[^a-zA-Z0-9]+(\w?)/g, (_, next: string) =>
      next.toUpperCase(),
    );
    Object.assign(figures, {
      [`${key} installMs`]: round(of("installMs")),
      [`${key} copyMs`]: round(of("copyMs")),
      [`${key} hashMs`]: round(of("hashMs")),
      [`${key} syncMs`]: round(of("syncMs")),
      [`${key} ratio`]: ratio,
      [`${key} ratioWithSync`]: ratioWithSync,
      [`${key} peakBytes`]: peakBytes,
    });
    rows.push([
      subject.name,
      ...[of("installMs"), of("copyMs"), of("hashMs"), of("syncMs")].map((ms) => round(ms)),
      ...[ratio, ratioWithSync, round(peakBytes / MEBIBYTE)],
    ]);
    goals.push(
      atMost(`${subject.name}: time against cp -r and sha256sum`, ratio, GOAL_RATIO),
      atMost(
        `${subject.name}: peak memory of the update service in bytes`,
        peakBytes,
        GOAL_PEAK_BYTES,
      ),
    );
  }
  return {
    figures,
    goals,
    tables: [
      {
        title: "Medians in milliseconds; content downloaded before; every round on a new device",
        header: [
          ...["tree", "install", "cp -r", "sha256sum", "sync -f"],
          ...["ratio", "ratio with sync", "peak MiB"],
        ],
        rows,
      },
    ],
  };
}

async function measure(subject: Subject): Promise<Round[]> {
  const folder = mkdtempSync(join(tmpdir(), "upbeat-bench-"));
  try {
    const tree = await subject.tree(folder);
    const repository = await staticRepository(join(folder, "repository"));
    const product = Product.parse("bench");
    const update = await repository.publish(tree, { product, version: "1.0.0" });
    const server = await repository.serve();
    const rounds: Round[] = [];
    try {
      for (let index = 0; index < subject.rounds; index++) {
        const root = join(folder, `device-${index}`);
        prepareDevice(root, {
          serverUrl: server.url,
          trustedRoot: repository.root,
          products: { [product]: "stable" },
        });
        const install = await timeInstall(root, update);
        const copy = await timeCopy(tree, join(folder, `copy-${index}`));
        rounds.push({ ...install, ...copy });
        rmSync(root, { recursive: true, force: true });
      }
    } finally {
      await server.close();
    }
    return rounds;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The peak covers the whole life of the process, the download included. */
async function timeInstall(
  root: string,
  update: UpdateId,
): Promise<{ installMs: number; peakBytes: number }> {
  const service = await startUpdateService(root);
  try {
    await service.request({ kind: "download", update });
    await service.idle();
    await settle(root);
    const startMs = performance.now();
    await service.request({ kind: "install", update });
    const status = await service.idle();
    const installMs = performance.now() - startMs;
    const state = status.updates.find(({ version }) => version === update.version)?.state;
    if (state !== "installed") throw new Error(`not installed but ${state}: ${service.output()}`);
    return { installMs, peakBytes: peakMemoryBytes(service.pid) };
  } finally {
    await service.stop();
  }
}

async function timeCopy(
  tree: string,
  copy: string,
): Promise<{ copyMs: number; hashMs: number; syncMs: number }> {
  await settle(tree);
  const copyMs = await timed(() => command("cp", ["-r", tree, copy]));
  const files = readdirSync(copy, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const hashMs = await timed(() => command("sha256sum", files));
  const syncMs = await timed(() => settle(copy));
  rmSync(copy, { recursive: true, force: true });
  return { copyMs, hashMs, syncMs };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** What others left to write must not be paid by the next one that is measured. */
const settle = (folder: string): Promise<void> => command("sync", ["-f", folder]);

async function command(program: string, args: string[]): Promise<void> {
  const options = { timeout: COMMAND_TIMEOUT_MS, maxBuffer: 64 * MEBIBYTE };
  await promisify(execFile)(program, args, options);
}

/** 1 to 8 KiB each, a hundred a folder, the same every time. */
function smallFiles(folder: string, count: number): string {
  const tree = join(folder, "tree");
  const random = seededRandom(1);
  for (let index = 0; index < count; index++) {
    const inside = join(tree, `folder-${Math.floor(index / 100)}`);
    if (index % 100 === 0) mkdirSync(inside, { recursive: true });
    writeFileSync(join(inside, `file-${index}`), noise(1024 + random.below(7 * 1024), index));
  }
  return tree;
}

async function bigFile(folder: string, sizeBytes: number): Promise<string> {
  const tree = join(folder, "tree");
  mkdirSync(tree, { recursive: true });
  const chunks = function* () {
    for (let at = 0; at < sizeBytes; at += MEBIBYTE) yield noise(MEBIBYTE, at);
  };
  await pipeline(chunks, createWriteStream(join(tree, "big")));
  return tree;
}

/** Bytes that no file system can store sparsely or find equal. */
function noise(sizeBytes: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  const words = Uint32Array.from({ length: Math.ceil(sizeBytes / 4) }, () => random.below(2 ** 32));
  return new Uint8Array(words.buffer, 0, sizeBytes);
}

function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}
