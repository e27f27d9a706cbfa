/** The logs of the services, newest first, in words. */
import {
  Badge,
  Button,
  Field,
  Input,
  makeStyles,
  Select,
  Switch,
  tokens,
} from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import type { ServiceName } from "../../../protocol/servicesApi.ts";
import { reportOf } from "../../kit/api.ts";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { Loading } from "../../kit/Loading.tsx";
import { useMessages } from "../../kit/language.ts";
import { Title } from "../../kit/Title.tsx";
import { ask } from "../device.ts";
import { LOG_SERVICES, logLines } from "./logLines.ts";

const useStyles = makeStyles({
  tools: { display: "flex", flexWrap: "wrap", gap: "12px", alignItems: "end", margin: "16px 0" },
  list: {
    listStyleType: "none",
    margin: 0,
    padding: "4px 0",
    backgroundColor: tokens.colorNeutralBackground1,
    borderRadius: tokens.borderRadiusMedium,
    boxShadow: tokens.shadow2,
  },
  line: {
    display: "grid",
    gridTemplateColumns: "180px 80px minmax(0, 1fr)",
    gap: "4px 12px",
    padding: "6px 14px",
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
    "@media (max-width: 720px)": { gridTemplateColumns: "1fr auto" },
  },
  time: { color: tokens.colorNeutralForeground2, fontVariantNumeric: "tabular-nums" },
  text: { overflowWrap: "anywhere", "@media (max-width: 720px)": { gridColumn: "1 / -1" } },
  more: {
    whiteSpace: "pre-wrap",
    color: tokens.colorNeutralForeground2,
    fontSize: tokens.fontSizeBase200,
  },
});

const COLOURS = {
  debug: "informative",
  info: "informative",
  warning: "warning",
  error: "danger",
} as const;
const REFRESH_MS = 3_000;

export function Logs() {
  const styles = useStyles();
  const { t, language } = useMessages();
  const { service } = useSearch({ from: "/logs" });
  const navigate = useNavigate();
  const [problems, setProblems] = useState(false);
  const [filter, setFilter] = useState("");
  const logs = useQuery({
    queryKey: ["logs", service],
    queryFn: () => ask<{ lines: string[] }>(`/api/services/${service}/logs?lines=500`),
    refetchInterval: REFRESH_MS,
  });
  const wanted = filter.toLowerCase();
  const lines = logLines(logs.data?.lines ?? [])
    .toReversed()
    .filter(({ level }) => !problems || level === "warning" || level === "error")
    .filter(({ text, more }) => `${text} ${more ?? ""}`.toLowerCase().includes(wanted));
  const time = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "medium" });
  return (
    <>
      <Title text={t("page.logs")} />
      <div className={styles.tools}>
        <Field label={t("logs.service")}>
          <Select
            value={service}
            onChange={(_, { value }) =>
              void navigate({ to: "/logs", search: { service: value as ServiceName } })
            }
          >
            {LOG_SERVICES.map((name) => (
              <option key={name} value={name}>
                {t(`serviceName.${name}`)}
              </option>
            ))}
          </Select>
        </Field>
        <Field label={t("logs.filter")}>
          <Input value={filter} onChange={(_, { value }) => setFilter(value)} />
        </Field>
        <Switch
          label={t("logs.problems")}
          checked={problems}
          onChange={(_, { checked }) => setProblems(checked)}
        />
        <Button onClick={() => save(service, logs.data?.lines ?? [])}>{t("logs.save")}</Button>
      </div>
      {logs.isPending ? <Loading /> : null}
      {logs.error === null ? null : <ErrorCard error={reportOf(logs.error)} />}
      {logs.data === undefined ? null : (
        <ul className={styles.list} aria-label={t("page.logs")} data-testid="log">
          {lines.length === 0 ? <li className={styles.line}>{t("logs.none")}</li> : null}
          {lines.map((line) => (
            <li key={line.key} className={styles.line}>
              <span className={styles.time}>
                {line.atMs === undefined ? "" : time.format(line.atMs)}
              </span>
              <span>
                <Badge appearance="tint" size="small" color={COLOURS[line.level]}>
                  {t(`level.${line.level}`)}
                </Badge>
              </span>
              <span className={styles.text} lang="en">
                {line.text}
                {line.more === undefined ? null : <div className={styles.more}>{line.more}</div>}
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** As the service wrote them, for those who want to search them with their own tools. */
function save(service: string, lines: readonly string[]): void {
  const url = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `upbeat-${service}.log`;
  link.click();
  URL.revokeObjectURL(url);
}
