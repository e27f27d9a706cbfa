/** The big header: an icon, the state in a few words, one plain sentence, one button. */
import { makeStyles, mergeClasses, Spinner, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";
import type { HeaderWords } from "./words.ts";

const NARROW = "@media (max-width: 720px)";

const useStyles = makeStyles({
  header: {
    display: "flex",
    alignItems: "center",
    gap: "20px",
    flexWrap: "wrap",
    margin: "18px 0 22px",
  },
  icon: { fontSize: "56px", width: "60px", height: "60px", display: "grid", placeItems: "center" },
  good: { color: tokens.colorPaletteGreenForeground1 },
  busy: { color: tokens.colorBrandForeground1 },
  warn: { color: tokens.colorPaletteDarkOrangeForeground1 },
  bad: { color: tokens.colorPaletteRedForeground1 },
  calm: { color: tokens.colorNeutralForeground2 },
  words: { flex: "1 1 300px", minWidth: 0 },
  title: {
    margin: 0,
    fontSize: tokens.fontSizeBase600,
    lineHeight: tokens.lineHeightBase600,
    fontWeight: tokens.fontWeightSemibold,
  },
  sentence: { margin: "2px 0 0", color: tokens.colorNeutralForeground2 },
  buttons: {
    display: "flex",
    gap: "8px",
    flexWrap: "wrap",
    [NARROW]: { width: "100%", "& > *": { flexGrow: 1 } },
  },
});

export interface StateHeaderProps extends HeaderWords {
  /** Absent: it is working, and a ring turns. */
  readonly icon: ReactNode | undefined;
  readonly buttons: ReactNode;
  /** What one may also do: below the sentence, without drawing the eye. */
  readonly also?: ReactNode;
  /** For tests and for people who style the page: which state this is. */
  readonly kind: string;
}

export function StateHeader({
  tone,
  icon,
  title,
  sentence,
  buttons,
  also,
  kind,
}: StateHeaderProps) {
  const styles = useStyles();
  return (
    <header className={styles.header} data-testid="state" data-state={kind}>
      <div className={mergeClasses(styles.icon, styles[tone])} aria-hidden>
        {icon ?? <Spinner size="extra-large" />}
      </div>
      <div className={styles.words}>
        <div role="status" aria-live="polite">
          <h2 className={styles.title}>{title}</h2>
          <p className={styles.sentence}>{sentence}</p>
        </div>
        {also}
      </div>
      <div className={styles.buttons}>{buttons}</div>
    </header>
  );
}
