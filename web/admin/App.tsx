/** The frame around every page: the session, navigation, what changes live, and lost connections. */
import { Button, MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import {
  BoxRegular,
  DesktopRegular,
  HomeRegular,
  KeyRegular,
  PauseCircleRegular,
  RocketRegular,
  SignOutRegular,
  TimelineRegular,
} from "@fluentui/react-icons";
import { useQueryClient } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import type { ConsoleChange, ConsoleSession } from "../../protocol/admin/console.ts";
import { reportOf } from "../kit/api.ts";
import { ErrorCard } from "../kit/ErrorCard.tsx";
import { useErrorTexts } from "../kit/errorTexts.ts";
import { Loading } from "../kit/Loading.tsx";
import { useMessages } from "../kit/language.ts";
import { useEvents } from "../kit/live.ts";
import { Preferences } from "../kit/Preferences.tsx";
import { Shell } from "../kit/Shell.tsx";
import { Title } from "../kit/Title.tsx";
import { Themed, useAppearance } from "../kit/theme.tsx";
import { SignIn } from "./SignIn.tsx";
import { askAgain, server } from "./server.ts";
import { SESSION_KEY, SessionProvider, saysSignedOut, useSession, useSignOut } from "./session.ts";

export function App() {
  const [appearance, choose] = useAppearance();
  const session = useSession();
  useErrorTexts();
  const foot = <Preferences appearance={appearance} choose={choose} />;
  return (
    <Themed appearance={appearance}>
      {session.data === null ? <SignIn foot={foot} /> : null}
      {session.data === null ? null : (
        <Frame session={session.data} error={session.error} foot={foot} />
      )}
    </Themed>
  );
}

function Frame(props: {
  session: ConsoleSession | undefined;
  error: Error | null;
  foot: ReactNode;
}) {
  const { session, error } = props;
  const { t } = useMessages();
  const items = [
    { to: "/", label: t("page.overview"), icon: <HomeRegular /> },
    { to: "/updates", label: t("page.updates"), icon: <BoxRegular /> },
    { to: "/rollouts", label: t("page.rollouts"), icon: <TimelineRegular /> },
    { to: "/devices", label: t("page.devices"), icon: <DesktopRegular /> },
    { to: "/holds", label: t("page.holds"), icon: <PauseCircleRegular /> },
    { to: "/publish", label: t("page.publish"), icon: <RocketRegular /> },
    { to: "/keys", label: t("page.keys"), icon: <KeyRegular /> },
  ];
  return (
    <Shell
      name={t("name")}
      host={session === undefined ? location.host : new URL(session.serverUrl).host}
      items={items}
      wide
      foot={
        <>
          {session === undefined ? null : <SignOut />}
          {props.foot}
        </>
      }
    >
      {session === undefined && error === null ? <Loading /> : null}
      {session === undefined && error !== null ? (
        <>
          <Title text={t("page.away")} />
          <ErrorCard error={reportOf(error)} />
        </>
      ) : null}
      {session === undefined ? null : (
        <SessionProvider value={session}>
          <Live />
          <Outlet />
        </SessionProvider>
      )}
    </Shell>
  );
}

const useStyles = makeStyles({ status: { ":not(:empty)": { marginBottom: "12px" } } });

/** Asks again for what the server says has changed, and says when nothing can be heard from it. */
function Live() {
  const styles = useStyles();
  const { t } = useMessages();
  const queries = useQueryClient();
  const calls = useMemo(
    () => ({
      data: (text: string) => askAgain(queries, (JSON.parse(text) as ConsoleChange).topics),
      lost: ({ code }: { code: string }) => {
        if (saysSignedOut(code)) queries.setQueryData(SESSION_KEY, null);
      },
    }),
    [queries],
  );
  const connected = useEvents("/api/v1/changes", server, calls);
  return (
    <div role="status" className={styles.status}>
      {connected ? null : (
        <MessageBar intent="warning" layout="multiline" data-testid="disconnected">
          <MessageBarBody>{t("disconnected")}</MessageBarBody>
        </MessageBar>
      )}
    </div>
  );
}

function SignOut() {
  const { t } = useMessages();
  const signOut = useSignOut();
  return (
    <Button
      size="small"
      icon={<SignOutRegular />}
      disabled={signOut.isPending}
      onClick={() => signOut.mutate()}
    >
      {t("signOut")}
    </Button>
  );
}
