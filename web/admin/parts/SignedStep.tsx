/**
 * What a change needs that is signed: the command, and where it runs. The server holds no key that
 * could do it, and neither does this page.
 */
import { makeStyles, tokens } from "@fluentui/react-components";
import { Command } from "../../kit/Command.tsx";
import { useMessages } from "../../kit/language.ts";

const useStyles = makeStyles({
  step: { display: "grid", gap: "8px" },
  more: { color: tokens.colorNeutralForeground2, margin: 0 },
});

export function SignedStep({ text, label }: { readonly text: string; readonly label: string }) {
  const styles = useStyles();
  const { t } = useMessages();
  return (
    <div className={styles.step}>
      <Command text={text} label={label} />
      <p className={styles.more}>{t("signed.where")}</p>
    </div>
  );
}
