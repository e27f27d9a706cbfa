/**
 * Runs the programs of providers that need rights. What begins is written down first, so that a
 * crash in the middle leaves one history entry that says so; what such a program had done is found
 * out by its next scan.
 *
 * Errors: UPB-PROVIDER-UNKNOWN, UPB-PROVIDER-UNSAFE before it begins; UPB-PROVIDER-FAILED.
 */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { writeDurably } from "../../content/durableFile.ts";
import { reportError, UpbeatError } from "../../protocol/errors/error.ts";
import { Product } from "../../protocol/ids.ts";
import {
  ProviderId,
  ProviderOutcome,
  ProviderState,
  type ProviderVerb,
  ProviderVerb as Verb,
} from "../../protocol/providers.ts";
import type { HistoryEntry, JobRequest } from "../../protocol/updateServiceApi.ts";
import { runLimited } from "../limitedProgram.ts";
import { providerProgram } from "../providerFolder.ts";
import { backUpHistory } from "./historyBackup.ts";
import { stopSignal } from "./interruption.ts";
import type { Journal } from "./journal.ts";

type ProviderJob = Extract<JobRequest, { kind: "provider" }>;

export interface ProviderRuns {
  /** Returns the job's id; `run` does what was begun. */
  begin(job: ProviderJob): string;
  run(): Promise<void>;
  /** Closes what a crash cut off. */
  recover(): void;
  states(): ProviderState[];
}

/** apt on a slow disk takes its time; longer than this it hangs. */
const LIMITS = {
  timeoutMs: 2 * 3_600_000,
  maxOutputBytes: 1024 * 1024,
  maxMemoryBytes: 4 * 1024 * 1024 * 1024,
};
const NAMED = 5;

const Running = z.object({
  jobId: z.uuid(),
  provider: ProviderId,
  verb: Verb,
  updates: z.array(z.string()),
  startedMs: z.int(),
});
type Running = z.infer<typeof Running>;

const Kept = z.object({
  running: Running.optional(),
  states: z.array(ProviderState.extend({ bootId: z.string().optional() })),
});
type Kept = z.infer<typeof Kept>;

export interface ProviderWorld {
  readonly folder: string;
  readonly stateFile: string;
  readonly stateFolder: string;
  readonly journal: Journal;
  readonly now: () => number;
  readonly bootId: () => string;
}

export function providerRuns(world: ProviderWorld): ProviderRuns {
  const { journal, now } = world;
  let kept = readKept(world.stateFile);
  const keep = (next: Kept): void => {
    writeDurably(world.stateFile, JSON.stringify(next), 0o600);
    kept = next;
  };

  function end(running: Running, error: UpbeatError | undefined, restart: boolean): void {
    const report = error === undefined ? {} : { error: reportError(error) };
    const { jobId, provider, verb } = running;
    if (verb === "install" || verb === "uninstall") record(running, report);
    const before = kept.states.find((state) => state.provider === provider);
    const waits = restart ? { restartPendingMs: now(), bootId: world.bootId() } : {};
    keep({
      states: [
        ...kept.states.filter((state) => state.provider !== provider),
        { ...before, provider, ...waits, last: { jobId, verb, endedMs: now(), ...report } },
      ],
    });
  }

  function record(running: Running, report: Pick<HistoryEntry, "error">): void {
    const entry: HistoryEntry = {
      id: running.jobId,
      operation: running.verb === "uninstall" ? "uninstall" : "install",
      provider: running.provider,
      product: Product.parse(running.provider),
      title: titleOf(running.updates),
      startedMs: running.startedMs,
      endedMs: now(),
      result: report.error === undefined ? "succeeded" : "failed",
      ...report,
    };
    journal.atomically(() => journal.addHistory(entry));
    backUpHistory(world.stateFolder, entry);
  }

  return {
    begin({ provider, verb, updates }) {
      providerProgram(world.folder, provider, verb);
      const running = { jobId: randomUUID(), provider, verb, updates, startedMs: now() };
      keep({ ...kept, running });
      return running.jobId;
    },
    async run() {
      const { running } = kept;
      if (running === undefined) return;
      const { error, restart } = await carryOut(world.folder, running);
      end(running, error, restart);
      if (error !== undefined) throw error;
    },
    recover() {
      const { running } = kept;
      if (running === undefined) return;
      const detail = "the update service ended while it worked; its next scan says what is left";
      end(running, failure(running.provider, running.verb, detail), false);
    },
    states() {
      const bootId = world.bootId();
      return kept.states.map(({ bootId: waitedIn, restartPendingMs, ...state }) => ({
        ...state,
        ...(restartPendingMs !== undefined && waitedIn === bootId ? { restartPendingMs } : {}),
      }));
    },
  };
}

const paused = ({ provider, verb }: Running): UpbeatError =>
  new UpbeatError("UPB-DOWNLOAD-PAUSED", { object: `${provider} ${verb}` });

const failure = (provider: ProviderId, verb: ProviderVerb, detail: string): UpbeatError =>
  new UpbeatError("UPB-PROVIDER-FAILED", { object: `${provider} ${verb}`, detail });

async function carryOut(
  folder: string,
  running: Running,
): Promise<{ error: UpbeatError | undefined; restart: boolean }> {
  const { provider, verb, updates } = running;
  const signal = stopSignal();
  try {
    const file = providerProgram(folder, provider, verb);
    const input = updates.map((id) => `${id}\n`).join("");
    const done = await runLimited({ file, args: [], folder: "/", input, ...LIMITS, signal });
    if (signal?.aborted === true) return { error: paused(running), restart: false };
    if (!done.ok) return { error: failure(provider, verb, done.because), restart: false };
    if (done.output.trim() === "") return { error: undefined, restart: false };
    const { restart } = ProviderOutcome.parse(JSON.parse(done.output));
    return { error: undefined, restart };
  } catch (error) {
    if (error instanceof UpbeatError) return { error, restart: false };
    // It ended well; only what it printed is nonsense. Better one restart too many than one too few.
    return { error: failure(provider, verb, "what it printed cannot be used"), restart: true };
  }
}

/** `libssl3, openssl and 3 more`. */
function titleOf(updates: readonly string[]): string {
  const named = updates.slice(0, NAMED).join(", ");
  return updates.length <= NAMED ? named : `${named} and ${updates.length - NAMED} more`;
}

/** A damaged file costs the memory of a pending restart, not the service. */
function readKept(file: string): Kept {
  if (!existsSync(file)) return { states: [] };
  try {
    return Kept.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return { states: [] };
  }
}
