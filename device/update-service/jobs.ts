/**
 * Takes one job at a time and keeps what is known about it for the status: which phase, how far.
 * A restart takes up what the journal says was going on, without being asked.
 */
import { randomUUID } from "node:crypto";
import { AFTER_CRASH } from "../../core/updateStates.ts";
import type { DownloadPlan } from "../../protocol/downloadPlan.ts";
import { reportError, UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, type UpdateId } from "../../protocol/ids.ts";
import type { BandwidthRule, TransferKind } from "../../protocol/transfer.ts";
import type { JobRequest, PlanAnswer, Progress } from "../../protocol/updateServiceApi.ts";
import { killPoint } from "../killPoint.ts";
import { isStopped, stoppable } from "./interruption.ts";
import type { Journal } from "./journal.ts";
import { updateOf } from "./operations.ts";
import type { ProviderRuns } from "./providerRuns.ts";
import type { Requests } from "./requests.ts";

/** How a download behaves towards others on the line. */
export interface Manners {
  readonly kind: TransferKind;
  readonly bandwidth: readonly BandwidthRule[];
}

export interface JobsWorld {
  readonly journal: Journal;
  readonly requests: Requests;
  readonly providers: ProviderRuns;
  /** Does what the journal says is going on. */
  readonly proceed: () => Promise<void>;
  /** It may be stopped where it is; what has arrived is kept. */
  readonly download: (update: UpdateId, manners: Manners) => Promise<void>;
  /** How a download would go. */
  readonly plan: (update: UpdateId) => Promise<DownloadPlan>;
  readonly tidy: () => Promise<void>;
  /** Gives up what was downloaded in part, when the disk is too full to say that it is full. */
  readonly makeRoom: () => void;
  readonly now: () => number;
  readonly log: (message: string, error: unknown) => void;
}

export interface Jobs {
  /** Errors: UPB-INSTALL-BUSY. What waits for a restart is not in its way. */
  requireIdle(what: string): void;
  /** Errors: UPB-INSTALL-BUSY, and why it cannot begin. Durable when it returns. */
  accept(request: JobRequest): string;
  resume(): void;
  /**
   * Stops what can be stopped without harm (a download, putting files in place), to be taken up when
   * it is asked for again. False: nothing of that is going on.
   */
  pause(): boolean;
  /** Work that `pause` stops; rejects then with an error that `isStopped` knows. */
  stoppably<Result>(work: () => Promise<Result>): Promise<Result>;
  busy(): Progress | undefined;
  /** The answer to a `plan` job. Undefined: there was none of that id since the start. */
  planned(jobId: string): PlanAnswer | undefined;
  /** Removing what is not needed any more; a job that comes now waits for its end. */
  isTidying(): boolean;
  onPhase(phase: Progress["phase"], totalBytes: number): void;
  onBytes(bytes: number): void;
  /** Tries again what could not go on, or tidies when nothing is going on. */
  idleWork(): void;
  /** Resolves when nothing is being done any more. */
  idle(): Promise<void>;
}

/** They are asked for at once, by whoever wanted them. */
const KEPT_PLANS = 20;

