/** The header's icon and buttons in each state, and the card below it when something is wrong. */
import { Button } from "@fluentui/react-components";
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
import { reportOf } from "../../kit/api.ts";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import {
  isManaged,
  useChange,
  useDevice,
  useRestart,
  useServiceAction,
  useStartManager,
} from "../device.ts";
import { PauseButton } from "./Pause.tsx";
import type { StateHeaderProps } from "./StateHeader.tsx";
import type { HeaderState } from "./state.ts";
import { headerWords } from "./words.ts";

interface Acts {
  readonly buttons: ReactNode;
  readonly also?: ReactNode;
  readonly problem?: ReactNode;
}

export function useHeader(state: HeaderState): { header: StateHeaderProps; problem: ReactNode } {
  const { t, language } = useMessages();
  const { session } = useDevice();
  const nowMs = useNow();
  const change = useChange();
  const service = useServiceAction();
  const manager = useStartManager();
  const restart = useRestart();
  const calls = [change, service, manager, restart];
  const busy = calls.some((call) => call.isPending);
  const refused = calls.find((call) => call.error !== null)?.error ?? null;

  const button = (label: string, act: () => void, allowed = session.may.change): ReactNode => (
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
  const check = () => change.mutate({ kind: "check", full: false });
  const install = (label: string) => button(label, () => change.mutate({ kind: "install" }));

  function acts(): Acts {
    switch (state.kind) {
      case "connecting":
      case "not-enrolled":
      case "checking":
      case "working":
        return { buttons: null };
      case "closed":
        return { buttons: null, problem: <ErrorCard error={state.error} /> };
      case "manager-stopped":
        return {
          buttons: button(t("home.startServices"), () => manager.mutate(), session.may.administer),
          problem: <ErrorCard error={state.error} />,
        };
      case "orchestrator-stopped":
      case "update-service-stopped": {
        const name = state.kind === "orchestrator-stopped" ? "orchestrator" : "update-service";
        return {
          buttons: button(t("home.startService"), () => service.mutate({ name, action: "start" })),
          problem: "error" in state ? <ErrorCard error={state.error} /> : undefined,
        };
      }
      case "restarting-soon":
      case "restart-required":
        return { buttons: button(t("restartCard.now"), () => restart.mutate({ when: "now" })) };
      case "paused":
        return {
          buttons: isManaged(state.status.paused?.setBy) ? null : (
            <PauseButton label={t("home.resume")} pause={null} />
          ),
        };
      case "waiting":
        return { buttons: install(t("home.installNow")), also: link(t("home.check"), check) };
      case "failed":
        return {
          buttons: install(t("home.again")),
          also: link(t("home.check"), check),
          problem: <ErrorCard error={state.error} />,
        };
      case "rolled-back": {
        const { error } = state.record;
        return {
          buttons: button(t("home.check"), check),
          problem: error === undefined ? undefined : <ErrorCard error={error} intent="warning" />,
        };
      }
      case "offline":
      case "check-failed":
        return {
          buttons: button(t("home.check"), check),
          problem: (
            <ErrorCard
              error={state.error}
              intent={state.kind === "offline" ? "warning" : "error"}
            />
          ),
        };
      case "ready":
        return { buttons: install(t("home.installNow")), also: link(t("home.check"), check) };
      case "available":
        return {
          buttons: install(t("home.downloadAndInstall")),
          also: (
            <>
              {link(t("home.check"), check)}
              {link(t("home.download"), () => change.mutate({ kind: "download" }))}
            </>
          ),
        };
      case "never-checked":
      case "up-to-date":
        return { buttons: button(t("home.check"), check) };
    }
  }

  const { buttons, also, problem } = acts();
  const words = headerWords(state, { t, language, nowMs });
  return {
    header: { ...words, kind: state.kind, icon: ICONS[state.kind], buttons, also },
    problem: refused === null ? problem : <ErrorCard error={reportOf(refused)} />,
  };
}

/** Absent: it is working, and a ring turns. */
const ICONS: Partial<Record<HeaderState["kind"], ReactNode>> = {
  closed: <PlugDisconnectedRegular />,
  "manager-stopped": <PlugDisconnectedRegular />,
  "orchestrator-stopped": <PlugDisconnectedRegular />,
  "update-service-stopped": <PlugDisconnectedRegular />,
  "not-enrolled": <PlugDisconnectedRegular />,
  "restarting-soon": <ArrowClockwiseRegular />,
  "restart-required": <ArrowClockwiseRegular />,
  paused: <PauseCircleRegular />,
  waiting: <ClockRegular />,
  failed: <ErrorCircleRegular />,
  "rolled-back": <ArrowUndoRegular />,
  offline: <CloudOffRegular />,
  "check-failed": <WarningRegular />,
  available: <ArrowCircleDownRegular />,
  ready: <ArrowCircleDownRegular />,
  "never-checked": <CheckmarkCircleRegular />,
  "up-to-date": <CheckmarkCircleRegular />,
};
