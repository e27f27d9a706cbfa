/**
 * `npm run bench -- delta [--only NAME,NAME]`: what an update costs in bytes, time and memory, Upbeat
 * and every installed peer side by side on the same trees.
 *
 * Upbeat's bytes are counted on the wire, with metadata, requests and headers; the peers' are their
 * patch alone, or the chunks or objects that are missing. Upbeat's memory is that of the service and
 * all of its children together, Node and the programs themselves included; a peer's that of its
 * process. What a peer makes is compared with the new tree where it makes a tree of it.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atMost, type Bench, type BenchResult, type Goal } from "./bench.ts";
import { type Cost, together } from "./delta/measuredCommand.ts";
import { isInstalled, PEERS, type Peer, type PeerResult } from "./delta/peers.ts";
import { archiveTree, SUBJECTS, type Subject, treeOf } from "./delta/subjects.ts";
import { runUpbeat, type UpbeatResult } from "./delta/upbeat.ts";

const GOAL = {
  overheadBytes: 2_048,
  againstBest: 1.02,
  inTotal: 0.85,
  againstChunks: 0.12,
  publishMs: 60_000,
  publishBytes: 1_000_000_000,
  memory: 0.25,
};

export const deltaBench: Bench = {
  name: "delta",
  describe:
    "bytes, time and memory of an update against xdelta3, zstd, casync, zsync, ostree and bsdiff",
  run,
};

interface Compared {
  readonly subject: Subject;
  readonly upbeat: UpbeatResult;
  readonly peers: ReadonlyMap<string, PeerResult>;
}

async function run(only: readonly string[] = []): Promise<BenchResult> {
  const wanted = (name: string) => only.length === 0 || only.some((part) => name.includes(part));
  const peers = PEERS.filter(isInstalled);
  const all: Compared[] = [];
  for (const subject of SUBJECTS.filter(({ name }) => wanted(name))) {
    console.error(`${subject.name} ...`);
    all.push(await compare(subject, peers));
  }
  if (all.length === 0) throw new RangeError("no pair has that name");
  const missing = PEERS.filter((peer) => !isInstalled(peer)).map(({ install }) => install);
  if (missing.length > 0)
    console.error(`Not compared: apt-get install ${[...new Set(missing)].join(" ")}`);
  return {
    figures: figuresOf(all),
    goals: all.flatMap(goalsOf).concat(totalGoals(all)),
    tables: tablesOf(all),
  };
}

async function compare(subject: Subject, installed: readonly Peer[]): Promise<Compared> {
  const folder = mkdtempSync(join(tmpdir(), "upbeat-delta-"));
  try {
    const oldTree = await treeOf(subject.packageName, subject.from);
    const newTree = await treeOf(subject.packageName, subject.to);
    const oldTar = await archiveTree(oldTree, join(folder, "old.tar"));
    const newTar = await archiveTree(newTree, join(folder, "new.tar"));
    const upbeat = await runUpbeat(oldTree, newTree);
    say("Upbeat", upbeat.traffic.bytes);
    const peers = new Map<string, PeerResult>();
    for (const peer of installed) {
      const own = join(folder, "peer");
      mkdirSync(own);
      const result = await peer.run({ oldTree, newTree, oldTar, newTar, folder: own });
      say(peer.name, result.bytes);
      peers.set(peer.name, result);
      rmSync(own, { recursive: true, force: true });
    }
    return { subject, upbeat, peers };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** It takes long, so what is known is said at once. */
const say = (name: string, bytes: number) =>
  console.error(`  ${name}: ${bytes.toLocaleString("en")} bytes`);

const bestOf = ({ peers }: Compared) => [...peers].toSorted(([, a], [, b]) => a.bytes - b.bytes)[0];

