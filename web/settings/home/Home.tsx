/** The first page: one state, one sentence, one button; then what waits and what else one may want. */
import { Button, makeStyles, tokens } from "@fluentui/react-components";
import {
  ArrowCircleDownRegular,
  ArrowClockwiseRegular,
  ArrowUndoRegular,
  CheckmarkCircleRegular,
  ClockRegular,
  CloudOffRegular,
  ErrorCircleRegular,
  PauseCircleRegular,
  PlugDisconnectedRegular,
  WarningRegular,
} from "@fluentui/react-icons";
import type { ReactNode } from "react";
import type { DeviceStatus } from "../../../protocol/orchestratorApi.ts";
import { reportOf } from "../../kit/api.ts";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { bytes, moment, relative } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { Title } from "../../kit/Title.tsx";
import {
  isManaged,
  useChange,
  useDevice,
  useRestart,
  useServiceAction,
  useStartManager,
} from "../device.ts";
import { ManagedNotice } from "./ManagedNotice.tsx";
import { MoreOptions } from "./MoreOptions.tsx";
import { NotOfferedList } from "./NotOfferedList.tsx";
import { Pause, PauseButton } from "./Pause.tsx";
import { stageOf } from "./progress.ts";
import { RestartCard } from "./RestartCard.tsx";
import { StateHeader, type StateHeaderProps } from "./StateHeader.tsx";
import { type HeaderState, headerState, statusOf } from "./state.ts";
import { UpdateList } from "./UpdateList.tsx";
import { WorkProgress } from "./WorkProgress.tsx";

const useStyles = makeStyles({
  part: { display: "grid", gap: "12px" },
  heading: {
    margin: "14px 0 0",
    fontSize: tokens.fontSizeBase400,
    fontWeight: tokens.fontWeightSemibold,
  },
});

export function Home() {
  const styles = useStyles();
  const { t } = useMessages();
  const { live } = useDevice();
  const state = headerState(live.value, useNow());
  const { header, problem } = useHeader(state);
  const status = statusOf(live.value);
  return (
    <>
      <Title text={t("page.home")} />
      <StateHeader {...header} kind={state.kind} />
      <div className={styles.part}>
        {problem}
        {status?.restart === undefined ? null : (
          <RestartCard plan={status.restart} status={status} />
        )}
        {status?.running === undefined ? null : <WorkProgress change={status.running} />}
        {status === undefined || status.offers.length === 0 ? null : (
          <UpdateList status={status} offers={status.offers.filter((one) => !one.optional)} />
        )}
        {status?.offers.some((one) => one.optional) ? (
          <>
            <h3 className={styles.heading}>{t("home.optional")}</h3>
            <UpdateList status={status} offers={status.offers.filter((one) => one.optional)} />
          </>
        ) : null}
        {status === undefined ? null : <NotOfferedList status={status} />}
        <h3 className={styles.heading}>{t("home.more")}</h3>
        {status === undefined ? null : <Pause status={status} />}
        <MoreOptions />
        {status === undefined ? null : <ManagedNotice />}
      </div>
    </>
  );
}

type Shown = Omit<StateHeaderProps, "kind">;

