/** What somebody should look at, each with where to. */
import { MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import { Link } from "@tanstack/react-router";
import type { Attention } from "../../../protocol/admin/overview.ts";
import { relative } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { useLayout } from "../parts/layout.ts";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: 0, display: "grid", gap: "8px" },
});

export function AttentionList({ found }: { found: readonly Attention[] }) {
  const styles = useStyles();
  const { t } = useMessages();
  if (found.length === 0) return null;
  return (
    <ul className={styles.list} aria-label={t("overview.attention")}>
      {found.map((one) => (
        <li key={JSON.stringify(one)}>
          <MessageBar
            intent={one.kind === "devices" && one.state === "unknown" ? "info" : "warning"}
            layout="multiline"
            data-testid="attention"
            data-kind={one.kind}
          >
            <MessageBarBody>
              <Words one={one} />
            </MessageBarBody>
          </MessageBar>
        </li>
      ))}
    </ul>
  );
}

function Words({ one }: { one: Attention }) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow();
  if (one.kind === "no-repository") return <>{t("overview.noRepository")}</>;
  if (one.kind === "devices") {
    return (
      <>
        {t(`overview.${one.state}`, { count: one.devices })}{" "}
        <Link to="/devices" search={{ state: one.state }} className={layout.link}>
          {t("overview.showDevices")}
        </Link>
      </>
    );
  }
  const key = one.expiresMs <= now ? "overview.expired" : "overview.expires";
  return (
    <>
      {t(key, { role: one.role, when: relative(one.expiresMs, now, language) })}{" "}
      <Link to="/keys" className={layout.link}>
        {t("overview.showKeys")}
      </Link>
    </>
  );
}
