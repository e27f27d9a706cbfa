/**
 * How an operation begins: checks that may refuse, then its first durable row. What follows is done
 * by `installer.ts`, now or after a crash.
 */
import { randomUUID } from "node:crypto";
import type { UpdateEvent } from "../../core/updateStates.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, type Product, type UpdateId } from "../../protocol/ids.ts";
import type { UpdateState } from "../../protocol/updateServiceApi.ts";
import type { Journal, Operation } from "./journal.ts";
import type { Manifests } from "./keptManifests.ts";
import { requireNewer } from "./operations.ts";

/** Each returns the operation's id and throws before anything has changed. */
export interface Requests {
  /** Errors: UPB-INSTALL-NOT-DOWNLOADED, UPB-INSTALL-OLDER, UPB-INSTALL-ALREADY, UPB-INSTALL-BUSY. */
  install(update: UpdateId, rollbackDays?: number): string;
  /** Errors: UPB-ROLLBACK-NOTHING. */
  rollback(product: Product): string;
  /** Errors: UPB-UNINSTALL-NOTHING. */
  uninstall(product: Product): string;
  /** Errors: UPB-VERIFY-NOTHING. */
  verify(product: Product): string;
}

/** A failed one may be tried again: what was downloaded is kept for a while. */
const INSTALLABLE: ReadonlySet<UpdateState | undefined> = new Set(["downloaded", "failed"]);

export function requests(world: {
  journal: Journal;
  manifests: Manifests;
  now: () => number;
}): Requests {
  const { journal, manifests, now } = world;

  function begin(
    about: Omit<Operation, "id" | "startedMs" | "title" | "handler" | "product">,
    update: UpdateId,
    event: UpdateEvent | undefined,
  ): string {
    const id = randomUUID();
    const manifest = manifests.read(update.manifestSha256);
    const operation: Operation = {
      ...about,
      id,
      product: update.product,
      manifestSha256: update.manifestSha256,
      title: manifest?.title ?? formatUpdate(update),
      // Without its manifest what is installed can be a tree only: `none` leaves nothing to undo.
      handler: manifest?.handler ?? "tree",
      startedMs: now(),
    };
    journal.atomically(() => {
      journal.setOperation(operation);
      if (event !== undefined) journal.move(update, event, { nowMs: now(), jobId: id });
    });
    return id;
  }

  /** What waits for a restart belongs to that restart. */
  function requireNotAwaiting(product: Product): void {
    const parked = journal.awaitingRestart().find((one) => one.product === product);
    if (parked === undefined) return;
    const detail = `${product} ${parked.toVersion} waits for a restart of this machine`;
    throw new UpbeatError("UPB-INSTALL-BUSY", { object: product, detail });
  }

  return {
    install(update, rollbackDays) {
      requireNotAwaiting(update.product);
      const { current } = journal.product(update.product);
      requireNewer(update, current);
      const isHere = manifests.read(update.manifestSha256) !== undefined;
      if (!isHere || !INSTALLABLE.has(journal.record(update)?.state))
        throw new UpbeatError("UPB-INSTALL-NOT-DOWNLOADED", { object: formatUpdate(update) });
      return begin(
        {
          operation: "install",
          toVersion: update.version,
          ...(rollbackDays === undefined ? {} : { rollbackDays }),
          ...(current && { fromVersion: current }),
        },
        update,
        "install",
      );
    },
    rollback(product) {
      requireNotAwaiting(product);
      const { current, currentSha256, previous } = journal.product(product);
      if (current === undefined || currentSha256 === undefined || previous === undefined)
        throw new UpbeatError("UPB-ROLLBACK-NOTHING", { object: product });
      return begin(
        { operation: "rollback", fromVersion: current, toVersion: previous },
        { product, version: current, manifestSha256: currentSha256 },
        "undo",
      );
    },
    uninstall(product) {
      requireNotAwaiting(product);
      const { current, currentSha256 } = journal.product(product);
      if (current === undefined || currentSha256 === undefined)
        throw new UpbeatError("UPB-UNINSTALL-NOTHING", { object: product });
      return begin(
        { operation: "uninstall", fromVersion: current },
        { product, version: current, manifestSha256: currentSha256 },
        "uninstall",
      );
    },
    verify(product) {
      const { current, currentSha256 } = journal.product(product);
      if (current === undefined || currentSha256 === undefined)
        throw new UpbeatError("UPB-VERIFY-NOTHING", { object: product });
      return begin(
        { operation: "verify", fromVersion: current, toVersion: current },
        { product, version: current, manifestSha256: currentSha256 },
        undefined,
      );
    },
  };
}
