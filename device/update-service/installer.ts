/**
 * Does the work of each state. The state is written durably before its work starts, and all work is
 * safe to repeat, so that after a crash `resume` only has to do the work of the state that it finds.
 *
 * One operation at a time; its row in the journal becomes its one history entry in the same
 * transaction that writes the end state.
 */
import { randomUUID } from "node:crypto";
import type { UpdateEvent } from "../../core/updateStates.ts";
import { AFTER_CRASH } from "../../core/updateStates.ts";
import { compareVersions } from "../../core/versionOrder.ts";
import { type ErrorReport, reportError, UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, type Product, type UpdateId, type Version } from "../../protocol/ids.ts";
import type { UpdateManifest } from "../../protocol/manifest.ts";
import type { HistoryEntry, Progress, UpdateRecord } from "../../protocol/updateServiceApi.ts";
import { killPoint } from "../killPoint.ts";
import type { Manifests } from "./findUpdate.ts";
import type { Handler, Step } from "./handlers/handler.ts";
import type { Handlers } from "./handlers/index.ts";
import { requireHealthy, runCommand } from "./health.ts";
import type { Journal, Operation, ProductRow } from "./journal.ts";
import { backUpHistory } from "./openState.ts";
import { ROLLBACK_WINDOW_MS } from "./retention.ts";

export interface InstallerWorld {
  readonly journal: Journal;
  readonly manifests: Manifests;
  readonly handlers: Handlers;
  readonly stateFolder: string;
  readonly now: () => number;
  readonly bootId: () => string;
  readonly onPhase: (phase: Progress["phase"], totalBytes: number) => void;
  readonly onBytes: (bytes: number) => void;
}

/** A hook that hangs must not hold the update up for ever. */
const HOOK_TIMEOUT_MS = 5 * 60_000;

export interface Installer {
  /** Checks that may refuse, then the first durable row. Throws before anything has changed. */
  beginInstall(update: UpdateId): void;
  beginRollback(product: Product): void;
  beginUninstall(product: Product): void;
  /** Does whatever the journal says is going on, to its end or until a restart is awaited. */
  proceed(): Promise<void>;
}

