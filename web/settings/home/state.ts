/**
 * The one state that the header shows. Pure, so that every state can be tested by itself. The order
 * of the questions is the order of what a person must know first.
 */
import type { ErrorCode } from "../../../protocol/errors/catalogue.ts";
import type { ErrorReport } from "../../../protocol/errors/error.ts";
import type { Change, DeviceStatus, Offer } from "../../../protocol/orchestratorApi.ts";
import type { ProviderUpdate } from "../../../protocol/providers.ts";
import type { DeviceView } from "../../../protocol/settingsPageApi.ts";
import type { UpdateRecord } from "../../../protocol/updateServiceApi.ts";
import type { Loaded } from "../../kit/loaded.ts";

export type HeaderState =
  | { readonly kind: "connecting" }
  /** The process behind the page does not answer. */
  | { readonly kind: "closed"; readonly error: ErrorReport }
  | { readonly kind: "manager-stopped"; readonly error: ErrorReport }
  | { readonly kind: "orchestrator-stopped"; readonly error: ErrorReport }
  | { readonly kind: "update-service-stopped"; readonly status: DeviceStatus }
  | { readonly kind: "not-enrolled"; readonly status: DeviceStatus }
  | { readonly kind: "checking"; readonly status: DeviceStatus }
  | { readonly kind: "working"; readonly status: DeviceStatus; readonly change: Change }
  | { readonly kind: "restarting-soon"; readonly status: DeviceStatus; readonly atMs: number }
  | { readonly kind: "restart-required"; readonly status: DeviceStatus }
  | { readonly kind: "paused"; readonly status: DeviceStatus; readonly untilMs: number }
  | { readonly kind: "failed"; readonly status: DeviceStatus; readonly error: ErrorReport }
  | {
      readonly kind: "rolled-back";
      readonly status: DeviceStatus;
      readonly record: UpdateRecord;
    }
  | { readonly kind: "offline"; readonly status: DeviceStatus; readonly error: ErrorReport }
  | { readonly kind: "check-failed"; readonly status: DeviceStatus; readonly error: ErrorReport }
  /** For the moment, the network or a person: it goes on by itself. */
  | { readonly kind: "waiting"; readonly status: DeviceStatus; readonly sentence: string }
  | { readonly kind: "ready"; readonly status: DeviceStatus }
  | { readonly kind: "available"; readonly status: DeviceStatus }
  | { readonly kind: "never-checked"; readonly status: DeviceStatus }
  | { readonly kind: "up-to-date"; readonly status: DeviceStatus };

export function headerState(view: Loaded<DeviceView>, nowMs: number): HeaderState {
  if (view.state === "loading") return { kind: "connecting" };
  if (view.state === "failed") return { kind: "closed", error: view.error };
  const { device, services } = view.value;
  if (device.state === "failed") {
    const kind = services.state === "failed" ? "manager-stopped" : "orchestrator-stopped";
    return { kind, error: device.error };
  }
  const status = device.value;
  if (status.deviceId === undefined) return { kind: "not-enrolled", status };
  if (status.updateService === "not-running") return { kind: "update-service-stopped", status };
  return ofRunningServices(status, nowMs);
}

function ofRunningServices(status: DeviceStatus, nowMs: number): HeaderState {
  const { running, updates, lastCheckError } = status;
  if (running?.request.kind === "check") return { kind: "checking", status };
  if (running !== undefined) return { kind: "working", status, change: running };
  const { restart, paused } = status;
  if (restart?.atMs !== undefined && restart.atMs - nowMs <= SOON_MS) {
    return { kind: "restarting-soon", status, atMs: restart.atMs };
  }
  if (restart !== undefined || updates.some((record) => record.state === "restart-pending")) {
    return { kind: "restart-required", status };
  }
  if (paused !== undefined) return { kind: "paused", status, untilMs: paused.untilMs };
  if (lastCheckError !== undefined) {
    const kind = OFFLINE.has(lastCheckError.code) ? "offline" : "check-failed";
    return { kind, status, error: lastCheckError };
  }
  const failed = newestOf(updates, "failed");
  if (failed?.error !== undefined) return { kind: "failed", status, error: failed.error };
  const coming = comingUpdates(status);
  if (coming.length > 0) {
    const sentence = waitedFor(status);
    if (sentence !== undefined) return { kind: "waiting", status, sentence };
    const isReady = coming.every((one) => "update" in one && stateOf(status, one) === "downloaded");
    return { kind: isReady ? "ready" : "available", status };
  }
  const undone = undoneByItself(status, nowMs);
  if (undone !== undefined) return { kind: "rolled-back", status, record: undone };
  return { kind: status.lastCheckMs === undefined ? "never-checked" : "up-to-date", status };
}

/** What “install” installs: what is optional comes only when it is named. */
export const comingUpdates = ({ offers, providers }: DeviceStatus): (Offer | ProviderUpdate)[] => [
  ...offers.filter((offer) => !offer.optional),
  ...providers.flatMap(({ updates }) => updates),
];

/** The last of the warnings before a restart by itself. */
const SOON_MS = 15 * 60_000;

/** What holds every offered update up, unless it is only that nobody has said yes. */
function waitedFor({ offers, waiting }: DeviceStatus): string | undefined {
  const asked = offers.filter((offer) => !offer.optional);
  const reasons = asked.map((offer) =>
    waiting
      .filter((one) => one.update.manifestSha256 === offer.update.manifestSha256)
      .flatMap((one) => one.waiting),
  );
  const isHeldUp = reasons.every(
    (all) => all.length > 0 && !all.some(({ reason }) => CONSENT.has(reason)),
  );
  return isHeldUp ? reasons[0]?.[0]?.sentence : undefined;
}

const CONSENT: ReadonlySet<string> = new Set(["download-consent", "install-consent"]);

/** The network or the server is away: nothing on this machine is wrong. */
const OFFLINE: ReadonlySet<string> = new Set<ErrorCode>([
  "UPB-FETCH-UNREACHABLE",
  "UPB-FETCH-TIMED-OUT",
  "UPB-FETCH-TOO-SLOW",
  "UPB-FETCH-SERVER-BUSY",
]);

/** What the orchestrator says, when it says something. */
export const statusOf = (view: Loaded<DeviceView>): DeviceStatus | undefined =>
  view.state === "ready" && view.value.device.state === "ready"
    ? view.value.device.value
    : undefined;

/** Where an offered update stands on this machine. */
export const stateOf = (status: DeviceStatus, offer: Offer): UpdateRecord["state"] =>
  [...(status.running?.updates ?? []), ...status.updates].find(
    (record) => record.manifestSha256 === offer.update.manifestSha256,
  )?.state ?? "offered";

function newestOf(
  updates: readonly UpdateRecord[],
  state: UpdateRecord["state"],
): UpdateRecord | undefined {
  return updates
    .filter((record) => record.state === state)
    .toSorted((one, other) => other.sinceMs - one.sinceMs)[0];
}

/** An undone update is news for so long. Ours: whoever is away for a week's holiday still sees it. */
const NEWS_MS = 8 * 86_400_000;

/** Not what a person undid: that has no error, and is no news to them. */
function undoneByItself(status: DeviceStatus, nowMs: number): UpdateRecord | undefined {
  const undone = newestOf(status.updates, "rolled-back");
  if (undone?.error === undefined || nowMs - undone.sinceMs > NEWS_MS) return undefined;
  const isOver = status.updates.some(
    ({ product, state, sinceMs }) =>
      product === undone.product && state === "installed" && sinceMs > undone.sinceMs,
  );
  return isOver ? undefined : undone;
}
