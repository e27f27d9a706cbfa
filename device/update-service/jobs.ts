/**
 * Takes one job at a time and keeps what is known about it for the status: which phase, how far.
 * A restart takes up what the journal says was going on, without being asked.
 */
import { randomUUID } from "node:crypto";
import { AFTER_CRASH } from "../../core/updateStates.ts";
import { reportError, UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, type UpdateId } from "../../protocol/ids.ts";
import type { JobRequest, Progress } from "../../protocol/updateServiceApi.ts";
import { killPoint } from "../killPoint.ts";
import type { Installer } from "./installer.ts";
import type { Journal } from "./journal.ts";

export interface JobsWorld {
  readonly journal: Journal;
  readonly installer: Installer;
  readonly download: (update: UpdateId) => Promise<void>;
  readonly tidy: () => void;
  readonly now: () => number;
  readonly log: (message: string, error?: unknown) => void;
}

export interface Jobs {
  /** Errors: UPB-INSTALL-BUSY, and why it cannot begin. Durable when it returns. */
  accept(request: JobRequest): string;
  resume(): void;
  busy(): Progress | undefined;
  onPhase(phase: Progress["phase"], totalBytes: number): void;
  onBytes(bytes: number): void;
  /** Tidies when nothing is going on. */
  idleWork(): void;
}

export function jobs(world: () => JobsWorld): Jobs {
  let progress: Progress | undefined;

  function start(jobId: string, phase: Progress["phase"], work: () => Promise<void>): void {
    const { now, log, tidy } = world();
    progress = { jobId, phase, doneBytes: 0, totalBytes: 0, sinceMs: now() };
    // The answer to the request goes out first.
    setImmediate(() => {
      work()
        .then(tidy)
        .catch((error: unknown) => log("the work stopped", error))
        .finally(() => {
          progress = undefined;
        });
    });
  }

  async function downloadAndRecord(update: UpdateId, jobId: string): Promise<void> {
    const { journal, now, download, log } = world();
    const facts = () => ({ nowMs: now(), jobId });
    try {
      await download(update);
      journal.atomically(() => journal.move(update, "downloaded", facts()));
      killPoint("download:finished");
    } catch (error) {
      log(`download of ${formatUpdate(update)} failed`, error);
      journal.atomically(() =>
        journal.move(update, "fail", { ...facts(), error: reportError(error) }),
      );
    }
  }

  function beginDownload(update: UpdateId, jobId: string): void {
    const { journal, now } = world();
    const state = journal.record(update)?.state;
    if (state === "installed")
      throw new UpbeatError("UPB-INSTALL-ALREADY", { object: formatUpdate(update) });
    killPoint("download:before-record");
    journal.atomically(() => journal.move(update, "download", { nowMs: now(), jobId }));
  }

  return {
    accept(request) {
      if (progress !== undefined)
        throw new UpbeatError("UPB-INSTALL-BUSY", {
          object: request.kind,
          detail: `it is at "${progress.phase}"`,
        });
      const { installer, journal } = world();
      const waiting = journal.operation();
      if (waiting !== undefined)
        throw new UpbeatError("UPB-INSTALL-BUSY", {
          object: request.kind,
          detail: `${waiting.product} waits for a restart`,
        });
      const jobId = randomUUID();
      if (request.kind === "download") {
        beginDownload(request.update, jobId);
        start(jobId, "refresh-metadata", () => downloadAndRecord(request.update, jobId));
        return jobId;
      }
      if (request.kind === "install") installer.beginInstall(request.update);
      else if (request.kind === "rollback") installer.beginRollback(request.product);
      else installer.beginUninstall(request.product);
      const id = journal.operation()?.id ?? jobId;
      start(id, "verify", () => installer.proceed());
      return id;
    },
    resume() {
      const { journal, installer, tidy } = world();
      killPoint("recover:started");
      const operation = journal.operation();
      if (operation !== undefined) {
        start(operation.id, "verify", () => installer.proceed());
        return;
      }
      const cut = journal.records().find(({ state }) => AFTER_CRASH[state].recovery === "redo");
      if (cut === undefined) {
        tidy();
        killPoint("recover:tidied");
        return;
      }
      const { product, version, manifestSha256, jobId } = cut;
      start(jobId, "refresh-metadata", () =>
        downloadAndRecord({ product, version, manifestSha256 }, jobId),
      );
    },
    busy: () => progress,
    onPhase(phase, totalBytes) {
      if (progress !== undefined)
        progress = { ...progress, phase, doneBytes: 0, totalBytes, sinceMs: world().now() };
    },
    onBytes(bytes) {
      if (progress !== undefined)
        progress = { ...progress, doneBytes: Math.max(0, progress.doneBytes + bytes) };
    },
    idleWork() {
      if (progress === undefined && world().journal.operation() === undefined) world().tidy();
    },
  };
}
