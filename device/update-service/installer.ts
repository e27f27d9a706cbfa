/**
 * Does the work of each state. The state is written durably before its work starts, and all work is
 * safe to repeat, so that after a crash `proceed` only has to do the work of the state that it finds.
 *
 * One operation at a time; its row in the journal becomes its one history entry in the same
 * transaction that writes the end state.
 */
import type { UpdateEvent } from "../../core/updateStates.ts";
import { compareVersions } from "../../core/versionOrder.ts";
import { type ErrorReport, reportError, UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, type Product, type UpdateId, type Version } from "../../protocol/ids.ts";
import type { UpdateManifest } from "../../protocol/manifest.ts";
import type {
  HistoryEntry,
  Progress,
  UpdateState,
  VerifyReport,
} from "../../protocol/updateServiceApi.ts";
import { killPoint } from "../killPoint.ts";
import type { Handlers } from "./handlers/index.ts";
import { requireHealthy, runCommand } from "./health.ts";
import { backUpHistory } from "./historyBackup.ts";
import { isStopped, stopIfAsked } from "./interruption.ts";
import type { Journal, Operation } from "./journal.ts";
import { type Manifests, requirePayload } from "./keptManifests.ts";
import {
  idOf,
  installedRow,
  isSame,
  rolledBackRow,
  updateOf,
  versionBefore,
} from "./operations.ts";

export interface InstallerWorld {
  readonly journal: Journal;
  readonly manifests: Manifests;
  readonly handlers: Handlers;
  readonly stateFolder: string;
  readonly now: () => number;
  readonly bootId: () => string;
  /** `findUpdate.ts`: verified once more, from what is kept. */
  readonly stillSigned: (update: UpdateId) => Promise<"signed" | "expired">;
  /** `repair/verify.ts`; `record` keeps durably what it has found. */
  readonly verify: (operation: Operation, record: (report: VerifyReport) => void) => Promise<void>;
  /** Up to the switch an install may be stopped when somebody comes back (`jobs.ts`). */
  readonly stoppably: (work: () => Promise<void>) => Promise<void>;
  readonly onPhase: (phase: Progress["phase"], totalBytes: number) => void;
  readonly onBytes: (bytes: number) => void;
}

/** A hook that hangs must not hold the update up for ever. */
const HOOK_TIMEOUT_MS = 5 * 60_000;

/** Before the switch, or when only a link was to be removed: nothing has changed then. */
const FAILS_CLEANLY: ReadonlySet<UpdateState | undefined> = new Set(["installing", "uninstalling"]);

/**
 * Does whatever the journal says is going on, to its end or until a restart is awaited. Rejects when
 * it cannot go on (a rollback that meets a failing disk): the operation stays, to be tried again.
 */
