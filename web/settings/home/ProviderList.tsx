/** What other updaters of this machine have, each with its own updates or with why it says nothing. */
import {
  Accordion,
  AccordionHeader,
  AccordionItem,
  AccordionPanel,
  Button,
  Card,
  MessageBar,
  MessageBarBody,
  makeStyles,
  tokens,
} from "@fluentui/react-components";
import type { DeviceStatus } from "../../../protocol/orchestratorApi.ts";
import type { ProviderReport, ProviderUpdate } from "../../../protocol/providers.ts";
import { reportOf } from "../../kit/api.ts";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { bytes, moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { useChange, useDevice } from "../device.ts";

const useStyles = makeStyles({
  heading: {
    margin: "14px 0 0",
    fontSize: tokens.fontSizeBase400,
    fontWeight: tokens.fontWeightSemibold,
  },
  top: { display: "flex", alignItems: "center", gap: "8px 16px", flexWrap: "wrap" },
  words: { flex: "1 1 260px", minWidth: 0 },
  title: { fontWeight: tokens.fontWeightSemibold, overflowWrap: "anywhere" },
  facts: {
    color: tokens.colorNeutralForeground2,
    fontSize: tokens.fontSizeBase200,
    overflowWrap: "anywhere",
  },
  list: {
    listStyleType: "none",
    margin: 0,
    padding: 0,
    display: "grid",
    gap: "6px",
    maxHeight: "320px",
    overflowY: "auto",
  },
});

export function ProviderList({ status }: { status: DeviceStatus }) {
  const styles = useStyles();
  const { t } = useMessages();
  const shown = status.providers.filter(
    ({ updates, failure }) => updates.length > 0 || failure !== undefined,
  );
  if (shown.length === 0) return null;
  return (
    <>
      <h3 className={styles.heading}>{t("provider.title")}</h3>
      {shown.map((one) => (
        <Provider key={one.provider} report={one} busy={status.running !== undefined} />
      ))}
    </>
  );
}

function Provider({ report, busy }: { report: ProviderReport; busy: boolean }) {
  const styles = useStyles();
  const { t, language } = useMessages();
  const now = useNow();
  const { session } = useDevice();
  const change = useChange();
  const { provider, updates, failure, scannedMs, verbs } = report;
  if (failure !== undefined) {
    return (
      <MessageBar intent="warning" layout="multiline" data-testid="provider">
        <MessageBarBody>
          {t("provider.failed", { provider })} <span lang="en">{failure}</span>
        </MessageBarBody>
      </MessageBar>
    );
  }
  const size = updates.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
  const restart = updates.some((one) => one.restart === "always")
    ? "always"
    : updates.some((one) => one.restart === "canRequest")
      ? "canRequest"
      : "never";
  const facts = [
    t("provider.count", { count: updates.length }),
    ...(size === 0 ? [] : [bytes(size, language)]),
    t(`restart.${restart}`),
    t("provider.scanned", { when: moment(scannedMs, now, language) }),
  ];
  return (
    <Card data-testid="provider" data-provider={provider}>
      <div className={styles.top}>
        <div className={styles.words}>
          <div className={styles.title}>{provider}</div>
          <div className={styles.facts}>{facts.join(" · ")}</div>
        </div>
        {busy || !verbs.includes("install") ? null : (
          <Button
            size="small"
            disabled={!session.may.change || change.isPending}
            aria-label={t("home.installOne", { title: provider })}
            onClick={() => change.mutate({ kind: "install", provider })}
          >
            {t("home.install")}
          </Button>
        )}
      </div>
      {change.error === null ? null : <ErrorCard error={reportOf(change.error)} />}
      <Accordion collapsible>
        <AccordionItem value="updates">
          <AccordionHeader size="small">{t("provider.updates")}</AccordionHeader>
          <AccordionPanel>
            {/* Focusable: a list that scrolls must do so with the keyboard too. */}
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
            <ul className={styles.list} tabIndex={0} aria-label={t("provider.updates")}>
              {updates.map((one) => (
                <li key={one.id}>
                  <Update update={one} />
                </li>
              ))}
            </ul>
          </AccordionPanel>
        </AccordionItem>
      </Accordion>
    </Card>
  );
}

function Update({ update }: { update: ProviderUpdate }) {
  const styles = useStyles();
  const { t, language } = useMessages();
  const { title, version, installedVersion, sizeBytes, classification } = update;
  const facts = [
    t(`classification.${classification}`),
    installedVersion === undefined
      ? version
      : t("home.fromTo", { from: installedVersion, to: version }),
    ...(sizeBytes === undefined ? [] : [bytes(sizeBytes, language)]),
  ];
  return (
    <>
      {title}
      <div className={styles.facts}>{facts.join(" · ")}</div>
    </>
  );
}
