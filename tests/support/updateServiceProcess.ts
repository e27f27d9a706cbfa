/**
 * The real update service as a process of its own on a device folder, and what tests ask of it.
 * Every wait has an end; only processes started here are ended.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { callLocal } from "../../device/localClient.ts";
import { type DevicePaths, devicePaths } from "../../device/paths.ts";
import { SMALL_MEMORY } from "../../device/service-manager/definitions.ts";
import type { DownloadPlan } from "../../protocol/downloadPlan.ts";
import type { UpdateId } from "../../protocol/ids.ts";
import type { TransferSettings } from "../../protocol/transfer.ts";
import {
  HistoryEntry,
  JobAccepted,
  type JobRequest,
  PlanAnswer,
  ServiceStatus,
} from "../../protocol/updateServiceApi.ts";

const MAIN = join(import.meta.dirname, "../../device/update-service/main.ts");
/** It is started hundreds of times; compiling it every time is half of a start. */
const COMPILE_CACHE = join(import.meta.dirname, "../../node_modules/.cache/compiled");
const START_PATIENCE_MS = 30_000;
const IDLE_PATIENCE_MS = 60_000;
const POLL_MS = 10;

/** An enrolled device: what `upbeat device enrol` leaves, without a server that enrols. */
export function prepareDevice(
  root: string,
  about: {
    serverUrl: string;
    trustedRoot: Uint8Array;
    products: Record<string, string>;
    transfer?: Partial<TransferSettings>;
  },
): DevicePaths {
  const paths = devicePaths(root);
  mkdirSync(dirname(paths.config), { recursive: true });
  mkdirSync(dirname(paths.trustedRoot), { recursive: true });
  writeFileSync(
    paths.config,
    JSON.stringify({
      serverUrl: about.serverUrl,
      deviceId: `dev-${"0".repeat(32)}`,
      name: "test device",
      products: Object.entries(about.products).map(([product, channel]) => ({ product, channel })),
      transfer: about.transfer,
    }),
  );
  writeFileSync(paths.trustedRoot, about.trustedRoot, { mode: 0o444 });
  return paths;
}

export interface RunningService {
  readonly pid: number;
  readonly paths: DevicePaths;
  /** Settles when the process has ended, however. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  hasEnded(): boolean;
  /** What it logged, for a failure's report. */
  output(): string;
  status(): Promise<ServiceStatus>;
  history(): Promise<HistoryEntry[]>;
  /** Asks for a job; resolves when it is accepted. */
  request(job: JobRequest): Promise<void>;
  /** How a download would go. */
  plan(update: UpdateId): Promise<DownloadPlan>;
  /** The status once nothing is going on any more; rejects when the process ends before. */
  idle(): Promise<ServiceStatus>;
  /** Asks it to end (SIGTERM), then makes it. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/**
 * Resolves when it answers, or has ended (a kill point may lie in its start).
 * `killAfterMs`: SIGKILL so long after the start of the process, whatever it does then.
 */
export async function startUpdateService(
  root: string,
  env: Record<string, string> = {},
  killAfterMs?: number,
  main = MAIN,
): Promise<RunningService> {
  const paths = devicePaths(root);
  const child = spawn(process.execPath, [...SMALL_MEMORY.flags, main, "--root", root], {
    env: { ...process.env, ...SMALL_MEMORY.env, NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
    // The IPC channel ends it when this process is gone, as under the service manager.
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const service = wrap(child, paths);
  if (killAfterMs !== undefined) {
    const timer = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    void service.ended.then(() => clearTimeout(timer));
  }
  for (const deadline = Date.now() + START_PATIENCE_MS; !service.hasEnded(); await sleep(POLL_MS)) {
    try {
      await service.status();
      break;
    } catch {
      // not listening yet
    }
    if (Date.now() > deadline) {
      await service.kill();
      throw new Error(`the update service does not answer:\n${service.output()}`);
    }
  }
  return service;
}

function wrap(child: ChildProcess, paths: DevicePaths): RunningService {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-16_000);
    });
  }
  let hasEnded = false;
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("exit", (code, signal) => {
      hasEnded = true;
      resolve({ code, signal });
    });
    child.once("error", () => {
      hasEnded = true;
      resolve({ code: 127, signal: null });
    });
  });
  const socket = paths.updateServiceSocket;
  const status = () => callLocal(socket, "GET", "/v1/status", ServiceStatus);
  const idle = async () => {
    for (const deadline = Date.now() + IDLE_PATIENCE_MS; ; await sleep(POLL_MS)) {
      const now = await status();
      if (isAtRest(now)) return now;
      if (Date.now() > deadline) throw new Error(`never idle: ${JSON.stringify(now)}\n${output}`);
    }
  };
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(timer);
  };
  return {
    pid: child.pid ?? 0,
    paths,
    ended,
    hasEnded: () => hasEnded,
    output: () => output,
    status,
    history: async () => (await callLocal(socket, "GET", "/v1/history?limit=100", History)).entries,
    request: async (job) => {
      await callLocal(socket, "POST", "/v1/jobs", JobAccepted, job);
    },
    plan: async (update) => {
      const job = { kind: "plan", update } satisfies JobRequest;
      const { jobId } = await callLocal(socket, "POST", "/v1/jobs", JobAccepted, job);
      await idle();
      const answer = await callLocal(socket, "GET", `/v1/plans/${jobId}`, PlanAnswer);
      if (answer.plan === undefined) throw new Error(JSON.stringify(answer.error));
      return answer.plan;
    },
    idle,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
}

const History = z.object({ entries: z.array(HistoryEntry) });

const WORKING = ["downloading", "installing", "committing", "rolling-back", "uninstalling"];

export function isAtRest(status: ServiceStatus): boolean {
  const { busy, tidying } = status;
  return (
    busy === undefined && !tidying && !status.updates.some(({ state }) => WORKING.includes(state))
  );
}

/** The most memory that the process ever had resident, from the kernel's own count. */
export function peakMemoryBytes(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}
