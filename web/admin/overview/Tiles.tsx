/** Counts of devices, each of which leads to the list of these devices. */
import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { Link } from "@tanstack/react-router";
import type { Overview } from "../../../protocol/admin/overview.ts";
import { useMessages } from "../../kit/language.ts";
import { DEVICE_STATES, type FleetSearch } from "../search.ts";

const useStyles = makeStyles({
  list: {
    listStyleType: "none",
    margin: 0,
    padding: 0,
    display: "grid",
    gridTemplateColumns: "repeat(auto-fit, minmax(130px, 1fr))",
    gap: "12px",
  },
  tile: {
    display: "grid",
    gap: "2px",
    padding: "14px 16px",
    borderRadius: tokens.borderRadiusMedium,
    backgroundColor: tokens.colorNeutralBackground1,
    boxShadow: tokens.shadow2,
    border: `1px solid ${tokens.colorTransparentStroke}`,
    borderTop: `4px solid ${tokens.colorNeutralStroke1}`,
    color: tokens.colorNeutralForeground1,
    textDecorationLine: "none",
    ":hover": { backgroundColor: tokens.colorNeutralBackground1Hover },
    ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  count: {
    fontSize: tokens.fontSizeHero700,
    lineHeight: tokens.lineHeightHero700,
    fontWeight: tokens.fontWeightSemibold,
    fontVariantNumeric: "tabular-nums",
  },
  more: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  all: { borderTopColor: tokens.colorBrandStroke1 },
  "up-to-date": { borderTopColor: tokens.colorPaletteGreenBackground3 },
  behind: { borderTopColor: tokens.colorPaletteMarigoldBackground3 },
  failing: { borderTopColor: tokens.colorPaletteRedBackground3 },
  silent: { borderTopColor: tokens.colorNeutralForeground4 },
  unknown: { borderTopColor: tokens.colorNeutralForeground4 },
});

export function Tiles({ found }: { found: Overview }) {
  const styles = useStyles();
  const { t, language } = useMessages();
  const share = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  const tiles = [
    { name: "all", label: t("overview.devices"), count: found.devices, search: {} },
    ...DEVICE_STATES.map((state) => ({
      name: state,
      label: t(`deviceState.${state}`),
      count: found.counts[state],
      search: { state } satisfies FleetSearch,
    })),
  ] as const;
  return (
    <ul className={styles.list} aria-label={t("overview.counts")}>
      {tiles.map(({ name, label, count, search }) => (
        <li key={name}>
          <Link
            to="/devices"
            search={search}
            className={mergeClasses(styles.tile, styles[name])}
            data-testid="tile"
            data-state={name}
          >
            <span>{label}</span>
            <span className={styles.count}>{count.toLocaleString(language)}</span>
            <span className={styles.more}>
              {name === "all"
                ? t("overview.needing", { count: found.needingAttention })
                : share.format(count / found.devices)}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
