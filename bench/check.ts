/**
 * `npm run bench -- check`: what it costs a device to learn that nothing changed, and what a full
 * refresh costs, at 10, 1,000 and 100,000 published updates.
 *
 * Client and server are processes of their own; bytes are counted on the wire between them, headers
 * included. The goal is held against the first check of a freshly started process, which is the
 * dearest; a service that keeps running pays the smaller figure.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atMost, type Bench, type BenchResult, median } from "./bench.ts";
import type { Done, Work } from "./check/client.ts";
import { countingProxy, type Traffic } from "./check/countingProxy.ts";
import { writeRepository } from "./check/repository.ts";

const SIZES = [10, 1_000, 100_000];
const ROUNDS = 15;
const FRESH_PROCESSES = 7;
const GOAL = { bytes: 1_024, requests: 1, cpuMs: 30 };

type Cost = Traffic & Done;

export const checkBench: Bench = {
  name: "check",
  describe: "bytes, requests and CPU time of a check at 10, 1,000 and 100,000 published updates",
  run,
};

async function run(): Promise<BenchResult> {
  const figures: Record<string, number> = {};
  const goals: BenchResult["goals"][number][] = [];
  const rows: (string | number)[][] = [];
  for (const updates of SIZES) {
    for (const [name, costs] of Object.entries(await measure(updates))) {
      const [first] = costs;
      if (first === undefined) throw new RangeError("nothing was measured");
      const { bytes, requests } = first;
      const cpuMs = Math.round(median(costs.map((cost) => cost.cpuMs)) * 10) / 10;
      const label = updates.toLocaleString("en");
      rows.push([label, name, bytes, requests, cpuMs]);
      const figure = `${name.replaceAll(/[^a-z]+(.)/g, (_, next) => next.toUpperCase())}${updates}`;
      figures[`${figure}Bytes`] = bytes;
      figures[`${figure}Requests`] = requests;
      figures[`${figure}CpuMs`] = cpuMs;
      if (name !== FRESH_CHECK) continue;
      goals.push(atMost(`bytes of a no-change check at ${label}`, bytes, GOAL.bytes));
      goals.push(atMost(`requests of a no-change check at ${label}`, requests, GOAL.requests));
      goals.push(atMost(`CPU ms of a no-change check at ${label}`, cpuMs, GOAL.cpuMs));
    }
  }
  const header = ["updates", "what", "bytes", "requests", "CPU ms (median)"];
  return { figures, goals, tables: [{ title: "Cost of a check", header, rows }] };
}

const FRESH_CHECK = "no-change check, fresh process";

async function measure(updates: number): Promise<Record<string, Cost[]>> {
  const folder = mkdtempSync(join(tmpdir(), "upbeat-check-"));
  const children: ChildProcess[] = [];
  const start = async (module: string, ...args: string[]) => {
    const child = fork(join(import.meta.dirname, "check", module), args);
    children.push(child);
    return { child, said: await answerOf<unknown>(child) };
  };
  const { rootFile } = writeRepository(join(folder, "served"), updates);
  const server = await start("server.ts", join(folder, "served"));
  const proxy = await countingProxy(Number(server.said));
  try {
    const client = async (store: string) => {
      mkdirSync(join(folder, store), { recursive: true });
      return (await start("client.ts", proxy.url, rootFile, join(folder, store))).child;
    };
    const order = async (child: ChildProcess, work: Work, wanted: string): Promise<Cost> => {
      proxy.take();
      child.send(work);
      const done = await answerOf<Done>(child);
      if (done.outcome !== wanted) throw new Error(`expected ${wanted}, found ${done.outcome}`);
      return { ...done, ...proxy.take() };
    };
    const refresh = (lookUp: boolean): Work => ({ what: "refresh", lookUp });
    const cold = await inTurn(FRESH_PROCESSES, async (at) =>
      order(await client(`store-${at}`), refresh(true), "found"),
    );
    const last = cold[0]?.last;
    if (last === undefined) throw new Error("a refresh left nothing to compare with");
    const check: Work = { what: "check", last };
    const fresh = await inTurn(FRESH_PROCESSES, async () =>
      order(await client("store-0"), check, "unchanged"),
    );
    const running = await client("store-0");
    const warm = await inTurn(ROUNDS, () => order(running, check, "unchanged"));
    const full = await inTurn(ROUNDS, () => order(running, refresh(false), "refreshed"));
    return {
      [FRESH_CHECK]: fresh,
      "no-change check, running service": warm,
      "full refresh, no change, running service": full,
      "cold refresh and one lookup, fresh process": cold,
    };
  } finally {
    for (const child of children) child.disconnect();
    proxy.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function inTurn(count: number, work: (at: number) => Promise<Cost>): Promise<Cost[]> {
  const costs: Cost[] = [];
  for (let at = 0; at < count; at++) costs.push(await work(at));
  return costs;
}

/** What comes is what our own modules in `check/` send. */
const answerOf = <Answer>(child: ChildProcess): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const died = (code: number | null) => reject(new Error(`a process ended with ${code}`));
    child.once("exit", died);
    child.once("message", (message) => {
      child.off("exit", died);
      resolve(message as Answer);
    });
  });
