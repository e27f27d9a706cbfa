/** The first page: one state, one sentence, one button; then what waits and what else one may want. */
import { makeStyles, tokens } from "@fluentui/react-components";
import { useLayoutEffect } from "react";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { Title } from "../../kit/Title.tsx";
import { useDevice } from "../device.ts";
import { FoundNotice } from "./FoundNotice.tsx";
import { ManagedNotice } from "./ManagedNotice.tsx";
import { MoreOptions } from "./MoreOptions.tsx";
import { NotOfferedList } from "./NotOfferedList.tsx";
import { Pause } from "./Pause.tsx";
import { ProviderList } from "./ProviderList.tsx";
import { endFirstPaint } from "./paintFirst.ts";
import { RestartCard } from "./RestartCard.tsx";
import { StateHeader } from "./StateHeader.tsx";
import { headerState, statusOf } from "./state.ts";
import { UpdateList } from "./UpdateList.tsx";
import { useHeader } from "./useHeader.tsx";
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
  useLayoutEffect(endFirstPaint, []);
  return (
    <>
      <Title text={t("page.home")} />
      <StateHeader {...header} />
      <div className={styles.part}>
        {problem}
        {status === undefined ? null : <FoundNotice status={status} />}
        {status?.restart === undefined ? null : (
          <RestartCard plan={status.restart} status={status} />
        )}
        {status?.running === undefined ? null : <WorkProgress change={status.running} />}
        {status?.activity?.stuck === undefined ? null : (
          <ErrorCard error={status.activity.stuck} intent="warning" />
        )}
        {status === undefined || status.offers.length === 0 ? null : (
          <UpdateList status={status} offers={status.offers.filter((one) => !one.optional)} />
        )}
        {status?.offers.some((one) => one.optional) ? (
          <>
            <h3 className={styles.heading}>{t("home.optional")}</h3>
            <UpdateList status={status} offers={status.offers.filter((one) => one.optional)} />
          </>
        ) : null}
        {status === undefined ? null : <ProviderList status={status} />}
        {status === undefined ? null : <NotOfferedList status={status} />}
        <h3 className={styles.heading}>{t("home.more")}</h3>
        {status === undefined ? null : <Pause status={status} />}
        <MoreOptions />
        {status === undefined ? null : <ManagedNotice />}
      </div>
    </>
  );
}
