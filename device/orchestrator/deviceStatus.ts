/** What `upbeat status` shows, and the one plain sentence that says what is happening now. */
import type { DeviceConfig } from "../../protocol/deviceApi.ts";
import { formatUpdate } from "../../protocol/ids.ts";
import type { Inhibitor } from "../../protocol/inhibitors.ts";
import type { Change, DeviceStatus, Offer } from "../../protocol/orchestratorApi.ts";
import type { ProviderReport } from "../../protocol/providers.ts";
import type { PHASES, ServiceStatus } from "../../protocol/updateServiceApi.ts";
import { openOffers, type Plan } from "./memory.ts";
import type { Evaluation } from "./scan.ts";

export interface Known {
  readonly startedMs: number;
  /** A text: why the configuration cannot be read. */
  readonly config: DeviceConfig | undefined | string;
  readonly evaluation: Evaluation | undefined;
  readonly plan: Plan | undefined;
  readonly running: Change | undefined;
  readonly service: ServiceStatus | undefined;
  readonly providers: ProviderReport[];
  readonly inhibitors: Inhibitor[];
  readonly reportsWaiting: number;
}

export function deviceStatus(known: Known): DeviceStatus {
  const { config, evaluation, plan, service } = known;
  const offers = openOffers(evaluation, service);
  return {
    pid: process.pid,
    startedMs: known.startedMs,
    ...(typeof config === "object"
      ? { deviceId: config.deviceId, serverUrl: config.serverUrl }
      : {}),
    now: sentence(known, offers),
    ...(known.running === undefined ? {} : { running: known.running }),
    ...(evaluation === undefined ? {} : { lastCheckMs: evaluation.checkedMs }),
    ...(plan?.lastError === undefined ? {} : { lastCheckError: plan.lastError }),
    ...(plan === undefined ? {} : { nextCheckMs: plan.nextCheckMs }),
    ...(evaluation === undefined ? {} : { trust: evaluation.trust }),
    offers,
    notOffered: evaluation?.result.notOffered ?? [],
    products: service?.products ?? [],
    updates: service?.updates ?? [],
    updateService: service === undefined ? "not-running" : "running",
    providers: known.providers,
    inhibitors: known.inhibitors,
    reportsWaiting: known.reportsWaiting,
  };
}

function sentence(known: Known, offers: readonly Offer[]): string {
  const { config, running, service, plan, evaluation } = known;
  if (typeof config === "string") return config;
  if (config === undefined) {
    return "This machine is not enrolled; enrol it with `upbeat device enrol`.";
  }
  if (service === undefined) {
    return "The update service does not answer; start it with `upbeat services start`.";
  }
  if (running !== undefined) return ofChange(running);
  if (service.busy !== undefined)
    return `The update service works: ${PHASE_WORDS[service.busy.phase]}.`;
  const restart = service.updates.find((record) => record.state === "restart-pending");
  if (restart !== undefined) {
    return `${formatUpdate(restart)} is ready and waits for a restart of this machine.`;
  }
  if (plan?.lastError !== undefined) {
    return `The last check failed (${plan.lastError.code}): ${plan.lastError.text}. It is repeated by itself.`;
  }
  if (evaluation === undefined) return "No check has been made yet.";
  const [first] = offers;
  if (first === undefined) return "Everything is up to date.";
  return offers.length === 1
    ? `${formatUpdate(first.update)} is ready to install with \`upbeat install\`.`
    : `${offers.length} updates are ready to install with \`upbeat install\`.`;
}

function ofChange({ request, progress, updates }: Change): string {
  if (request.kind === "check") return "Checking for updates.";
  const object =
    "product" in request && request.product !== undefined ? request.product : "updates";
  const working = updates.find((record) => record.jobId === progress?.jobId);
  const name = working === undefined ? object : formatUpdate(working);
  if (progress === undefined) return `${VERBS[request.kind]} ${name}.`;
  return `${VERBS[request.kind]} ${name}: ${PHASE_WORDS[progress.phase]}.`;
}

const VERBS = {
  download: "Downloading",
  install: "Installing",
  rollback: "Rolling back",
  uninstall: "Uninstalling",
  plan: "Planning",
  verify: "Checking",
};

const PHASE_WORDS: Record<(typeof PHASES)[number], string> = {
  "refresh-metadata": "checking what was signed",
  plan: "planning",
  download: "downloading",
  apply: "building new files from the ones that are here",
  verify: "verifying",
  stage: "putting the new version beside the old one",
  switch: "switching over",
  "health-check": "checking its health",
  commit: "finishing",
  rollback: "going back to the previous version",
  inspect: "comparing every file with what was signed",
  mend: "putting damaged files right",
  provider: "a provider works",
};
