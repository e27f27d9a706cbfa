/** Devices that stand with an error, put together by its cause: what it is, what to do, and which. */
import { Card, makeStyles, tokens } from "@fluentui/react-components";
import { Link } from "@tanstack/react-router";
import type { FailureCluster } from "../../../protocol/admin/overview.ts";
import { Empty } from "../../kit/Empty.tsx";
import { useErrorText } from "../../kit/errorTexts.ts";
import { useMessages } from "../../kit/language.ts";
import { useLayout } from "../parts/layout.ts";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: 0, display: "grid", gap: "8px" },
  card: { display: "grid", gap: "6px" },
  top: { display: "flex", flexWrap: "wrap", gap: "4px 16px", alignItems: "baseline" },
  title: { flex: "1 1 260px", fontWeight: tokens.fontWeightSemibold },
  causes: { margin: 0, paddingLeft: "20px", color: tokens.colorNeutralForeground2 },
});

export function FailureList({ failures }: { failures: readonly FailureCluster[] }) {
  const styles = useStyles();
  const { t } = useMessages();
  if (failures.length === 0) return <Empty title={t("overview.noFailures")} />;
  return (
    <ul className={styles.list}>
      {failures.map((one) => (
        <li key={one.code}>
          <Failure one={one} />
        </li>
      ))}
    </ul>
  );
}

function Failure({ one }: { one: FailureCluster }) {
  const styles = useStyles();
  const layout = useLayout();
  const { t } = useMessages();
  const reported = { code: one.code, text: one.title, remedy: one.remedy ?? "" };
  const { text, causes, remedy, lang } = useErrorText(reported);
  return (
    <Card className={styles.card} data-testid="failure" data-code={one.code}>
      <div className={styles.top}>
        <span className={styles.title} lang={lang}>
          {text}
        </span>
        <Link to="/devices" search={{ error: one.code }} className={layout.link}>
          {t("overview.failingDevices", { count: one.devices })}
        </Link>
        <code>{one.code}</code>
      </div>
      {causes.length === 0 ? null : (
        <ul className={styles.causes} lang={lang} aria-label={t("overview.causes")}>
          {causes.map((cause) => (
            <li key={cause}>{cause}</li>
          ))}
        </ul>
      )}
      {remedy === "" ? null : (
        <div>
          <strong>{t("error.remedy")}</strong>{" "}
          <span lang={lang}>{remedy.replaceAll("`", "")}.</span>
        </div>
      )}
    </Card>
  );
}
