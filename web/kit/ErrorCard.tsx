/** An error that a person can act on: what, why, what to do, and the code to name to others. */
import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  MessageBarTitle,
  makeStyles,
} from "@fluentui/react-components";
import { type ReactNode, useState } from "react";
import type { ErrorReport } from "../../protocol/errors/error.ts";
import { useErrorText } from "./errorTexts.ts";
import { useMessages } from "./language.ts";

const useStyles = makeStyles({
  facts: { margin: "8px 0 0", display: "grid", gridTemplateColumns: "auto 1fr", gap: "2px 12px" },
  value: { margin: 0, overflowWrap: "anywhere", whiteSpace: "pre-wrap" },
  body: { paddingBlock: "10px" },
});

export interface ErrorCardProps {
  readonly error: ErrorReport;
  /** What failed, when the error itself does not say it plainly enough. */
  readonly title?: string;
  readonly intent?: "error" | "warning";
  /** Buttons: try again, run the troubleshooter. */
  readonly children?: ReactNode;
}

export function ErrorCard({ error, title, intent = "error", children }: ErrorCardProps) {
  const styles = useStyles();
  const { t } = useMessages();
  const [open, setOpen] = useState(false);
  const { text, remedy, causes, lang } = useErrorText(error);
  const facts: [string, string][] = [
    [t("error.object"), error.object],
    ...(error.detail === undefined ? [] : [[t("error.detail"), error.detail] as [string, string]]),
    ...error.causes.map((cause): [string, string] => [t("error.cause"), cause]),
    ...(error.nativeCode === undefined
      ? []
      : [[t("error.native"), String(error.nativeCode)] as [string, string]]),
    [t("error.stage"), t(`stage.${error.stage}`)],
  ];
  return (
    <MessageBar intent={intent} layout="multiline" data-testid="error" data-code={error.code}>
      <MessageBarBody className={styles.body}>
        <MessageBarTitle>{title ?? <span lang={lang}>{text}.</span>}</MessageBarTitle>
        {title === undefined ? null : <div lang={lang}>{text}.</div>}
        <div>
          <strong>{t("error.remedy")}</strong> <span lang={lang}>{withoutQuotes(remedy)}.</span>
        </div>
        <div>
          <strong>{t("error.code")}</strong> <code>{error.code}</code>
        </div>
        {open ? (
          <dl className={styles.facts}>
            {facts.map(([name, value]) => (
              <Fact key={`${name} ${value}`} name={name} value={value} className={styles.value} />
            ))}
            {causes.length === 0 ? null : (
              <>
                <dt>{t("error.usual")}</dt>
                <dd className={styles.value} lang={lang}>
                  {causes.map(withoutQuotes).join("\n")}
                </dd>
              </>
            )}
          </dl>
        ) : null}
      </MessageBarBody>
      <MessageBarActions>
        {children}
        <Button size="small" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? t("error.less") : t("error.more")}
        </Button>
        <Button size="small" onClick={() => void copy(error)}>
          {t("error.copy")}
        </Button>
      </MessageBarActions>
    </MessageBar>
  );
}

function Fact(props: { name: string; value: string; className: string }) {
  return (
    <>
      <dt>{props.name}</dt>
      <dd className={props.className}>{props.value}</dd>
    </>
  );
}

const copy = (error: ErrorReport): Promise<void> =>
  navigator.clipboard.writeText(JSON.stringify(error, undefined, 2));

/** The catalogue marks commands as in Markdown. */
const withoutQuotes = (text: string): string => text.replaceAll("`", "");
