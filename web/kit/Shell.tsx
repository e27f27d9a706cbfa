/** The frame of every page: navigation beside the content, or behind a button on a narrow screen. */
import { Button, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { NavigationRegular } from "@fluentui/react-icons";
import { Link, useRouterState } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useMessages } from "./language.ts";

const NARROW = "@media (max-width: 720px)";

const useStyles = makeStyles({
  frame: {
    display: "grid",
    gridTemplateColumns: "260px minmax(0, 1fr)",
    minHeight: "100vh",
    backgroundColor: tokens.colorNeutralBackground3,
    [NARROW]: { display: "block" },
  },
  side: {
    padding: "20px 12px",
    display: "flex",
    flexDirection: "column",
    gap: "2px",
    // It stays in sight however long the page is.
    position: "sticky",
    top: 0,
    height: "100vh",
    boxSizing: "border-box",
    overflowY: "auto",
    [NARROW]: { padding: "8px 12px", position: "static", height: "auto" },
  },
  brand: {
    display: "flex",
    alignItems: "center",
    justifyContent: "space-between",
    padding: "0 12px 14px",
    fontWeight: tokens.fontWeightSemibold,
    fontSize: tokens.fontSizeBase400,
    [NARROW]: { padding: "4px 0" },
  },
  host: {
    display: "block",
    fontSize: tokens.fontSizeBase200,
    fontWeight: tokens.fontWeightRegular,
    color: tokens.colorNeutralForeground2,
    overflowWrap: "anywhere",
  },
  menuButton: { display: "none", [NARROW]: { display: "inline-flex" } },
  list: { listStyleType: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column" },
  links: { display: "flex", flexDirection: "column", gap: "16px", flexGrow: 1 },
  folded: { [NARROW]: { display: "none" } },
  link: {
    display: "flex",
    alignItems: "center",
    gap: "12px",
    minHeight: "36px",
    padding: "0 12px",
    marginBottom: "2px",
    borderRadius: tokens.borderRadiusMedium,
    borderLeft: "3px solid transparent",
    color: tokens.colorNeutralForeground1,
    textDecorationLine: "none",
    ":hover": { backgroundColor: tokens.colorNeutralBackground3Hover },
    ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
    '&[aria-current="page"]': {
      backgroundColor: tokens.colorNeutralBackground1,
      borderLeftColor: tokens.colorBrandStroke1,
      fontWeight: tokens.fontWeightSemibold,
    },
  },
  icon: { fontSize: "20px", display: "flex" },
  foot: { marginTop: "auto", padding: "12px", display: "grid", gap: "10px" },
  main: {
    padding: "28px 32px 48px",
    width: "100%",
    maxWidth: "1060px",
    boxSizing: "border-box",
    [NARROW]: { padding: "8px 14px 40px" },
  },
  wide: { maxWidth: "1480px" },
  skip: {
    position: "absolute",
    left: "-9999px",
    ":focus": { left: "8px", top: "8px", zIndex: 10 },
  },
});

export interface NavItem {
  readonly to: string;
  readonly label: string;
  readonly icon: ReactNode;
}

export function Shell(props: {
  readonly name: string;
  readonly host: string;
  readonly items: readonly NavItem[];
  /** For tables of many columns. */
  readonly wide?: boolean;
  /** Below the navigation: appearance, language. */
  readonly foot: ReactNode;
  readonly children: ReactNode;
}) {
  const styles = useStyles();
  const { t } = useMessages();
  const [open, setOpen] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const folded = open ? undefined : styles.folded;
  return (
    <div className={styles.frame}>
      <div className={styles.side}>
        <a href="#content" className={styles.skip}>
          {t("skip")}
        </a>
        <header className={styles.brand}>
          <span>
            {props.name}
            <span className={styles.host}>{props.host}</span>
          </span>
          <Button
            className={styles.menuButton}
            appearance="subtle"
            icon={<NavigationRegular />}
            aria-label={t("menu")}
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          />
        </header>
        <nav aria-label={t("pages")} className={mergeClasses(styles.links, folded)}>
          <ul className={styles.list}>
            {props.items.map((item) => (
              <li key={item.to}>
                <Link
                  to={item.to}
                  className={styles.link}
                  aria-current={isAt(path, item.to) ? "page" : undefined}
                  onClick={() => setOpen(false)}
                >
                  <span className={styles.icon} aria-hidden>
                    {item.icon}
                  </span>
                  {item.label}
                </Link>
              </li>
            ))}
          </ul>
          <div className={styles.foot}>{props.foot}</div>
        </nav>
      </div>
      <main
        id="content"
        className={mergeClasses(styles.main, props.wide ? styles.wide : undefined)}
      >
        {props.children}
      </main>
    </div>
  );
}

/** Pages of one thing stand below the page of all of them. */
const isAt = (path: string, to: string): boolean =>
  path === to || (to !== "/" && path.startsWith(`${to}/`));