function goalsOf(one: Compared): Goal[] {
  const { subject, upbeat } = one;
  const { name } = subject;
  const overhead = upbeat.traffic.bytes - upbeat.contentBytes;
  const goals = [
    atMost(`${name}: bytes of content`, upbeat.contentBytes, subject.prototypeBytes),
    atMost(`${name}: bytes of metadata and requests`, overhead, GOAL.overheadBytes),
    atMost(`${name}: ms to publish`, Math.round(upbeat.publish.wallMs), GOAL.publishMs),
    atMost(`${name}: memory to publish`, upbeat.publish.peakBytes, GOAL.publishBytes),
  ];
  const [best, peer] = bestOf(one) ?? [];
  if (best === undefined || peer === undefined) return goals;
  const ratio = (a: number, b: number) => Math.round((a / Math.max(1, b)) * 1_000) / 1_000;
  return [
    ...goals,
    atMost(
      `${name}: content against ${best}`,
      ratio(upbeat.contentBytes, peer.bytes),
      GOAL.againstBest,
    ),
    atMost(
      `${name}: all bytes against ${best}`,
      ratio(upbeat.traffic.bytes, peer.bytes),
      GOAL.againstBest,
    ),
    atMost(
      `${name}: CPU to download and make against ${best}`,
      ratio(upbeat.download.cpuMs, peer.apply.cpuMs),
      1,
    ),
    atMost(
      `${name}: memory against ${best}`,
      ratio(upbeat.download.peakBytes, peer.apply.peakBytes),
      GOAL.memory,
    ),
  ];
}

function totalGoals(all: readonly Compared[]): Goal[] {
  const sum = (of: (one: Compared) => number) => all.reduce((total, one) => total + of(one), 0);
  const ours = sum(({ upbeat }) => upbeat.traffic.bytes);
  const names = [...(all[0]?.peers.keys() ?? [])].filter((name) =>
    all.every(({ peers }) => peers.has(name)),
  );
  const against = (what: string, theirs: number, goal: number) =>
    atMost(what, Math.round((ours / Math.max(1, theirs)) * 1_000) / 1_000, goal);
  const bytesOf = (name: string) => sum(({ peers }) => peers.get(name)?.bytes ?? 0);
  const totals = names.map((name) => bytesOf(name));
  if (totals.length === 0) return [];
  return [
    against("all pairs: bytes against the best peer", Math.min(...totals), GOAL.inTotal),
    ...names
      .filter((name) => name === "casync" || name === "zsync")
      .map((name) =>
        against(`all pairs: bytes against ${name}`, bytesOf(name), GOAL.againstChunks),
      ),
  ];
}

const seconds = (ms: number) => (ms / 1_000).toFixed(2);
const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);

function tablesOf(all: readonly Compared[]): BenchResult["tables"] {
  const header = [
    ...["", "bytes", "requests", "publish CPU s", "publish MiB"],
    ...["apply CPU s", "apply wall s", "apply MiB"],
  ];
  return all.map((one) => {
    const { upbeat } = one;
    const made = together([upbeat.download, upbeat.install]);
    const row = (name: string, bytes: number, requests: number, publish: Cost, apply: Cost) => [
      ...[name, bytes.toLocaleString("en"), requests],
      ...[seconds(publish.cpuMs), mebibytes(publish.peakBytes)],
      ...[seconds(apply.cpuMs), seconds(apply.wallMs), mebibytes(apply.peakBytes)],
    ];
    const { bytes, requests } = upbeat.traffic;
    return {
      title: one.subject.name,
      header,
      rows: [
        row("Upbeat, all on the wire; download", bytes, requests, upbeat.publish, upbeat.download),
        row("  of that content; with install", upbeat.contentBytes, 1, upbeat.publish, made),
        ...[...one.peers].map(([name, peer]) =>
          row(name, peer.bytes, peer.requests, peer.publish, peer.apply),
        ),
      ],
    };
  });
}

function figuresOf(all: readonly Compared[]): BenchResult["figures"] {
  const figures: Record<string, number> = {};
  const put = (name: string, publish: Cost, apply: Cost) => {
    for (const [what, cost] of [
      ["publish", publish],
      ["apply", apply],
    ] as const) {
      figures[`${name} ${what}WallMs`] = Math.round(cost.wallMs);
      figures[`${name} ${what}CpuMs`] = Math.round(cost.cpuMs);
      figures[`${name} ${what}PeakBytes`] = cost.peakBytes;
    }
  };
  for (const { subject, upbeat, peers } of all) {
    const name = `${subject.name} upbeat`;
    figures[`${name} wireBytes`] = upbeat.traffic.bytes;
    figures[`${name} requests`] = upbeat.traffic.requests;
    figures[`${name} contentBytes`] = upbeat.contentBytes;
    put(name, upbeat.publish, upbeat.download);
    for (const [peer, result] of peers) {
      figures[`${subject.name} ${peer} bytes`] = result.bytes;
      figures[`${subject.name} ${peer} requests`] = result.requests;
      put(`${subject.name} ${peer}`, result.publish, result.apply);
    }
  }
  return figures;
}
