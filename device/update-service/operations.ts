/** What follows from an operation, without doing anything. */
import { compareVersions } from "../../core/versionOrder.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, type UpdateId, type Version } from "../../protocol/ids.ts";
import { ROLLBACK_DAYS, type UpdateRecord } from "../../protocol/updateServiceApi.ts";
import type { Operation, ProductRow } from "./journal.ts";

/** For how long a rollback is possible (design, "Numbers to keep"). */
const DAY_MS = 24 * 60 * 60 * 1000;
export const ROLLBACK_WINDOW_MS = ROLLBACK_DAYS.usual * DAY_MS;

/** Errors: UPB-INSTALL-OLDER, UPB-INSTALL-ALREADY. Going back is what `rollback` is for. */
export function requireNewer(update: UpdateId, current: Version | undefined): void {
  if (current === undefined) return;
  const order = compareVersions(update.version, current);
  if (order > 0) return;
  throw new UpbeatError(order === 0 ? "UPB-INSTALL-ALREADY" : "UPB-INSTALL-OLDER", {
    object: formatUpdate(update),
    detail: `${current} is installed`,
  });
}

export function installedRow(
  before: ProductRow,
  update: UpdateId,
  nowMs: number,
  rollbackDays: number = ROLLBACK_DAYS.usual,
): ProductRow {
  return {
    product: update.product,
    current: update.version,
    currentSha256: update.manifestSha256,
    ...(before.current && {
      previous: before.current,
      rollbackUntilMs: nowMs + rollbackDays * DAY_MS,
    }),
    ...(before.current && before.currentSha256 && { previousSha256: before.currentSha256 }),
  };
}

export function rolledBackRow({ product, previous, previousSha256 }: ProductRow): ProductRow {
  return {
    product,
    ...(previous && { current: previous }),
    ...(previousSha256 && { currentSha256: previousSha256 }),
  };
}

/** The update that the operation moves: for a rollback and an uninstall, the one that runs now. */
export function updateOf(operation: Operation): UpdateId {
  const version = operation.operation === "install" ? operation.toVersion : operation.fromVersion;
  if (version === undefined || operation.manifestSha256 === undefined) {
    throw new UpbeatError("UPB-INTERNAL-BUG", {
      object: `operation ${operation.id} names no update`,
    });
  }
  return { product: operation.product, version, manifestSha256: operation.manifestSha256 };
}

/** What runs when it has been undone. */
export const versionBefore = (operation: Operation): Version | undefined =>
  operation.operation === "rollback" ? operation.toVersion : operation.fromVersion;

export const idOf = ({ product, version, manifestSha256 }: UpdateRecord): UpdateId => ({
  product,
  version,
  manifestSha256,
});

export const isSame = (a: UpdateId, b: UpdateId): boolean =>
  a.product === b.product && a.version === b.version && a.manifestSha256 === b.manifestSha256;

/** A small download says more about latency than about the line. */
const TELLING_BYTES = 100_000;

/** Bytes per second of the last download that says anything; undefined: there was none. */
export function lastSpeed(records: readonly UpdateRecord[]): number | undefined {
  const plans = records
    .flatMap(({ plan }) => (plan === undefined ? [] : [plan]))
    .filter(({ bytes, tookMs }) => bytes >= TELLING_BYTES && (tookMs ?? 0) > 0)
    .toSorted((a, b) => b.plannedMs - a.plannedMs);
  const [last] = plans;
  return last?.tookMs === undefined ? undefined : (last.bytes * 1_000) / last.tookMs;
}
