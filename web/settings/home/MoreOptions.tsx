/** Where else to go from the first page. */
import { makeStyles, tokens } from "@fluentui/react-components";
import {
  ChevronRightRegular,
  HistoryRegular,
  OptionsRegular,
  QuestionCircleRegular,
  ServerRegular,
} from "@fluentui/react-icons";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useMessages } from "../../kit/language.ts";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: 0, display: "grid", gap: "4px" },
  row: {
    display: "flex",
    alignItems: "center",
    gap: "16px",
    padding: "12px 16px",
    borderRadius: tokens.borderRadiusMedium,
    backgroundColor: tokens.colorNeutralBackground1,
    boxShadow: tokens.shadow2,
    color: tokens.colorNeutralForeground1,
    textDecorationLine: "none",
    ":hover": { backgroundColor: tokens.colorNeutralBackground1Hover },
    ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  icon: { fontSize: "20px", display: "flex" },
  words: { flexGrow: 1 },
  more: {
    display: "block",
    color: tokens.colorNeutralForeground2,
    fontSize: tokens.fontSizeBase200,
  },
});

export function MoreOptions() {
  const { t } = useMessages();
  const styles = useStyles();
  return (
    <ul className={styles.list}>
      <Row
        to="/history"
        icon={<HistoryRegular />}
        title={t("page.history")}
        more={t("more.history")}
      />
      <Row
        to="/advanced"
        icon={<OptionsRegular />}
        title={t("page.advanced")}
        more={t("more.advanced")}
      />
      <Row to="/why" icon={<QuestionCircleRegular />} title={t("page.why")} more={t("more.why")} />
      <Row
        to="/services"
        icon={<ServerRegular />}
        title={t("page.services")}
        more={t("more.services")}
      />
    </ul>
  );
}

function Row(props: { to: string; icon: ReactNode; title: string; more: string }) {
  const styles = useStyles();
  return (
    <li>
      <Link to={props.to} className={styles.row}>
        <span className={styles.icon} aria-hidden>
          {props.icon}
        </span>
        <span className={styles.words}>
          {props.title}
          <span className={styles.more}>{props.more}</span>
        </span>
        <ChevronRightRegular aria-hidden />
      </Link>
    </li>
  );
}
