/** The one restart that is pending: when, until when, who objects, and what one may choose. */
import { Button, Card, Field, Input, makeStyles, tokens } from "@fluentui/react-components";
import { useState } from "react";
import type { RestartPlan } from "../../../protocol/decisions.ts";
import type { DeviceStatus } from "../../../protocol/orchestratorApi.ts";
import { reportOf } from "../../kit/api.ts";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { useDevice, useRestart } from "../device.ts";
import { localInput, tonightMs } from "./times.ts";

const useStyles = makeStyles({
  title: { fontWeight: tokens.fontWeightSemibold },
  list: { margin: 0, paddingLeft: "20px" },
  row: { display: "flex", flexWrap: "wrap", gap: "8px", alignItems: "end" },
});

export function RestartCard({ plan, status }: { plan: RestartPlan; status: DeviceStatus }) {
  const styles = useStyles();
  const { t, language } = useMessages();
  const { session } = useDevice();
  const now = useNow();
  const restart = useRestart();
  const [picked, setPicked] = useState("");
  const disabled = restart.isPending || !session.may.change;
  const when =
    plan.atMs === undefined
      ? t("restartCard.nobodyKnows")
      : t(`restartCard.at.${plan.mode}`, { when: moment(plan.atMs, now, language) });
  const latest =
    plan.deadlineMs === undefined
      ? t("restartCard.never")
      : t("restartCard.deadline", { when: moment(plan.deadlineMs, now, language) });
  const tonight = tonightMs(now);
  // Who objects is named below, with the time until when.
  const waiting = plan.waiting.filter(({ reason }) => reason !== "inhibitor");
  return (
    <Card data-testid="restart" data-mode={plan.mode}>
      <div className={styles.title}>{when}</div>
      <div>
        {latest} {t("restartCard.save")}
      </div>
      {waiting.length === 0 && status.inhibitors.length === 0 ? null : (
        <ul className={styles.list}>
          {waiting.map((one) => (
            <li key={one.sentence} lang="en">
              {one.sentence}
            </li>
          ))}
          {status.inhibitors.map((one) => (
            <li key={one.id}>
              {t("restartCard.objects", { who: one.who, why: one.why })}
              {one.untilMs === undefined
                ? ""
                : ` ${t("home.until", { when: moment(one.untilMs, now, language) })}`}
            </li>
          ))}
        </ul>
      )}
      <div className={styles.row}>
        <Button
          disabled={disabled || (plan.deadlineMs !== undefined && tonight > plan.deadlineMs)}
          onClick={() => restart.mutate({ when: "at", atMs: tonight })}
        >
          {t("restartCard.tonight")}
        </Button>
        <Field label={t("restartCard.pick")}>
          <Input
            type="datetime-local"
            value={picked}
            min={localInput(now)}
            {...(plan.deadlineMs === undefined ? {} : { max: localInput(plan.deadlineMs) })}
            onChange={(_, { value }) => setPicked(value)}
          />
        </Field>
        <Button
          disabled={disabled || picked === ""}
          onClick={() => restart.mutate({ when: "at", atMs: new Date(picked).getTime() })}
        >
          {t("restartCard.choose")}
        </Button>
        {plan.mode === "chosen" ? (
          <Button disabled={disabled} onClick={() => restart.mutate({ when: "automatic" })}>
            {t("restartCard.automatic")}
          </Button>
        ) : null}
      </div>
      {restart.error === null ? null : <ErrorCard error={reportOf(restart.error)} />}
      {status.restartError === undefined ? null : <ErrorCard error={status.restartError} />}
    </Card>
  );
}
