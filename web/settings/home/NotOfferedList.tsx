/** Updates that exist and do not come to this machine now, each with its reason. */
import { makeStyles, tokens } from "@fluentui/react-components";
import { InfoRegular } from "@fluentui/react-icons";
import { Link } from "@tanstack/react-router";
import type { DeviceStatus } from "../../../protocol/orchestratorApi.ts";
import { moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";

const useStyles = makeStyles({
  heading: {
    margin: "14px 0 0",
    fontSize: tokens.fontSizeBase400,
    fontWeight: tokens.fontWeightSemibold,
  },
  list: { listStyleType: "none", margin: 0, padding: 0, display: "grid", gap: "4px" },
  row: {
    display: "flex",
    gap: "16px",
    padding: "10px 16px",
    borderRadius: tokens.borderRadiusMedium,
    backgroundColor: tokens.colorNeutralBackground1,
    boxShadow: tokens.shadow2,
  },
  icon: { fontSize: "20px", display: "flex", paddingTop: "2px" },
  why: { color: tokens.colorNeutralForeground2, overflowWrap: "anywhere" },
});

/** Nobody wonders why these do not come. */
const OBVIOUS: ReadonlySet<string> = new Set([
  "installed",
  "older-than-installed",
  "superseded",
  "hidden",
]);

export function NotOfferedList({ status }: { status: DeviceStatus }) {
  const styles = useStyles();
  const { t, language } = useMessages();
  const now = useNow();
  const shown = status.notOffered.filter((one) => !OBVIOUS.has(one.reason));
  if (shown.length === 0) return null;
  return (
    <>
      <h3 className={styles.heading}>{t("home.notOffered")}</h3>
      <ul className={styles.list} data-testid="not-offered">
        {shown.map((one) => (
          <li key={`${one.product}@${one.version}`} className={styles.row}>
            <span className={styles.icon} aria-hidden>
              <InfoRegular />
            </span>
            <span>
              {one.product} {one.version}
              <span className={styles.why}>
                {" – "}
                {t(`reason.${one.reason}`)}
                {one.untilMs === undefined
                  ? ""
                  : ` ${t("home.until", { when: moment(one.untilMs, now, language) })}`}
                <br />
                <span lang="en">{one.detail}</span>{" "}
                <Link to="/why" search={{ product: one.product, version: one.version }}>
                  {t("home.why")}
                </Link>
              </span>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
