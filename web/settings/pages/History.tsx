/** What was installed, undone and removed; with the reason, and a way back. */
import {
  Badge,
  Button,
  Card,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  DialogTrigger,
  makeStyles,
  tokens,
} from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import type { DeviceStatus } from "../../../protocol/orchestratorApi.ts";
import type { HistoryEntry, InstalledProduct } from "../../../protocol/updateServiceApi.ts";
import { reportOf } from "../../kit/api.ts";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { duration, moment } from "../../kit/format.ts";
import { Loading } from "../../kit/Loading.tsx";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { Title } from "../../kit/Title.tsx";
import { ask, useChange, useDevice } from "../device.ts";
import { statusOf } from "../home/state.ts";
import { WorkProgress } from "../home/WorkProgress.tsx";

const useStyles = makeStyles({
  part: { display: "grid", gap: "8px", marginTop: "16px" },
  heading: {
    margin: "18px 0 0",
    fontSize: tokens.fontSizeBase400,
    fontWeight: tokens.fontWeightSemibold,
  },
  row: { display: "flex", alignItems: "center", gap: "8px 16px", flexWrap: "wrap" },
  words: { flex: "1 1 260px", minWidth: 0 },
  title: { fontWeight: tokens.fontWeightSemibold, overflowWrap: "anywhere" },
  facts: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  buttons: { display: "flex", gap: "8px" },
  list: { listStyleType: "none", margin: 0, padding: 0, display: "grid", gap: "6px" },
});

export function History() {
  const styles = useStyles();
  const { t } = useMessages();
  const { live } = useDevice();
  const status = statusOf(live.value);
  const change = useChange();
  // What the device has tells when there is something new in its history.
  const version = status === undefined ? "" : JSON.stringify([status.products, status.updates]);
  const history = useQuery({
    queryKey: ["history", version],
    queryFn: () => ask<{ entries: HistoryEntry[] }>("/api/history?limit=200"),
    placeholderData: (before) => before,
  });
  return (
    <>
      <Title text={t("page.history")} />
      <div className={styles.part}>
        {change.error === null ? null : <ErrorCard error={reportOf(change.error)} />}
        {status?.running === undefined ? null : <WorkProgress change={status.running} />}
        <h2 className={styles.heading}>{t("history.installed")}</h2>
        {status === undefined ? null : <Products status={status} change={change} />}
        <h2 className={styles.heading}>{t("history.past")}</h2>
        {history.isPending ? <Loading /> : null}
        {history.error === null ? null : <ErrorCard error={reportOf(history.error)} />}
        {history.data?.entries.length === 0 ? <Card>{t("history.none")}</Card> : null}
        <ul className={styles.list} data-testid="history">
          {history.data?.entries.map((entry) => (
            <li key={entry.id}>
              <Entry entry={entry} />
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}

type ChangeCall = ReturnType<typeof useChange>;

function Products({ status, change }: { status: DeviceStatus; change: ChangeCall }) {
  const styles = useStyles();
  const { t } = useMessages();
  const installed = status.products.filter((one) => one.current !== undefined);
  if (installed.length === 0) return <Card>{t("history.nothingInstalled")}</Card>;
  return (
    <ul className={styles.list} data-testid="installed">
      {installed.map((one) => (
        <li key={one.product}>
          <Product product={one} change={change} busy={status.running !== undefined} />
        </li>
      ))}
    </ul>
  );
}

function Product(props: { product: InstalledProduct; change: ChangeCall; busy: boolean }) {
  const styles = useStyles();
  const { t, language } = useMessages();
  const now = useNow();
  const { session } = useDevice();
  const { product, current, previous, rollbackUntilMs, channel } = props.product;
  const disabled = props.busy || props.change.isPending || !session.may.change;
  const back =
    previous === undefined
      ? t("history.noWayBack")
      : rollbackUntilMs === undefined
        ? t("history.wayBack", { version: previous })
        : t("history.wayBackUntil", {
            version: previous,
            when: moment(rollbackUntilMs, now, language),
          });
  return (
    <Card>
      <div className={styles.row}>
        <div className={styles.words}>
          <div className={styles.title}>
            {product} {current}
          </div>
          <div className={styles.facts}>
            {t("history.channel", { channel })} · {back}
          </div>
        </div>
        <div className={styles.buttons}>
          {previous === undefined ? null : (
            <Confirm
              label={t("history.undo")}
              name={t("history.undoOf", { product, version: previous })}
              question={t("history.undoSure", { product, version: previous })}
              disabled={disabled}
              act={() => props.change.mutate({ kind: "rollback", product })}
            />
          )}
          <Confirm
            label={t("history.uninstall")}
            name={t("history.uninstallOf", { product })}
            question={t("history.uninstallSure", { product })}
            disabled={disabled}
            act={() => props.change.mutate({ kind: "uninstall", product })}
          />
        </div>
      </div>
    </Card>
  );
}

function Confirm(props: {
  label: string;
  /** For screen readers, to whom many buttons of one name say nothing. */
  name: string;
  question: string;
  disabled: boolean;
  act: () => void;
}) {
  const { t } = useMessages();
  return (
    <Dialog>
      <DialogTrigger disableButtonEnhancement>
        <Button size="small" disabled={props.disabled} aria-label={props.name}>
          {props.label}
        </Button>
      </DialogTrigger>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{props.name}</DialogTitle>
          <DialogContent>{props.question}</DialogContent>
          <DialogActions>
            <DialogTrigger disableButtonEnhancement>
              <Button>{t("cancel")}</Button>
            </DialogTrigger>
            <DialogTrigger disableButtonEnhancement>
              <Button appearance="primary" onClick={props.act}>
                {props.label}
              </Button>
            </DialogTrigger>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

const COLOURS = { succeeded: "success", failed: "danger", "rolled-back": "warning" } as const;

function Entry({ entry }: { entry: HistoryEntry }) {
  const styles = useStyles();
  const { t, language } = useMessages();
  const now = useNow();
  const { fromVersion, toVersion, product } = entry;
  const versions =
    fromVersion !== undefined && toVersion !== undefined
      ? t("home.fromTo", { from: fromVersion, to: toVersion })
      : (toVersion ?? fromVersion ?? "");
  return (
    <Card data-testid="history-entry" data-result={entry.result}>
      <div className={styles.row}>
        <div className={styles.words}>
          <div className={styles.title}>{entry.title}</div>
          <div className={styles.facts}>
            {t(`operation.${entry.operation}`)} · {product} {versions} ·{" "}
            {moment(entry.endedMs, now, language)} ·{" "}
            {t("history.took", { time: duration(entry.endedMs - entry.startedMs, language) })}
          </div>
        </div>
        <Badge appearance="tint" color={COLOURS[entry.result]}>
          {t(`result.${entry.result}`)}
        </Badge>
      </div>
      {entry.error === undefined ? null : (
        <ErrorCard error={entry.error} intent={entry.result === "failed" ? "error" : "warning"} />
      )}
    </Card>
  );
}