/** What the header says and offers in each state, and the card below it when something is wrong. */
function useHeader(state: HeaderState): { header: Shown; problem: ReactNode } {
  const { t, language } = useMessages();
  const { session } = useDevice();
  const now = useNow();
  const change = useChange();
  const service = useServiceAction();
  const manager = useStartManager();
  const restart = useRestart();
  const calls = [change, service, manager, restart];
  const busy = calls.some((call) => call.isPending);
  const refused = calls.find((call) => call.error !== null)?.error ?? null;
  const problem = refused === null ? undefined : <ErrorCard error={reportOf(refused)} />;

  const button = (label: string, act: () => void, allowed: boolean): ReactNode => (
    <Button appearance="primary" size="large" disabled={busy || !allowed} onClick={act}>
      {label}
    </Button>
  );
  const link = (label: string, act: () => void): ReactNode => (
    <Button
      appearance="transparent"
      size="small"
      disabled={busy || !session.may.change}
      onClick={act}
    >
      {label}
    </Button>
  );
  const check = () =>
    button(
      t("home.check"),
      () => change.mutate({ kind: "check", full: false }),
      session.may.change,
    );
  const lastChecked = (status: DeviceStatus): string => {
    const { lastCheckMs, nextCheckMs } = status;
    if (lastCheckMs === undefined) return t("home.neverChecked");
    const last = t("home.lastChecked", { when: moment(lastCheckMs, now, language) });
    if (nextCheckMs === undefined) return last;
    return `${last} ${t("home.nextCheck", { when: moment(nextCheckMs, now, language) })}`;
  };
  const start = (): ReactNode =>
    state.kind === "manager-stopped"
      ? button(t("home.startServices"), () => manager.mutate(), session.may.administer)
      : button(
          t("home.startService"),
          () =>
            service.mutate({
              name: state.kind === "orchestrator-stopped" ? "orchestrator" : "update-service",
              action: "start",
            }),
          session.may.change,
        );
  const restartNow = button(
    t("restartCard.now"),
    () => restart.mutate({ when: "now" }),
    session.may.change,
  );
  const simple = (header: Shown, card?: ReactNode) => ({ header, problem: problem ?? card });

  switch (state.kind) {
    case "connecting":
      return simple({
        tone: "busy",
        icon: undefined,
        title: t("state.connecting"),
        sentence: t("loading"),
        buttons: null,
      });
    case "closed":
      return simple(
        {
          tone: "bad",
          icon: <PlugDisconnectedRegular />,
          title: t("state.closed"),
          sentence: t("state.closedWhy"),
          buttons: null,
        },
        <ErrorCard error={state.error} />,
      );
    case "manager-stopped":
    case "orchestrator-stopped":
      return simple(
        {
          tone: "bad",
          icon: <PlugDisconnectedRegular />,
          title: t("state.stopped"),
          sentence: t(`state.${state.kind}`),
          buttons: start(),
        },
        <ErrorCard error={state.error} />,
      );
    case "update-service-stopped":
      return simple({
        tone: "bad",
        icon: <PlugDisconnectedRegular />,
        title: t("state.stopped"),
        sentence: t("state.update-service-stopped"),
        buttons: start(),
      });
    case "not-enrolled":
      return simple({
        tone: "calm",
        icon: <PlugDisconnectedRegular />,
        title: t("state.notEnrolled"),
        sentence: t("state.notEnrolledWhy"),
        buttons: null,
      });
    case "checking":
      return simple({
        tone: "busy",
        icon: undefined,
        title: t("state.checking"),
        sentence: t("state.checkingWhy", { server: state.status.serverUrl }),
        buttons: null,
      });
    case "working":
      return simple({
        tone: "busy",
        icon: undefined,
        title: t(`state.${stageOf(state.change)}`),
        sentence: t("state.workingWhy"),
        buttons: null,
      });
    case "restarting-soon":
      return simple({
        tone: "warn",
        icon: <ArrowClockwiseRegular />,
        title: t("state.restartingSoon", { when: relative(state.atMs, now, language) }),
        sentence: t("state.restartingSoonWhy"),
        buttons: restartNow,
      });
    case "restart-required":
      return simple({
        tone: "warn",
        icon: <ArrowClockwiseRegular />,
        title: t("state.restart"),
        sentence: t("state.restartWhy"),
        buttons: restartNow,
      });
    case "paused":
      return simple({
        tone: "calm",
        icon: <PauseCircleRegular />,
        title: t("state.paused"),
        sentence: t("state.pausedWhy", { when: moment(state.untilMs, now, language) }),
        buttons: isManaged(state.status.paused?.setBy) ? null : (
          <PauseButton label={t("home.resume")} pause={null} />
        ),
      });
    case "waiting":
      return simple({
        tone: "calm",
        icon: <ClockRegular />,
        title: t("state.waiting"),
        sentence: state.sentence,
        buttons: button(
          t("home.installNow"),
          () => change.mutate({ kind: "install" }),
          session.may.change,
        ),
        also: link(t("home.check"), () => change.mutate({ kind: "check", full: false })),
      });
    case "failed":
      return simple(
        {
          tone: "bad",
          icon: <ErrorCircleRegular />,
          title: t("state.failed"),
          sentence: t("state.failedWhy"),
          buttons: button(
            t("home.again"),
            () => change.mutate({ kind: "install" }),
            session.may.change,
          ),
          also: link(t("home.check"), () => change.mutate({ kind: "check", full: false })),
        },
        <ErrorCard error={state.error} />,
      );
    case "rolled-back":
      return simple(
        {
          tone: "warn",
          icon: <ArrowUndoRegular />,
          title: t("state.rolledBack"),
          sentence: t("state.rolledBackWhy", {
            update: `${state.record.product} ${state.record.version}`,
          }),
          buttons: check(),
        },
        state.record.error === undefined ? undefined : (
          <ErrorCard error={state.record.error} intent="warning" />
        ),
      );
    case "offline":
      return simple(
        {
          tone: "warn",
          icon: <CloudOffRegular />,
          title: t("state.offline"),
          sentence: `${t("state.offlineWhy")} ${lastChecked(state.status)}`,
          buttons: check(),
        },
        <ErrorCard error={state.error} intent="warning" />,
      );
    case "check-failed":
      return simple(
        {
          tone: "bad",
          icon: <WarningRegular />,
          title: t("state.checkFailed"),
          sentence: lastChecked(state.status),
          buttons: check(),
        },
        <ErrorCard error={state.error} />,
      );
    case "available":
    case "ready": {
      const { offers } = state.status;
      const total = offers.reduce((sum, offer) => sum + offer.sizeBytes, 0);
      return simple({
        tone: "busy",
        icon: <ArrowCircleDownRegular />,
        title: t(`state.${state.kind}`),
        sentence: t("state.availableWhy", {
          count: offers.length,
          size: bytes(total, language),
          checked: lastChecked(state.status),
        }),
        buttons: button(
          t(state.kind === "ready" ? "home.installNow" : "home.downloadAndInstall"),
          () => change.mutate({ kind: "install" }),
          session.may.change,
        ),
        also: (
          <>
            {link(t("home.check"), () => change.mutate({ kind: "check", full: false }))}
            {state.kind === "available"
              ? link(t("home.download"), () => change.mutate({ kind: "download" }))
              : null}
          </>
        ),
      });
    }
    case "never-checked":
    case "up-to-date":
      return simple({
        tone: state.kind === "up-to-date" ? "good" : "calm",
        icon: <CheckmarkCircleRegular />,
        title: t(state.kind === "up-to-date" ? "state.upToDate" : "state.neverChecked"),
        sentence: lastChecked(state.status),
        buttons: check(),
      });
  }
}
