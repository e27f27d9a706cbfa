/** Nothing to show: why that is, and what would fill it. */
import { makeStyles, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";

const useStyles = makeStyles({
  empty: {
    display: "grid",
    gap: "10px",
    padding: "20px",
    borderRadius: tokens.borderRadiusMedium,
    border: `1px dashed ${tokens.colorNeutralStroke1}`,
    color: tokens.colorNeutralForeground2,
    maxWidth: "680px",
  },
  title: { color: tokens.colorNeutralForeground1, fontWeight: tokens.fontWeightSemibold },
});

export function Empty(props: { readonly title: string; readonly children?: ReactNode }) {
  const styles = useStyles();
  return (
    <div className={styles.empty} data-testid="empty">
      <div className={styles.title}>{props.title}</div>
      {props.children}
    </div>
  );
}
