/** The frame around every page: the session, the live device, navigation, and lost connections. */
import { MessageBar, MessageBarBody } from "@fluentui/react-components";
import {
  ArrowSyncRegular,
  DocumentTextRegular,
  HistoryRegular,
  OptionsRegular,
  QuestionCircleRegular,
  ServerRegular,
  WrenchRegular,
} from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import { useSyncExternalStore } from "react";
import { reportOf } from "../kit/api.ts";
import { ErrorCard } from "../kit/ErrorCard.tsx";
import { useErrorTexts } from "../kit/errorTexts.ts";
import { Loading } from "../kit/Loading.tsx";
import { useMessages } from "../kit/language.ts";
import { Preferences } from "../kit/Preferences.tsx";
import { Shell } from "../kit/Shell.tsx";
import { Title } from "../kit/Title.tsx";
import { Themed, useAppearance } from "../kit/theme.tsx";
import { DeviceContext } from "./device.ts";
import { type OpenPage, openPage } from "./session.ts";

export function App() {
  const [appearance, choose] = useAppearance();
  const { t } = useMessages();
  useErrorTexts();
  const open = useQuery({
    queryKey: ["session"],
    queryFn: openPage,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const items = [
    { to: "/", label: t("page.home"), icon: <ArrowSyncRegular /> },
    { to: "/history", label: t("page.history"), icon: <HistoryRegular /> },
    { to: "/advanced", label: t("page.advanced"), icon: <OptionsRegular /> },
    { to: "/why", label: t("page.why"), icon: <QuestionCircleRegular /> },
    { to: "/services", label: t("page.services"), icon: <ServerRegular /> },
    { to: "/troubleshoot", label: t("page.troubleshoot"), icon: <WrenchRegular /> },
    { to: "/logs", label: t("page.logs"), icon: <DocumentTextRegular /> },
  ];
  return (
    <Themed appearance={appearance}>
      <Shell
        name="Upbeat"
        host={open.data?.session.hostName ?? ""}
        items={items}
        foot={<Preferences appearance={appearance} choose={choose} />}
      >
        {open.isPending ? <Loading /> : null}
        {open.error === null ? null : (
          <>
            <Title text={t("page.closed")} />
            <ErrorCard error={reportOf(open.error)} />
          </>
        )}
        {open.data === undefined ? null : <WithDevice {...open.data} />}
      </Shell>
    </Themed>
  );
}

function WithDevice({ session, device }: OpenPage) {
  const { t } = useMessages();
  const live = useSyncExternalStore(device.subscribe, device.current);
  return (
    <DeviceContext value={{ session, live }}>
      {live.connected || live.value.state !== "ready" ? null : (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>{t("disconnected")}</MessageBarBody>
        </MessageBar>
      )}
      {session.may.change ? null : (
        <MessageBar intent="info" layout="multiline">
          <MessageBarBody>{t("readOnly")}</MessageBarBody>
        </MessageBar>
      )}
      <Outlet />
    </DeviceContext>
  );
}
