/** Every decision and event that a device has reported, newest first. */
import { Badge, Button, makeStyles, tokens } from "@fluentui/react-components";
import { useState } from "react";
import type { TimelinePage } from "../../../protocol/admin/fleet.ts";
import type { DeviceEvent } from "../../../protocol/deviceApi.ts";
import { Empty } from "../../kit/Empty.tsx";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { useMessages } from "../../kit/language.ts";
import { Asked } from "../parts/Asked.tsx";
import { useLayout } from "../parts/layout.ts";
import { queryText, useServer } from "../server.ts";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: 0, display: "grid", gap: "2px" },
  event: {
    display: "grid",
    gridTemplateColumns: "210px minmax(0, 1fr)",
    gap: "4px 16px",
    padding: "8px 14px",
    backgroundColor: tokens.colorNeutralBackground1,
    "@media (max-width: 720px)": { gridTemplateColumns: "minmax(0, 1fr)" },
  },
  time: { color: tokens.colorNeutralForeground2, fontVariantNumeric: "tabular-nums" },
  what: { display: "grid", gap: "6px", minWidth: 0 },
});

const PAGE = 50;
/** A clock that differs by more is worth a word: it decides when things happen. */
const CLOCK_OFF_MS = 10 * 60_000;

export function Timeline({ id }: { id: string }) {
  const styles = useStyles();
  const layout = useLayout();
  const { t } = useMessages();
  const [starts, setStarts] = useState<readonly (string | undefined)[]>([undefined]);
  const timeline = useServer<TimelinePage>(
    `devices/${encodeURIComponent(id)}/timeline${queryText({ before: starts.at(-1), limit: PAGE })}`,
    ["devices"],
    { keep: true },
  );
  return (
    <Asked query={timeline}>
      {({ events, next }) =>
        events.length === 0 && starts.length === 1 ? (
          <Empty title={t("device.noEvents")} />
        ) : (
          <>
            <ol className={styles.list} aria-label={t("deviceTab.timeline")}>
              {events.map(({ event, receivedMs }) => (
                <Event key={event.id} event={event} receivedMs={receivedMs} />
              ))}
            </ol>
            <div className={layout.row}>
              <Button disabled={starts.length === 1} onClick={() => setStarts(starts.slice(0, -1))}>
                {t("pages.newer")}
              </Button>
              <Button
                disabled={next === undefined || timeline.isPlaceholderData}
                onClick={() => setStarts([...starts, next])}
              >
                {t("pages.older")}
              </Button>
            </div>
          </>
        )
      }
    </Asked>
  );
}

function Event({ event, receivedMs }: { event: DeviceEvent; receivedMs: number }) {
  const styles = useStyles();
  const layout = useLayout();
  const { t, language } = useMessages();
  const time = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  const error = event.kind === "decision" ? undefined : event.error;
  return (
    <li className={styles.event} data-testid="event" data-kind={event.kind}>
      <time className={styles.time} dateTime={new Date(event.atMs).toISOString()}>
        {time.format(event.atMs)}
      </time>
      <div className={styles.what}>
        <div className={layout.row}>
          <Badge appearance="tint" color={error === undefined ? "informative" : "danger"}>
            {nameOf(event, t)}
          </Badge>
          {event.kind === "update-state" ? (
            <span>
              {event.product} {event.version}
            </span>
          ) : null}
          {event.kind === "decision" ? <span>{event.summary}</span> : null}
          {event.atMs - receivedMs > CLOCK_OFF_MS ? (
            <span className={layout.quiet}>{t("device.clock")}</span>
          ) : null}
        </div>
        {error === undefined ? null : <ErrorCard error={error} />}
      </div>
    </li>
  );
}

function nameOf(event: DeviceEvent, t: ReturnType<typeof useMessages>["t"]): string {
  if (event.kind === "decision") return t("device.decided");
  return event.kind === "check" ? t(`check.${event.outcome}`) : t(`updateState.${event.state}`);
}
