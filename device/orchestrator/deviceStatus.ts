/** What `upbeat status` shows, and the one plain sentence that says what is happening now. */
import { activityOf } from "../../core/activity.ts";
import { installForecast } from "../../core/installForecast.ts";
import { inWords } from "../../core/offerContext.ts";
import type { CombinedSettings } from "../../core/settings.ts";
import type { StageTimes } from "../../core/stageTimes.ts";
import type { Plan as TimingPlan } from "../../core/timing/plan.ts";
import type { DeviceConfig } from "../../protocol/deviceApi.ts";
import { reportError, type UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate } from "../../protocol/ids.ts";
import type { Inhibitor } from "../../protocol/inhibitors.ts";
import type {
  Activity,
  Change,
  DeviceStatus,
  Notice,
  Offer,
} from "../../protocol/orchestratorApi.ts";
import type { ProviderReport } from "../../protocol/providers.ts";
import type { Diagnosis } from "../../protocol/troubleshooting/diagnosis.ts";
import type { PHASES, ServiceStatus } from "../../protocol/updateServiceApi.ts";
import { openOffers, type Plan } from "./memory.ts";
import type { Evaluation } from "./scan.ts";
import type { RestartState } from "./timing/restartState.ts";

export interface Known {
  readonly nowMs: number;
  readonly startedMs: number;
  readonly timing: TimingPlan | undefined;
  readonly restart: RestartState;
  readonly combined: CombinedSettings;
  readonly settingsProblem: UpbeatError | undefined;
  /** A text: why the configuration cannot be read. */
  readonly config: DeviceConfig | undefined | string;
  readonly evaluation: Evaluation | undefined;
  readonly plan: Plan | undefined;
  readonly running: Change | undefined;
  readonly stageTimes: StageTimes;
  readonly service: ServiceStatus | undefined;
  /** When it was first found not to answer; undefined while it does. */
  readonly serviceAwayMs: number | undefined;
  readonly providers: ProviderReport[];
  readonly inhibitors: Inhibitor[];
  readonly notices: readonly Notice[];
  readonly reportsWaiting: number;
  /** The troubleshooter's last. */
  readonly diagnosis: Diagnosis | undefined;
}

export function deviceStatus(known: Known): DeviceStatus {
  const { config, evaluation, plan, service } = known;
  const offers = openOffers(evaluation, service).map((offer) => {
    const forecast = installForecast(known.stageTimes, offer.sizeBytes);
    return forecast === undefined ? offer : { ...offer, forecast };
  });
  const status: DeviceStatus = {
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
    waiting: (known.timing?.waiting ?? []).map(({ update, step, waiting }) => ({
      update,
      step,
      waiting: [...waiting],
    })),
    atShutdown: [...(known.timing?.atShutdown ?? [])],
    ...(known.timing?.restart === undefined ? {} : { restart: known.timing.restart.plan }),
    ...(known.restart.failed === undefined ? {} : { restartError: known.restart.failed.error }),
    ...pausedUntil(known),
    ...(known.settingsProblem === undefined
      ? {}
      : { settingsProblem: reportError(known.settingsProblem) }),
    updateService: service === undefined ? "not-running" : "running",
    providers: known.providers,
    inhibitors: known.inhibitors,
    notices: [...known.notices],
    reportsWaiting: known.reportsWaiting,
    ...(known.diagnosis === undefined ? {} : { found: foundIn(known.diagnosis) }),
  };
  return { ...status, activity: activity(known, status) };
}

function activity(known: Known, status: DeviceStatus): Activity {
  const { config, service, running, nowMs } = known;
  if (typeof config !== "object") {
    const advice = "Enrol it with `upbeat device enrol URL --token TOKEN --product PRODUCT`.";
    return { waitsFor: "somebody who enrols this machine", advice };
  }
  if (service === undefined) {
    const advice =
      "Look at `upbeat services`; start it with `upbeat services start update-service`.";
    return { ...sinceWhen(known), waitsFor: "the update service, to answer", advice };
  }
  return activityOf({ nowMs, running, busy: service.busy, status });
}

const sinceWhen = ({ serviceAwayMs }: Known): Pick<Activity, "sinceMs"> =>
  serviceAwayMs === undefined ? {} : { sinceMs: serviceAwayMs };

/** What is open of a diagnosis; notes are for whoever asks the troubleshooter. */
const foundIn = ({ atMs, findings }: Diagnosis): DeviceStatus["found"] => ({
  atMs,
  findings: findings
    .filter(({ severity, repair }) => severity !== "note" && repair?.state !== "repaired")
    .map(({ cause, severity, title, object, remedy }) => ({
      cause,
      severity,
      title,
      object,
      remedy,
    })),
});

function pausedUntil({ combined, nowMs }: Known): Pick<DeviceStatus, "paused"> {
  const { pause } = combined.settings;
  const untilMs = pause === null ? 0 : Date.parse(pause.until);
  return untilMs <= nowMs ? {} : { paused: { untilMs, setBy: combined.setBy("pause") } };
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
  const restart = known.timing?.restart?.plan;
  if (restart !== undefined) {
    const [first] = restart.updates;
    const name = first === undefined ? "An update" : formatUpdate(first);
    const others = restart.updates.length - 1;
    const what =
      others > 0 ? `${name} and ${others} more are ready and wait` : `${name} is ready and waits`;
    return `${what} for a restart of this machine. ${restart.waiting[0]?.sentence ?? ""}`.trimEnd();
  }
  if (plan?.lastError !== undefined) {
    return `The last check failed (${plan.lastError.code}): ${plan.lastError.text}. It is repeated by itself.`;
  }
  if (evaluation === undefined) return "No check has been made yet.";
  const [first] = offers;
  if (first === undefined) {
    const { paused } = pausedUntil(known);
    if (paused !== undefined) return `Updates are paused until ${inWords(paused.untilMs)}.`;
    return "Everything is up to date.";
  }
  const [wait] = (known.timing?.waiting ?? []).flatMap(({ waiting }) => waiting);
  if (wait !== undefined && !CONSENT.has(wait.reason)) {
    return offers.length === 1
      ? `${formatUpdate(first.update)} is offered. ${wait.sentence}`
      : `${offers.length} updates are offered. ${wait.sentence}`;
  }
  return offers.length === 1
    ? `${formatUpdate(first.update)} is ready to install with \`upbeat install\`.`
    : `${offers.length} updates are ready to install with \`upbeat install\`.`;
}

/** Then the next step is the person's, and the sentence names it. */
const CONSENT: ReadonlySet<string> = new Set(["download-consent", "install-consent"]);

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
