/** Why an update is offered or not: one sentence, when it ends, who decides; then how it came to it. */
import {
  Badge,
  Card,
  MessageBar,
  MessageBarBody,
  MessageBarTitle,
  makeStyles,
  tokens,
} from "@fluentui/react-components";
import type { Explanation, TraceStep } from "../../protocol/decisions.ts";
import { ErrorCard } from "./ErrorCard.tsx";
import { moment } from "./format.ts";
import { useMessages } from "./language.ts";
import { useNow } from "./now.ts";

const useStyles = makeStyles({
  heading: {
    margin: "10px 0 0",
    fontSize: tokens.fontSizeBase400,
    fontWeight: tokens.fontWeightSemibold,
  },
  trace: { listStyleType: "none", margin: 0, padding: 0, display: "grid", gap: "8px" },
  inner: {
    listStyleType: "none",
    margin: "8px 0 0",
    paddingLeft: "24px",
    display: "grid",
    gap: "8px",
  },
  because: { color: tokens.colorNeutralForeground2, overflowWrap: "anywhere" },
});

const COLOURS = { passed: "success", stopped: "danger", noted: "informative" } as const;

export function ExplanationView({ found }: { found: Explanation }) {
  const styles = useStyles();
  const { t, language } = useMessages();
  const now = useNow();
  const facts = [
    ...(found.untilMs === undefined
      ? []
      : [t("explanation.until", { when: moment(found.untilMs, now, language) })]),
    ...(found.by === undefined ? [] : [t("explanation.by", { who: found.by })]),
  ];
  return (
    <>
      <MessageBar
        intent={found.outcome === "offered" ? "success" : "info"}
        layout="multiline"
        data-testid="why"
      >
        <MessageBarBody>
          <MessageBarTitle lang="en">{found.sentence}</MessageBarTitle>
          {facts.join(" ")}
          {found.waiting.map((one) => (
            <div key={one.sentence} lang="en">
              {one.sentence}
            </div>
          ))}
        </MessageBarBody>
      </MessageBar>
      {found.lastError === undefined ? null : <ErrorCard error={found.lastError} />}
      {found.trace.length === 0 ? null : (
        <>
          <h2 className={styles.heading}>{t("explanation.trace")}</h2>
          <Card>
            <ul className={styles.trace}>
              {found.trace.map((step) => (
                <Step key={step.question} step={step} />
              ))}
            </ul>
          </Card>
        </>
      )}
    </>
  );
}

function Step({ step }: { step: TraceStep }) {
  const styles = useStyles();
  const { t } = useMessages();
  return (
    <li>
      <Badge appearance="tint" color={COLOURS[step.answer]}>
        {t(`explanation.${step.answer}`)}
      </Badge>{" "}
      <span lang="en">
        {step.question} <span className={styles.because}>{step.because}</span>
      </span>
      {step.parts === undefined || step.parts.length === 0 ? null : (
        <ul className={styles.inner}>
          {step.parts.map((part) => (
            <Step key={`${part.question} ${part.because}`} step={part} />
          ))}
        </ul>
      )}
    </li>
  );
}
