/** The updates that wait, each with what it is, what it costs and what it changes. */
import {
  Accordion,
  AccordionHeader,
  AccordionItem,
  AccordionPanel,
  Badge,
  Button,
  Card,
  makeStyles,
  tokens,
} from "@fluentui/react-components";
import type { DeviceStatus, Offer } from "../../../protocol/orchestratorApi.ts";
import { bytes, duration } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useChange, useDevice } from "../device.ts";
import { stateOf } from "./state.ts";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: "0 0 8px", padding: 0, display: "grid", gap: "6px" },
  card: { gap: "4px" },
  top: { display: "flex", alignItems: "center", gap: "8px 16px", flexWrap: "wrap" },
  words: { flex: "1 1 260px", minWidth: 0 },
  title: { fontWeight: tokens.fontWeightSemibold, overflowWrap: "anywhere" },
  facts: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  badges: { display: "flex", gap: "6px", flexWrap: "wrap" },
  notes: {
    whiteSpace: "pre-wrap",
    overflowWrap: "anywhere",
    maxHeight: "320px",
    overflowY: "auto",
  },
});

const IDLE: readonly string[] = ["offered", "downloaded", "failed"];

export function UpdateList(props: {
  readonly status: DeviceStatus;
  readonly offers: readonly Offer[];
}) {
  const styles = useStyles();
  return (
    <ul className={styles.list}>
      {props.offers.map((offer) => (
        <li key={offer.update.manifestSha256}>
          <UpdateRow offer={offer} status={props.status} />
        </li>
      ))}
    </ul>
  );
}

function UpdateRow({ offer, status }: { offer: Offer; status: DeviceStatus }) {
  const styles = useStyles();
  const { t, language } = useMessages();
  const { session } = useDevice();
  const change = useChange();
  const { product, version } = offer.update;
  const state = stateOf(status, offer);
  const fromTo = offer.installedVersion
    ? t("home.fromTo", { from: offer.installedVersion, to: version })
    : version;
  const facts = [
    `${product} ${fromTo}`,
    bytes(offer.sizeBytes, language),
    t(`restart.${offer.restart}`),
    ...(offer.forecast === undefined
      ? []
      : [
          t("home.forecast", {
            whole: duration(offer.forecast.installMs, language),
            away: duration(offer.forecast.downtimeMs, language),
          }),
        ]),
  ];
  const waiting = status.waiting
    .filter((one) => one.update.manifestSha256 === offer.update.manifestSha256)
    .flatMap((one) => one.waiting);
  return (
    <Card className={styles.card} data-testid="update" data-product={product}>
      <div className={styles.top}>
        <div className={styles.words}>
          <div className={styles.title}>{offer.title}</div>
          <div className={styles.facts}>{facts.join(" · ")}</div>
          {waiting.map(({ sentence }) => (
            <div key={sentence} className={styles.facts} lang="en" data-testid="waits-for">
              {sentence}
            </div>
          ))}
        </div>
        <div className={styles.badges}>
          <Badge appearance="tint" color={offer.classification === "security" ? "danger" : "brand"}>
            {t(`classification.${offer.classification}`)}
          </Badge>
          {offer.severity === "unspecified" ? null : (
            <Badge appearance="outline" color="important">
              {t(`severity.${offer.severity}`)}
            </Badge>
          )}
          <Badge appearance="ghost" color="informative" data-testid="update-state">
            {t(`updateState.${state}`)}
          </Badge>
        </div>
        {status.running === undefined && IDLE.includes(state) ? (
          <Button
            size="small"
            disabled={!session.may.change || change.isPending}
            onClick={() => change.mutate({ kind: "install", product })}
            aria-label={t("home.installOne", { title: offer.title })}
          >
            {t("home.install")}
          </Button>
        ) : null}
      </div>
      {offer.releaseNotes === "" ? null : (
        <Accordion collapsible>
          <AccordionItem value="notes">
            <AccordionHeader size="small">{t("home.notes")}</AccordionHeader>
            <AccordionPanel>
              <div className={styles.notes}>{offer.releaseNotes}</div>
            </AccordionPanel>
          </AccordionItem>
        </Accordion>
      )}
    </Card>
  );
}
