/** The troubleshooter, check by check; then what was found, repaired, proved, and the way back. */
import {
  Badge,
  Button,
  Card,
  MessageBar,
  MessageBarBody,
  MessageBarTitle,
  makeStyles,
  Switch,
  tokens,
} from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { TroubleshootRun } from "../../../protocol/settingsPageApi.ts";
import type { Diagnosis, Finding } from "../../../protocol/troubleshooting/diagnosis.ts";
import { reportOf } from "../../kit/api.ts";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { useMessages } from "../../kit/language.ts";
import { Progress } from "../../kit/Progress.tsx";
import { Title } from "../../kit/Title.tsx";
import { ask, tell, useDevice } from "../device.ts";

const LOOK_AGAIN_MS = 400;

const useStyles = makeStyles({
  tools: { display: "flex", flexWrap: "wrap", gap: "16px", alignItems: "center", margin: "16px 0" },
  part: { display: "grid", gap: "10px" },
  heading: {
    margin: "14px 0 0",
    fontSize: tokens.fontSizeBase400,
    fontWeight: tokens.fontWeightSemibold,
  },
  list: { listStyleType: "none", margin: 0, padding: 0, display: "grid", gap: "6px" },
  check: { display: "grid", gridTemplateColumns: "130px minmax(0, 1fr)", gap: "8px" },
  more: { color: tokens.colorNeutralForeground2, overflowWrap: "anywhere", whiteSpace: "pre-wrap" },
  body: { paddingBlock: "8px" },
});

export function Troubleshoot() {
  const styles = useStyles();
  const { t } = useMessages();
  const { session } = useDevice();
  const queries = useQueryClient();
  const [repair, setRepair] = useState(false);
  const run = useQuery({
    queryKey: ["troubleshoot"],
    queryFn: () => ask<TroubleshootRun>("/api/troubleshoot"),
    refetchInterval: ({ state }) => (state.data?.state === "running" ? LOOK_AGAIN_MS : false),
  });
  const act = useMutation({
    mutationFn: (what: "run" | "undo") =>
      what === "run"
        ? tell<TroubleshootRun>("/api/troubleshoot", { repair })
        : tell<TroubleshootRun>("/api/troubleshoot/undo"),
    onSuccess: (now) => queries.setQueryData(["troubleshoot"], now),
  });
  const refused = act.error ?? run.error;
  const isRunning = run.data?.state === "running";
  const changed = run.data?.diagnosis?.findings.some((one) => one.repair?.changed.length) ?? false;
  return (
    <>
      <Title text={t("page.troubleshoot")} />
      <div className={styles.tools}>
        <Button
          appearance="primary"
          size="large"
          disabled={isRunning || act.isPending || !session.may.change}
          onClick={() => act.mutate("run")}
        >
          {t(repair ? "trouble.repair" : "trouble.look")}
        </Button>
        <Switch
          label={t("trouble.mayRepair")}
          checked={repair}
          disabled={isRunning || !session.may.administer}
          onChange={(_, { checked }) => setRepair(checked)}
        />
        {changed && session.may.administer ? (
          <Button disabled={isRunning || act.isPending} onClick={() => act.mutate("undo")}>
            {t("trouble.undo")}
          </Button>
        ) : null}
      </div>
      <div className={styles.part}>
        {refused === null ? null : <ErrorCard error={reportOf(refused)} />}
        {run.data === undefined ? null : <Run run={run.data} />}
      </div>
    </>
  );
}

function Run({ run }: { run: TroubleshootRun }) {
  const styles = useStyles();
  const { t } = useMessages();
  if (run.state === "idle") return <Card>{t("trouble.idle")}</Card>;
  return (
    <>
      {run.state === "running" ? (
        <Card>
          <Progress fraction={undefined} step={run.doing ?? t("trouble.looking")} />
        </Card>
      ) : null}
      {run.error === undefined ? null : <ErrorCard error={run.error} />}
      {run.undone.length === 0 ? null : (
        <MessageBar intent="info" layout="multiline" data-testid="undone">
          <MessageBarBody className={styles.more} lang="en">
            {run.undone.join("\n")}
          </MessageBarBody>
        </MessageBar>
      )}
      {run.diagnosis === undefined ? null : <Result diagnosis={run.diagnosis} />}
      <h2 className={styles.heading}>{t("trouble.checks", { count: run.checks.length })}</h2>
      <Card>
        <ul className={styles.list} data-testid="checks">
          {run.checks.map((check) => (
            <li key={check.id} className={styles.check}>
              <span>
                <Badge appearance="tint" color={OUTCOME_COLOURS[check.outcome]}>
                  {t(`trouble.outcome.${check.outcome}`)}
                </Badge>
              </span>
              <span lang="en">
                {check.title}
                {check.because === undefined ? null : (
                  <span className={styles.more}> – {check.because}</span>
                )}
              </span>
            </li>
          ))}
        </ul>
      </Card>
    </>
  );
}

const OUTCOME_COLOURS = {
  fine: "success",
  found: "danger",
  "not-applicable": "informative",
  unknown: "warning",
} as const;

function Result({ diagnosis }: { diagnosis: Diagnosis }) {
  const styles = useStyles();
  const { t } = useMessages();
  const { findings, finalCheck } = diagnosis;
  return (
    <>
      <h2 className={styles.heading} data-testid="diagnosis">
        {findings.length === 0
          ? t("trouble.nothing")
          : t("trouble.found", { count: findings.length })}
      </h2>
      {findings.map((finding) => (
        <Found key={`${finding.cause} ${finding.object}`} finding={finding} />
      ))}
      {finalCheck === undefined ? null : (
        <MessageBar
          intent={finalCheck.outcome === "worked" ? "success" : "warning"}
          layout="multiline"
        >
          <MessageBarBody lang="en">{finalCheck.says}</MessageBarBody>
        </MessageBar>
      )}
    </>
  );
}

function Found({ finding }: { finding: Finding }) {
  const styles = useStyles();
  const { t } = useMessages();
  const { repair } = finding;
  const intent =
    repair?.state === "repaired"
      ? "success"
      : finding.severity === "problem"
        ? "error"
        : finding.severity === "warning"
          ? "warning"
          : "info";
  return (
    <MessageBar intent={intent} layout="multiline" data-testid="finding" data-cause={finding.cause}>
      <MessageBarBody className={styles.body} lang="en">
        <MessageBarTitle>{finding.title}</MessageBarTitle>
        <div className={styles.more}>{[finding.object, ...finding.evidence].join("\n")}</div>
        {finding.consequences.map((one) => (
          <div key={`${one.cause} ${one.object}`} className={styles.more}>
            {t("trouble.because")} {one.title}
          </div>
        ))}
        {repair === undefined ? (
          <div>
            <strong>{t("error.remedy")}</strong> {finding.remedy.replaceAll("`", "")}
            {finding.canRepair === undefined ? null : (
              <div>
                <strong>{t("trouble.can")}</strong> {finding.canRepair}
              </div>
            )}
          </div>
        ) : (
          <>
            <div>
              <strong>{t(`trouble.state.${repair.state}`)}</strong>
            </div>
            <div className={styles.more}>{repair.changed.join("\n")}</div>
            <div>{repair.proof}</div>
          </>
        )}
      </MessageBarBody>
    </MessageBar>
  );
}