export function installer(world: InstallerWorld): Installer {
  const { journal, manifests, handlers, now } = world;

  function begin(
    operation: Omit<Operation, "id" | "startedMs">,
    update: UpdateId,
    event: UpdateEvent,
  ): void {
    const id = randomUUID();
    journal.atomically(() => {
      journal.setOperation({ ...operation, id, startedMs: now() });
      journal.move(update, event, { nowMs: now(), jobId: id });
    });
  }

  /** Durable, and only then may the state's work begin. */
  function move(operation: Operation, event: UpdateEvent, error?: ErrorReport): void {
    journal.atomically(() => {
      if (error !== undefined) journal.setOperation({ ...operation, error });
      journal.move(updateOf(operation), event, facts(operation, error));
    });
  }

  const facts = (operation: Operation, error?: ErrorReport) => ({
    nowMs: now(),
    jobId: operation.id,
    ...(error === undefined ? {} : { error }),
  });

  /** The last transaction of an operation: end states, products, and its history entry. */
  function finish(operation: Operation, result: HistoryEntry["result"], write: () => void): void {
    const { bootId: _bootId, ...about } = operation;
    const entry: HistoryEntry = { ...about, endedMs: now(), result };
    journal.atomically(() => {
      write();
      journal.addHistory(entry);
      journal.setOperation(undefined);
    });
    backUpHistory(world.stateFolder, entry);
  }

  function stepFor(operation: Operation): {
    handler: Handler;
    step: Step;
    manifest: UpdateManifest;
  } {
    const manifest = operation.manifestSha256 && manifests.read(operation.manifestSha256);
    if (!manifest)
      throw new UpbeatError("UPB-VERIFY-MISSING", { object: `manifest of ${nameOf(operation)}` });
    const from = operation.operation === "rollback" ? operation.toVersion : operation.fromVersion;
    return {
      handler: handlers[manifest.handler],
      manifest,
      step: { manifest, from, onProgress: world.onBytes },
    };
  }

  async function stage(operation: Operation): Promise<void> {
    killPoint("install:recorded");
    const { handler, step, manifest } = stepFor(operation);
    killPoint("install:verified");
    world.onPhase("stage", payloadBytes(manifest));
    await handler.stage(step);
    killPoint("install:staged");
    if (manifest.restart === "always") {
      journal.atomically(() => {
        journal.setOperation({ ...operation, bootId: world.bootId() });
        journal.move(updateOf(operation), "needRestart", facts(operation));
      });
      return;
    }
    move(operation, "switched");
    await commit(operation);
  }

  async function commit(operation: Operation): Promise<void> {
    killPoint("commit:recorded");
    try {
      const { handler, step, manifest } = stepFor(operation);
      world.onPhase("switch", 0);
      handler.activate(step);
      killPoint("commit:switched");
      await restartService(manifest);
      killPoint("commit:service-restarted");
      world.onPhase("health-check", 0);
      if (manifest.healthCheck !== undefined) {
        await requireHealthy(
          manifest.healthCheck,
          handler.folderOf(manifest.product, manifest.version),
          formatUpdate(manifest),
        );
      }
    } catch (error) {
      move(operation, "undo", reportError(error));
      await rollBack(requireOperation());
      return;
    }
    killPoint("commit:healthy");
    world.onPhase("commit", 0);
    const update = updateOf(operation);
    killPoint("commit:before-history");
    finish(operation, "succeeded", () => {
      const before = journal.product(update.product);
      journal.move(update, "healthy", facts(operation));
      replaceOthers(operation, update);
      journal.setProduct(installedRow(before, update, now()));
    });
    killPoint("commit:recorded-installed");
  }

  function replaceOthers(operation: Operation, update: UpdateId): void {
    for (const record of journal.records()) {
      if (
        record.product !== update.product ||
        record.state !== "installed" ||
        isSame(record, update)
      )
        continue;
      journal.move(idOf(record), "replaced", facts(operation));
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
    world.onPhase("rollback", 0);
    const { handler, step, manifest } = stepFor(operation);
    handler.revert(step);
    killPoint("rollback:switched");
    const hookError =
      step.from === undefined ? undefined : await restartAfterUndo(operation, step.from, manifest);
    killPoint("rollback:service-restarted");
    const wasAsked = operation.operation === "rollback";
    killPoint("rollback:before-history");
    finish(
      { ...operation, ...(hookError && operation.error === undefined ? { error: hookError } : {}) },
      wasAsked ? "succeeded" : "rolled-back",
      () => {
        journal.move(updateOf(operation), "undone", facts(operation, operation.error));
        if (wasAsked) restorePrevious(operation);
      },
    );
    killPoint("rollback:recorded-undone");
    handler.tidy(manifest.product, manifest.version);
  }

  /** The old version runs again whatever its hook says; what it says goes into the history. */
  async function restartAfterUndo(
    operation: Operation,
    from: Version,
    failed: UpdateManifest,
  ): Promise<ErrorReport | undefined> {
    const row = journal.product(operation.product);
    const sha256 = row.current === from ? row.currentSha256 : row.previousSha256;
    const old = (sha256 && manifests.read(sha256)) ?? undefined;
    try {
      await restartService(old ?? failed);
      return undefined;
    } catch (error) {
      return reportError(error);
    }
  }

  function restorePrevious(operation: Operation): void {
    const row = journal.product(operation.product);
    const { previous, previousSha256 } = row;
    journal.setProduct({
      product: row.product,
      ...(previous && { current: previous }),
      ...(previousSha256 && { currentSha256: previousSha256 }),
    });
    const record = journal
      .records()
      .find((found) => found.product === row.product && found.manifestSha256 === previousSha256);
    if (record?.state === "superseded") journal.move(idOf(record), "restore", facts(operation));
  }

  function uninstall(operation: Operation): void {
    killPoint("uninstall:recorded");
    const { handler } = stepFor(operation);
    handler.remove(operation.product);
    killPoint("uninstall:before-history");
    finish(operation, "succeeded", () => {
      journal.move(updateOf(operation), "uninstalled", facts(operation));
      journal.setProduct({ product: operation.product });
    });
    killPoint("uninstall:recorded-uninstalled");
  }

  function requireOperation(): Operation {
    const operation = journal.operation();
    if (operation === undefined)
      throw new UpbeatError("UPB-INTERNAL-BUG", { object: "there is no operation" });
    return operation;
  }

  async function doWork(operation: Operation, { state }: UpdateRecord): Promise<void> {
    if (state === "installing") return stage(operation);
    if (state === "committing") return commit(operation);
    if (state === "rolling-back") return rollBack(operation);
    if (state === "uninstalling") return uninstall(operation);
    if (AFTER_CRASH[state].recovery !== "await-restart" || operation.bootId === world.bootId())
      return;
    move(operation, "restarted");
    return commit(operation);
  }

  return {
    beginInstall(update) {
      const manifest = manifests.read(update.manifestSha256);
      if (manifest === undefined || journal.record(update) === undefined) {
        throw new UpbeatError("UPB-INSTALL-NOT-DOWNLOADED", { object: formatUpdate(update) });
      }
      const { current } = journal.product(update.product);
      requireNewer(update, current);
      const { product, version, manifestSha256 } = update;
      begin(
        {
          operation: "install",
          product,
          toVersion: version,
          manifestSha256,
          title: manifest.title,
          ...(current && { fromVersion: current }),
        },
        update,
        "install",
      );
    },
    beginRollback(product) {
      const row = journal.product(product);
      if (
        row.current === undefined ||
        row.currentSha256 === undefined ||
        row.previous === undefined
      ) {
        throw new UpbeatError("UPB-ROLLBACK-NOTHING", { object: product });
      }
      const title = manifests.read(row.currentSha256)?.title ?? product;
      begin(
        {
          operation: "rollback",
          product,
          fromVersion: row.current,
          toVersion: row.previous,
          manifestSha256: row.currentSha256,
          title,
        },
        { product, version: row.current, manifestSha256: row.currentSha256 },
        "undo",
      );
    },
    beginUninstall(product) {
      const row = journal.product(product);
      if (row.current === undefined || row.currentSha256 === undefined)
        throw new UpbeatError("UPB-UNINSTALL-NOTHING", { object: product });
      const title = manifests.read(row.currentSha256)?.title ?? product;
      begin(
        {
          operation: "uninstall",
          product,
          fromVersion: row.current,
          manifestSha256: row.currentSha256,
          title,
        },
        { product, version: row.current, manifestSha256: row.currentSha256 },
        "uninstall",
      );
    },
    async proceed() {
      const operation = journal.operation();
      if (operation === undefined) return;
      const record = journal.record(updateOf(operation));
      if (record === undefined)
        throw new UpbeatError("UPB-INTERNAL-BUG", { object: `no record of ${nameOf(operation)}` });
      try {
        await doWork(operation, record);
      } catch (error) {
        // Before the switch nothing has changed: it failed, and the old version goes on.
        const state = journal.record(updateOf(operation))?.state;
        if (state === undefined || !FAILS_CLEANLY.has(state)) throw error;
        const report = reportError(error);
        finish({ ...operation, error: report }, "failed", () =>
          journal.move(updateOf(operation), "fail", facts(operation, report)),
        );
      }
    },
  };
}

const FAILS_CLEANLY: ReadonlySet<string> = new Set(["installing", "uninstalling", "rolling-back"]);

/** Errors: UPB-INSTALL-OLDER, UPB-INSTALL-ALREADY. Going back is what `rollback` is for. */
function requireNewer({ product, version }: UpdateId, current: Version | undefined): void {
  if (current === undefined) return;
  const order = compareVersions(version, current);
  if (order > 0) return;
  const code = order === 0 ? "UPB-INSTALL-ALREADY" : "UPB-INSTALL-OLDER";
  throw new UpbeatError(code, {
    object: formatUpdate({ product, version }),
    detail: `${current} is installed`,
  });
}

function installedRow(before: ProductRow, update: UpdateId, nowMs: number): ProductRow {
  return {
    product: update.product,
    current: update.version,
    currentSha256: update.manifestSha256,
    ...(before.current && {
      previous: before.current,
      rollbackUntilMs: nowMs + ROLLBACK_WINDOW_MS,
    }),
    ...(before.current && before.currentSha256 && { previousSha256: before.currentSha256 }),
  };
}

/** The update that the operation moves: for a rollback and an uninstall, the one that runs now. */
function updateOf(operation: Operation): UpdateId {
  const version = operation.operation === "install" ? operation.toVersion : operation.fromVersion;
  if (version === undefined || operation.manifestSha256 === undefined) {
    throw new UpbeatError("UPB-INTERNAL-BUG", {
      object: `operation ${operation.id} names no update`,
    });
  }
  return { product: operation.product, version, manifestSha256: operation.manifestSha256 };
}

const idOf = ({ product, version, manifestSha256 }: UpdateRecord): UpdateId => ({
  product,
  version,
  manifestSha256,
});
const isSame = (a: UpdateId, b: UpdateId): boolean =>
  a.version === b.version && a.manifestSha256 === b.manifestSha256;
const nameOf = ({ product, toVersion, fromVersion }: Operation): string =>
  `${product} ${fromVersion ?? "-"} to ${toVersion ?? "-"}`;

const payloadBytes = (manifest: UpdateManifest): number =>
  manifest.payload.reduce(
    (total, entry) => total + (entry.type === "file" ? entry.sizeBytes : 0),
    0,
  );
