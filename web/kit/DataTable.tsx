/** A table of records: scrolls inside its own frame where the screen is narrow. */
import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { ArrowDownRegular, ArrowUpRegular } from "@fluentui/react-icons";
import type { ReactNode } from "react";

const NARROW = "@media (max-width: 720px)";

const useStyles = makeStyles({
  frame: {
    overflowX: "auto",
    backgroundColor: tokens.colorNeutralBackground1,
    borderRadius: tokens.borderRadiusMedium,
    boxShadow: tokens.shadow2,
    ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  table: { width: "100%", borderCollapse: "collapse", fontSize: tokens.fontSizeBase300 },
  caption: {
    position: "absolute",
    width: "1px",
    height: "1px",
    overflow: "hidden",
    clipPath: "inset(50%)",
  },
  head: {
    textAlign: "start",
    padding: "8px 12px",
    color: tokens.colorNeutralForeground2,
    fontWeight: tokens.fontWeightSemibold,
    fontSize: tokens.fontSizeBase200,
    borderBottom: `1px solid ${tokens.colorNeutralStroke1}`,
    whiteSpace: "nowrap",
  },
  sort: {
    font: "inherit",
    color: "inherit",
    background: "none",
    border: "none",
    padding: "4px 0",
    cursor: "pointer",
    display: "inline-flex",
    alignItems: "center",
    gap: "4px",
    ":hover": { color: tokens.colorNeutralForeground1 },
    ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  cell: {
    padding: "8px 12px",
    textAlign: "start",
    fontWeight: tokens.fontWeightRegular,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
    verticalAlign: "top",
    // Words stay whole, and the frame scrolls: `anywhere` would make columns one letter wide.
    overflowWrap: "break-word",
  },
  number: { textAlign: "end", fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" },
  short: { whiteSpace: "nowrap" },
  wide: { minWidth: "170px" },
  optional: { [NARROW]: { display: "none" } },
});

export type SortOrder = "ascending" | "descending";

export interface Column<Row> {
  readonly id: string;
  readonly label: string;
  readonly show: (row: Row) => ReactNode;
  /** number: to the right · short: never broken into lines · wide: not squeezed to one word a line. */
  readonly kind?: "number" | "short" | "wide";
  /** Left out on a phone. */
  readonly optional?: boolean;
  /** Names the row for those who hear it. */
  readonly names?: boolean;
  readonly sortable?: boolean;
}

export interface DataTableProps<Row> {
  /** What is in it, for those who hear it. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly sort?: { readonly by: string; readonly order: SortOrder };
  /** Of a sortable column: asked for the other order, or for its own. */
  readonly onSort?: (by: string) => void;
}

export function DataTable<Row>(props: DataTableProps<Row>) {
  const styles = useStyles();
  const classOf = (column: Column<Row>, base: string) =>
    mergeClasses(
      base,
      column.kind === undefined ? undefined : styles[column.kind],
      column.optional ? styles.optional : undefined,
    );
  return (
    // A region that scrolls must be reachable with the keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: WCAG 2.1.1, axe's scrollable-region-focusable
    <section className={styles.frame} aria-label={props.label} tabIndex={0}>
      <table className={styles.table}>
        <caption className={styles.caption}>{props.label}</caption>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th
                key={column.id}
                scope="col"
                className={classOf(column, styles.head)}
                aria-sort={props.sort?.by === column.id ? props.sort.order : undefined}
              >
                <Heading column={column} sort={props.sort} onSort={props.onSort} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr key={props.keyOf(row)} data-testid="row" data-key={props.keyOf(row)}>
              {props.columns.map((column) => {
                const className = classOf(column, styles.cell);
                return column.names ? (
                  <th key={column.id} scope="row" className={className}>
                    {column.show(row)}
                  </th>
                ) : (
                  <td key={column.id} className={className}>
                    {column.show(row)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Heading<Row>(props: {
  column: Column<Row>;
  sort: DataTableProps<Row>["sort"];
  onSort: DataTableProps<Row>["onSort"];
}) {
  const styles = useStyles();
  const { column, sort, onSort } = props;
  if (!column.sortable || onSort === undefined) return column.label;
  const order = sort?.by === column.id ? sort.order : undefined;
  return (
    <button type="button" className={styles.sort} onClick={() => onSort(column.id)}>
      {column.label}
      {order === "ascending" ? <ArrowUpRegular aria-hidden /> : null}
      {order === "descending" ? <ArrowDownRegular aria-hidden /> : null}
    </button>
  );
}
