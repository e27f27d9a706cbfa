/** A command to run elsewhere, whole and ready to be copied. */
import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { CheckmarkRegular, CopyRegular } from "@fluentui/react-icons";
import { useState } from "react";
import { useMessages } from "./language.ts";

const useStyles = makeStyles({
  frame: {
    display: "flex",
    alignItems: "flex-start",
    gap: "8px",
    flexWrap: "wrap",
    padding: "8px 8px 8px 12px",
    backgroundColor: tokens.colorNeutralBackground3,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
  },
  text: {
    flex: "1 1 240px",
    minWidth: 0,
    margin: "5px 0",
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase300,
    color: tokens.colorNeutralForeground1,
    whiteSpace: "pre-wrap",
    overflowWrap: "anywhere",
  },
});

export function Command({ text, label }: { readonly text: string; readonly label: string }) {
  const styles = useStyles();
  const { t } = useMessages();
  const [copied, setCopied] = useState<string>();
  const isCopied = copied === text;
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(text));
  return (
    <section className={styles.frame} aria-label={label} data-testid="command">
      <code className={styles.text}>{text}</code>
      <Button
        size="small"
        icon={isCopied ? <CheckmarkRegular /> : <CopyRegular />}
        onClick={() => void copy()}
      >
        <span aria-live="polite">{t(isCopied ? "command.copied" : "command.copy")}</span>
      </Button>
    </section>
  );
}
