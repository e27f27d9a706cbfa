/** “Why am I not getting it?”: one sentence, when it ends, who decides; then how it came to it. */
import {
  Badge,
  Button,
  Card,
  Field,
  Input,
  MessageBar,
  MessageBarBody,
  MessageBarTitle,
  makeStyles,
  tokens,
} from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import type { Explanation, TraceStep } from "../../../protocol/decisions.ts";
import { reportOf } from "../../kit/api.ts";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { moment } from "../../kit/format.ts";
import { Loading } from "../../kit/Loading.tsx";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { Title } from "../../kit/Title.tsx";
import { ask } from "../device.ts";

const useStyles = makeStyles({
  form: { display: "flex", flexWrap: "wrap", gap: "12px", alignItems: "end", margin: "16px 0" },
  part: { display: "grid", gap: "12px" },
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

export interface WhySearch {
  readonly product: string;
  readonly version: string;
}

export function Why() {
  const styles = useStyles();
  const { t } = useMessages();
  const search = useSearch({ from: "/why" });
  const navigate = useNavigate();
  const [product, setProduct] = useState(search.product);
  const [version, setVersion] = useState(search.version);
  const query = new URLSearchParams({
    product: search.product,
    ...(search.version === "" ? {} : { version: search.version }),
  });
  const why = useQuery({
    queryKey: ["why", search],
    queryFn: () => ask<Explanation>(`/api/why?${query}`),
    enabled: search.product !== "",
  });
  return (
    <>
      <Title text={t("page.why")} />
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          void navigate({ to: "/why", search: { product, version } });
        }}
      >
        <Field label={t("why.product")} required>
          <Input value={product} onChange={(_, { value }) => setProduct(value)} />
        </Field>
        <Field label={t("why.version")}>
          <Input value={version} onChange={(_, { value }) => setVersion(value)} />
        </Field>
        <Button type="submit" appearance="primary" disabled={product === ""}>
          {t("why.ask")}
        </Button>
      </form>
      <div className={styles.part}>
        {why.isFetching && why.data === undefined ? <Loading /> : null}
        {why.error === null ? null : <ErrorCard error={reportOf(why.error)} />}
        {why.data === undefined ? null : <Answer found={why.data} />}
      </div>
    </>
  );
}

function Answer({ found }: { found: Explanation }) {
  const styles = useStyles();
  const { t, language } = useMessages();
  const now = useNow();
  const facts = [
    ...(found.untilMs === undefined
      ? []
      : [t("why.until", { when: moment(found.untilMs, now, language) })]),
    ...(found.by === undefined ? [] : [t("why.by", { who: found.by })]),
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
          <h2 className={styles.heading}>{t("why.trace")}</h2>
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
        {t(`why.${step.answer}`)}
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
