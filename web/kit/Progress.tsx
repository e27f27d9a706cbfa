/** One bar with words: what is going on, how far it is, how long it still takes. */
import { makeStyles, ProgressBar, tokens } from "@fluentui/react-components";

const useStyles = makeStyles({
  words: {
    display: "flex",
    flexWrap: "wrap",
    justifyContent: "space-between",
    gap: "0 16px",
    marginTop: "6px",
    color: tokens.colorNeutralForeground2,
    fontSize: tokens.fontSizeBase200,
  },
});

export interface ProgressProps {
  /** 0 to 1; undefined: nobody can say. */
  readonly fraction: number | undefined;
  readonly step: string;
  readonly amount?: string | undefined;
  readonly timeLeft?: string | undefined;
}

export function Progress({ fraction, step, amount, timeLeft }: ProgressProps) {
  const styles = useStyles();
  const spoken = [step, amount, timeLeft].filter((words) => words !== undefined).join(", ");
  return (
    <div>
      <ProgressBar
        {...(fraction === undefined ? {} : { value: fraction })}
        thickness="large"
        aria-label={step}
        aria-valuetext={spoken}
      />
      <div className={styles.words}>
        <span>{step}</span>
        <span>{[amount, timeLeft].filter((words) => words !== undefined).join(" · ")}</span>
      </div>
    </div>
  );
}