export function installer(world: InstallerWorld): () => Promise<void> {
  const { journal, manifests, handlers, now, onPhase } = world;

  /** Durable, and only then may the state's work begin. Returns the operation as it is now. */
  function move(operation: Operation, event: UpdateEvent, news: Partial<Operation> = {}) {
    const next: Operation = { ...operation, ...news };
    journal.atomically(() => {
      journal.setOperation(next);
      journal.move(updateOf(next), event, facts(next));
    });
    return next;
  }

  const facts = ({ id, error }: Operation) => ({
    nowMs: now(),
    jobId: id,
    ...(error && { error }),
  });

  /** The last transaction of an operation: end states, products, and its history entry. */
  function finish(
    operation: Operation,
    result: HistoryEntry["result"],
    event: UpdateEvent | undefined,
    write: () => void = () => {},
  ): void {
    const { bootId: _bootId, handler: _handler, rollbackDays: _days, ...about } = operation;
    const plan = operation.operation === "install" && journal.record(updateOf(operation))?.plan;
    const entry: HistoryEntry = {
      ...about,
      endedMs: now(),
      result,
      ...(plan ? { download: plan } : {}),
    };
    journal.atomically(() => {
      if (event !== undefined) journal.move(updateOf(operation), event, facts(operation));
      write();
      journal.addHistory(entry);
      journal.setOperation(undefined);
    });
    backUpHistory(world.stateFolder, entry);
  }

  function manifestOf(operation: Operation): UpdateManifest {
    const manifest = operation.manifestSha256 && manifests.read(operation.manifestSha256);
    if (manifest) return manifest;
    const object = `the manifest of ${formatUpdate(updateOf(operation))}`;
    throw new UpbeatError("UPB-VERIFY-MISSING", { object });
  }

  async function stage(begun: Operation): Promise<void> {
    killPoint("install:recorded");
    const manifest = manifestOf(begun);
    const vouched = await world.stillSigned(updateOf(begun));
    const operation: Operation =
      vouched === "expired" ? { ...begun, metadataExpired: true } : begun;
    killPoint("install:verified");
    const payload = requirePayload(manifests, manifest);
    onPhase("stage", manifest.payload?.totalBytes ?? 0);
    try {
      await world.stoppably(async () => {
        await handlers[manifest.handler].stage(manifest, payload, world.onBytes);
        stopIfAsked();
      });
    } catch (error) {
      if (isStopped(error)) return pause(operation);
      throw error;
    }
    killPoint("install:staged");
    if (manifest.restart === "always") parkUntilRestart(operation);
    else await commit(move(operation, "switched"));
  }

  /** Nothing has changed yet: it is as if nobody had begun, and no history entry says otherwise. */
  function pause(operation: Operation): void {
    const update = updateOf(operation);
    const error = new UpbeatError("UPB-INSTALL-PAUSED", { object: formatUpdate(update) });
    journal.atomically(() => {
      journal.move(update, "pause", { ...facts(operation), error: reportError(error) });
      journal.setOperation(undefined);
    });
  }

  /** One restart serves them all: whatever else can be installed meanwhile need not wait. */
  function parkUntilRestart(operation: Operation): void {
    const parked: Operation = { ...operation, bootId: world.bootId() };
    journal.atomically(() => {
      journal.move(updateOf(parked), "needRestart", facts(parked));
      journal.park(parked);
      journal.setOperation(undefined);
    });
    killPoint("park:done");
  }

  /** Undefined: nothing waits, or the machine has not restarted yet. */
  function takeUpAfterRestart(): Operation | undefined {
    const bootId = world.bootId();
    const next = journal.awaitingRestart().find((parked) => parked.bootId !== bootId);
    if (next === undefined) return undefined;
    journal.atomically(() => {
      journal.unpark(next);
      journal.setOperation(next);
      journal.move(updateOf(next), "restarted", facts(next));
    });
    killPoint("park:taken-up");
    return next;
  }

  async function commit(operation: Operation): Promise<void> {
    killPoint("commit:recorded");
    try {
      await tryOut(operation, manifestOf(operation));
    } catch (error) {
      await rollBack(move(operation, "undo", { error: reportError(error) }));
      return;
    }
    killPoint("commit:healthy");
    onPhase("commit", 0);
    const update = updateOf(operation);
    killPoint("commit:before-history");
    finish(operation, "succeeded", "healthy", () => {
      setAside(operation, update);
      journal.setProduct(
        installedRow(journal.product(update.product), update, now(), operation.rollbackDays),
      );
    });
    killPoint("commit:recorded-installed");
  }

  async function tryOut(operation: Operation, manifest: UpdateManifest): Promise<void> {
    const { product, version, healthCheck } = manifest;
    const handler = handlers[operation.handler];
    onPhase("switch", 0);
    handler.activate(product, version);
    killPoint("commit:switched");
    await restartService(manifest);
    killPoint("commit:service-restarted");
    onPhase("health-check", 0);
    if (healthCheck !== undefined)
      await requireHealthy(healthCheck, handler.folderOf(product, version), formatUpdate(manifest));
  }

  /** What this update takes the place of: the version that ran, and older ones that waited. */
  function setAside(operation: Operation, update: UpdateId): void {
    for (const record of journal.records()) {
      if (record.product !== update.product || isSame(record, update)) continue;
      if (record.state === "installed") journal.move(idOf(record), "replaced", facts(operation));
      const waits = record.state === "downloaded" || record.state === "failed";
      if (waits && compareVersions(record.version, update.version) <= 0)
        journal.move(idOf(record), "supersede", facts(operation));
    }
  }

  async function restartService(manifest: UpdateManifest): Promise<void> {
    if (manifest.serviceRestart === undefined) return;
    const folder = handlers[manifest.handler].folderOf(manifest.product, manifest.version);
    const end = await runCommand(manifest.serviceRestart, folder, HOOK_TIMEOUT_MS);
    if (end.ok) return;
    throw new UpbeatError("UPB-INSTALL-SERVICE-RESTART", {
      object: formatUpdate(manifest),
      detail: `${manifest.serviceRestart.join(" ")}: ${end.says}`,
      ...(end.nativeCode === undefined ? {} : { nativeCode: end.nativeCode }),
    });
  }

  /** Both when a new version is unwell and when a person asks for it. */
  async function rollBack(operation: Operation): Promise<void> {
    killPoint("rollback:recorded");
    onPhase("rollback", 0);
    const { product, version } = updateOf(operation);
    const before = versionBefore(operation);
    const handler = handlers[operation.handler];
    handler.revert(product, before);
    killPoint("rollback:switched");
    const hookError = before && (await restartAfterUndo(operation, before));
    killPoint("rollback:service-restarted");
    const wasAsked = operation.operation === "rollback";
    killPoint("rollback:before-history");
    finish(
      { ...operation, ...(hookError && operation.error === undefined && { error: hookError }) },
      wasAsked ? "succeeded" : "rolled-back",
      "undone",
      () => {
        if (wasAsked) restorePrevious(operation);
      },
    );
    killPoint("rollback:recorded-undone");
    await handler.tidy(product, version);
  }

  /** The old version runs again whatever its hook says; what it says goes into the history. */
  async function restartAfterUndo(
    operation: Operation,
    before: Version,
  ): Promise<ErrorReport | undefined> {
    const row = journal.product(operation.product);
    const oldSha256 = row.current === before ? row.currentSha256 : row.previousSha256;
    const manifest =
      (oldSha256 && manifests.read(oldSha256)) ??
      (operation.manifestSha256 && manifests.read(operation.manifestSha256));
    try {
      if (manifest) await restartService(manifest);
      return undefined;
    } catch (error) {
      return reportError(error);
    }
  }

  function restorePrevious(operation: Operation): void {
    const row = journal.product(operation.product);
    journal.setProduct(rolledBackRow(row));
    const record = journal
      .records()
      .find(
        (found) => found.product === row.product && found.manifestSha256 === row.previousSha256,
      );
    if (record?.state === "superseded") journal.move(idOf(record), "restore", facts(operation));
  }

  async function uninstall(operation: Operation): Promise<void> {
    killPoint("uninstall:recorded");
    const handler = handlers[operation.handler];
    const product: Product = operation.product;
    handler.revert(product, undefined);
    killPoint("uninstall:link-removed");
    killPoint("uninstall:before-history");
    finish(operation, "succeeded", "uninstalled", () => journal.setProduct({ product }));
    killPoint("uninstall:recorded-uninstalled");
    await handler.remove(product);
  }

  /** What is installed stays installed, whatever is found. */
  async function verify(operation: Operation): Promise<void> {
    killPoint("verify:recorded");
    let found = operation;
    try {
      await world.verify(operation, (verify) => {
        found = { ...operation, verify };
        journal.atomically(() => journal.setOperation(found));
      });
    } catch (error) {
      finish({ ...found, error: reportError(error) }, "failed", undefined);
      return;
    }
    killPoint("verify:before-history");
    finish(found, "succeeded", undefined);
    killPoint("verify:recorded-verified");
  }

  async function doWork(operation: Operation, state: UpdateState | undefined): Promise<void> {
    if (operation.operation === "verify") return verify(operation);
    if (state === "installing") return stage(operation);
    if (state === "committing") return commit(operation);
    if (state === "rolling-back") return rollBack(operation);
    if (state === "uninstalling") return uninstall(operation);
  }

  return async () => {
    for (
      let next = journal.operation() ?? takeUpAfterRestart();
      next !== undefined;
      next = takeUpAfterRestart()
    ) {
      await carryOut(next);
    }
  };

  async function carryOut(operation: Operation): Promise<void> {
    const update = updateOf(operation);
    try {
      await doWork(operation, journal.record(update)?.state);
    } catch (error) {
      if (journal.operation() === undefined) throw error; // only tidying was left
      if (!FAILS_CLEANLY.has(journal.record(update)?.state)) throw error;
      finish({ ...operation, error: reportError(error) }, "failed", "fail");
    }
  }
}
