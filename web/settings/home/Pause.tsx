/** Pausing updates until a date, and going on. */
import { Button, Card, Field, Input, makeStyles, tokens } from "@fluentui/react-components";
import { PauseRegular } from "@fluentui/react-icons";
import { useState } from "react";
import type { DeviceStatus } from "../../../protocol/orchestratorApi.ts";
import { reportOf } from "../../kit/api.ts";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { isManaged, useDevice, useSettingsChange } from "../device.ts";
import { localDay } from "./times.ts";

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** `PAUSE_MAX_DAYS` of `protocol/settings.ts`, less a day: a picked day lasts to its end. */
const LONGEST_MS = 34 * DAY_MS;

const useStyles = makeStyles({
  row: { display: "flex", flexWrap: "wrap", gap: "8px 16px", alignItems: "center" },
  icon: { fontSize: "20px", display: "flex" },
  words: { flex: "1 1 220px" },
  more: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  buttons: { display: "flex", flexWrap: "wrap", gap: "8px", alignItems: "end" },
});

/** `pause`: until when, or null to go on. */
export function PauseButton(props: { label: string; pause: number | null; small?: boolean }) {
  const { session } = useDevice();
  const change = useSettingsChange();
  const pauseUntil = (untilMs: number) => ({
    setAt: new Date().toISOString(),
    until: new Date(untilMs).toISOString(),
  });
  return (
    <>
      <Button
        appearance={props.small ? "secondary" : "primary"}
        size={props.small ? "medium" : "large"}
        disabled={change.isPending || !session.may.change}
        onClick={() =>
          change.mutate(
            props.pause === null
              ? { unset: ["pause"] }
              : { set: { pause: pauseUntil(props.pause) } },
          )
        }
      >
        {props.label}
      </Button>
      {change.error === null ? null : <ErrorCard error={reportOf(change.error)} />}
    </>
  );
}

export function Pause({ status }: { status: DeviceStatus }) {
  const styles = useStyles();
  const { t, language } = useMessages();
  const now = useNow();
  const { session } = useDevice();
  const [day, setDay] = useState("");
  const { paused } = status;
  const base = Math.max(now, paused?.untilMs ?? 0);
  const managed = isManaged(paused?.setBy);
  const extended = Math.min(base + WEEK_MS, now + LONGEST_MS);
  return (
    <Card data-testid="pause">
      <div className={styles.row}>
        <span className={styles.icon} aria-hidden>
          <PauseRegular />
        </span>
        <span className={styles.words}>
          {t("pause.title")}
          <br />
          <span className={styles.more}>
            {paused === undefined
              ? t("pause.how")
              : t(managed ? "pause.byAdministrator" : "pause.until", {
                  when: moment(paused.untilMs, now, language),
                })}
          </span>
        </span>
        {managed || !session.may.change ? null : (
          <span className={styles.buttons}>
            <PauseButton
              small
              label={t(paused === undefined ? "pause.week" : "pause.extend")}
              pause={extended}
            />
            <Field label={t("pause.day")} size="small">
              <Input
                type="date"
                size="small"
                value={day}
                min={localDay(now + DAY_MS)}
                max={localDay(now + LONGEST_MS)}
                onChange={(_, { value }) => setDay(value)}
              />
            </Field>
            {day === "" ? null : (
              <PauseButton
                small
                label={t("pause.set")}
                pause={new Date(`${day}T23:59`).getTime()}
              />
            )}
          </span>
        )}
      </div>
    </Card>
  );
}