export function jobs(world: () => JobsWorld): Jobs {
  let progress: Progress | undefined;
  let running: Promise<void> = Promise.resolve();
  let unfinished = 0;
  let stopping: AbortController | undefined;
  let isPaused = false;
  const plans = new Map<string, PlanAnswer>();

  function start(jobId: string, phase: Progress["phase"], work: () => Promise<void>): void {
    progress = { jobId, phase, doneBytes: 0, totalBytes: 0, sinceMs: world().now() };
    isPaused = false;
    queue(async () => {
      try {
        await work();
      } catch (error) {
        world().log("the work could not go on", error);
      } finally {
        progress = undefined;
      }
      // Whoever came back is not kept waiting for that either.
      if (!isPaused) await tidy();
    });
  }

  async function stoppably<Result>(work: () => Promise<Result>): Promise<Result> {
    const controller = new AbortController();
    stopping = controller;
    const { signal } = controller;
    try {
      return await stoppable(signal, work);
    } catch (error) {
      signal.throwIfAborted(); // that is why, whatever broke on the way
      throw error;
    } finally {
      stopping = undefined;
    }
  }

  /** After whatever is being tidied, and after the answer to the request has gone out. */
  function queue(work: () => Promise<void>): void {
    const before = running;
    unfinished += 1;
    running = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => before)
      .then(work)
      .finally(() => {
        unfinished -= 1;
      });
  }

  /** What waits for a restart or for another try is in the way of tidying. */
  async function tidy(): Promise<void> {
    const { journal, log } = world();
    if (progress !== undefined || journal.operation() !== undefined) return;
    if (journal.awaitingRestart().length > 0) return;
    try {
      await world().tidy();
    } catch (error) {
      log("tidying failed", error);
    }
  }

  async function downloadAndRecord(
    update: UpdateId,
    jobId: string,
    manners: Manners,
  ): Promise<void> {
    const { journal, now, download, makeRoom, log } = world();
    const facts = () => ({ nowMs: now(), jobId });
    try {
      await stoppably(() => download(update, manners));
      journal.atomically(() => journal.move(update, "downloaded", facts()));
      killPoint("download:finished");
    } catch (error) {
      log(`download of ${formatUpdate(update)} did not end`, error);
      const [event, told] = isStopped(error)
        ? ([
            "pause",
            new UpbeatError("UPB-DOWNLOAD-PAUSED", { object: formatUpdate(update) }),
          ] as const)
        : (["fail", error] as const);
      const fail = () =>
        journal.atomically(() =>
          journal.move(update, event, { ...facts(), error: reportError(told) }),
        );
      try {
        fail();
      } catch {
        makeRoom();
        fail();
      }
    }
  }

  function startPlan(update: UpdateId): string {
    const jobId = randomUUID();
    plans.set(jobId, { state: "working" });
    const [oldest] = plans.keys();
    if (plans.size > KEPT_PLANS && oldest !== undefined) plans.delete(oldest);
    start(jobId, "refresh-metadata", async () => {
      try {
        plans.set(jobId, { state: "done", plan: await world().plan(update) });
      } catch (error) {
        plans.set(jobId, { state: "failed", error: reportError(error) });
      }
    });
    return jobId;
  }

  function startDownload(update: UpdateId, jobId: string, manners: Manners): void {
    start(jobId, "refresh-metadata", () => downloadAndRecord(update, jobId, manners));
  }

  function requireIdle(kind: string): void {
    const refuse = (detail: string): never => {
      throw new UpbeatError("UPB-INSTALL-BUSY", { object: kind, detail });
    };
    if (progress !== undefined) refuse(`it is at "${progress.phase}"`);
    const { journal } = world();
    const operation = journal.operation();
    if (operation === undefined) return;
    const state = journal.record(updateOf(operation))?.state;
    refuse(`${operation.operation} of ${operation.product} is at "${state}"`);
  }

  return {
    requireIdle,
    accept(request) {
      requireIdle(request.kind);
      const { journal, requests, now, proceed, providers } = world();
      if (request.kind === "provider") {
        const id = providers.begin(request);
        const isHarmless = request.verb === "refresh" || request.verb === "download";
        start(id, "provider", isHarmless ? () => stoppably(providers.run) : providers.run);
        return id;
      }
      if (request.kind === "plan") return startPlan(request.update);
      if (request.kind !== "download") {
        const id =
          request.kind === "install"
            ? requests.install(request.update, request.rollbackDays)
            : requests[request.kind](request.product);
        start(id, "verify", proceed);
        return id;
      }
      const { update } = request;
      if (journal.record(update)?.state === "installed")
        throw new UpbeatError("UPB-INSTALL-ALREADY", { object: formatUpdate(update) });
      const jobId = randomUUID();
      killPoint("download:before-record");
      journal.atomically(() => journal.move(update, "download", { nowMs: now(), jobId }));
      startDownload(update, jobId, {
        kind: request.background === true ? "background" : "foreground",
        bandwidth: request.bandwidth ?? [],
      });
      return jobId;
    },
    resume() {
      const { journal, proceed, providers } = world();
      killPoint("recover:started");
      providers.recover();
      const operation = journal.operation() ?? journal.awaitingRestart()[0];
      if (operation !== undefined) {
        start(operation.id, "verify", proceed);
        return;
      }
      const cut = journal.records().find(({ state }) => AFTER_CRASH[state].recovery === "redo");
      if (cut !== undefined) {
        const { product, version, manifestSha256, jobId } = cut;
        // Whoever asked for it may be gone; a person who waits loses little by a polite download.
        const manners = { kind: "background", bandwidth: [] } as const;
        startDownload({ product, version, manifestSha256 }, jobId, manners);
        return;
      }
      queue(async () => {
        await tidy();
        killPoint("recover:tidied");
      });
    },
    pause() {
      if (stopping === undefined) return false;
      isPaused = true;
      stopping.abort();
      return true;
    },
    stoppably,
    busy: () => progress,
    planned: (jobId) => plans.get(jobId),
    isTidying: () => progress === undefined && unfinished > 0,
    onPhase(phase, totalBytes) {
      if (progress !== undefined)
        progress = {
          jobId: progress.jobId,
          phase,
          doneBytes: 0,
          totalBytes,
          sinceMs: world().now(),
        };
    },
    onBytes(bytes) {
      if (progress !== undefined)
        progress = {
          ...progress,
          doneBytes: Math.max(0, progress.doneBytes + bytes),
          movedMs: world().now(),
        };
    },
    idleWork() {
      if (progress !== undefined) return;
      const operation = world().journal.operation();
      if (operation === undefined) queue(tidy);
      else start(operation.id, "verify", world().proceed);
    },
    async idle() {
      for (let last: unknown; last !== running; ) {
        last = running;
        await running;
      }
    },
  };
}
