/** The frame of every picture of numbers: its title, what the marks mean, and the same as a table. */
import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { DataTable } from "../DataTable.tsx";
import { useMessages } from "../language.ts";

const useStyles = makeStyles({
  figure: {
    margin: 0,
    padding: "12px 16px",
    backgroundColor: tokens.colorNeutralBackground1,
    borderRadius: tokens.borderRadiusMedium,
    boxShadow: tokens.shadow2,
    minWidth: 0,
    // Pictures have no colours that the system could force: they keep those of the theme, which is
    // one of high contrast then.
    forcedColorAdjust: "none",
    color: tokens.colorNeutralForeground1,
  },
  top: { display: "flex", alignItems: "center", justifyContent: "space-between", gap: "8px" },
  title: { margin: 0, fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold },
  picture: { marginTop: "8px", overflow: "hidden" },
  marks: {
    listStyleType: "none",
    margin: "6px 0 0",
    padding: 0,
    display: "flex",
    flexWrap: "wrap",
    gap: "4px 18px",
    color: tokens.colorNeutralForeground2,
    fontSize: tokens.fontSizeBase200,
  },
  mark: { display: "inline-flex", alignItems: "center", gap: "6px" },
});

export interface Mark {
  readonly label: string;
  readonly colour: string;
  readonly dash: string;
}

export function Figure(props: {
  readonly title: string;
  readonly marks: readonly Mark[];
  /** Areas, not lines. */
  readonly filled: boolean;
  readonly table: { readonly header: readonly string[]; readonly rows: readonly string[][] };
  readonly children: (width: number) => ReactNode;
}) {
  const styles = useStyles();
  const { t } = useMessages();
  const [asTable, setAsTable] = useState(false);
  const title = useId();
  const { header, rows } = props.table;
  return (
    <figure className={styles.figure} aria-labelledby={title} data-testid="chart">
      <div className={styles.top}>
        <h2 id={title} className={styles.title}>
          {props.title}
        </h2>
        <Button size="small" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
          {t("chart.asTable")}
        </Button>
      </div>
      {asTable ? (
        <DataTable
          label={props.title}
          columns={header.map((label, at) => ({
            id: label,
            label,
            show: (row: string[]) => row[at],
            ...(at === 0 ? { names: true } : { kind: "number" as const }),
          }))}
          rows={rows}
          keyOf={(row) => row[0] ?? ""}
        />
      ) : (
        <>
          <Measured>{props.children}</Measured>
          <ul className={styles.marks}>
            {props.marks.map(({ label, colour, dash }) => (
              <li key={label} className={styles.mark}>
                <svg width="26" height="12" aria-hidden>
                  {props.filled ? (
                    <rect width="26" height="12" rx="2" fill={colour} />
                  ) : (
                    <line
                      x2="26"
                      y1="6"
                      y2="6"
                      stroke={colour}
                      strokeWidth="3"
                      strokeDasharray={dash}
                    />
                  )}
                </svg>
                {label}
              </li>
            ))}
          </ul>
        </>
      )}
    </figure>
  );
}

/** Draws at the width that there is: a picture that is only scaled has unreadable words on a phone. */
function Measured({ children }: { children: (width: number) => ReactNode }) {
  const styles = useStyles();
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const { current } = place;
    if (current === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={place} className={styles.picture}>
      {width === 0 ? null : children(width)}
    </div>
  );
}
