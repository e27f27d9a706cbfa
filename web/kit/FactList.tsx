/** Names and values, several beside each other where there is room. */
import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";

const useStyles = makeStyles({
  list: {
    margin: 0,
    display: "grid",
    gridTemplateColumns: "repeat(auto-fill, minmax(190px, 1fr))",
    gap: "12px 20px",
  },
  wide: { gridTemplateColumns: "minmax(0, 1fr)" },
  name: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  value: { margin: 0, overflowWrap: "anywhere" },
});

export function FactList(props: {
  readonly facts: readonly (readonly [string, ReactNode])[];
  /** For long values: each has the whole width. */
  readonly wide?: boolean;
}) {
  const styles = useStyles();
  return (
    <dl
      className={mergeClasses(styles.list, props.wide ? styles.wide : undefined)}
      data-testid="facts"
    >
      {props.facts.map(([name, value]) => (
        <div key={name}>
          <dt className={styles.name}>{name}</dt>
          <dd className={styles.value}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
