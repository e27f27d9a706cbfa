/** What is counted once a day (in UTC), as columns whose parts stand on each other, and as a table. */
import { makeStyles, tokens } from "@fluentui/react-components";
import { useMessages } from "../language.ts";
import { Figure } from "./Figure.tsx";
import { LOOKS } from "./looks.ts";
import { scale, stack, valueTicks } from "./scale.ts";

const useStyles = makeStyles({
  grid: { stroke: tokens.colorNeutralStroke2 },
  text: { fill: tokens.colorNeutralForeground2, fontSize: "12px" },
});

const DAY_MS = 86_400_000;
const HEIGHT = 220;
const LEFT = 48;
const TOP = 10;
const BOTTOM = 26;
const PIXELS_A_LABEL = 70;

export interface DayPart {
  readonly label: string;
  readonly look: keyof typeof LOOKS;
  /** Of each day of `days`. */
  readonly values: readonly number[];
}

export interface DayChartProps {
  readonly title: string;
  /** Midnights in UTC, in their order; days in between may be missing. */
  readonly days: readonly number[];
  readonly parts: readonly DayPart[];
  /** How many days it shows, up to the last of `days`, whether there is something to show or not. */
  readonly span: number;
}

export function DayChart(props: DayChartProps) {
  const { t, language } = useMessages();
  const day = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
  return (
    <Figure
      title={props.title}
      marks={props.parts.map(({ label, look }) => ({ label, ...LOOKS[look] }))}
      filled
      table={{
        header: [t("chart.day"), ...props.parts.map(({ label }) => label)],
        rows: props.days
          .map((dayMs, at) => [
            day.format(dayMs),
            ...props.parts.map(({ values }) => (values[at] ?? 0).toLocaleString(language)),
          ])
          .toReversed(),
      }}
    >
      {(width) => <Picture {...props} width={width} language={language} />}
    </Figure>
  );
}

function Picture(props: DayChartProps & { readonly width: number; readonly language: string }) {
  const styles = useStyles();
  const { days, parts, span, width, language } = props;
  const layers = stack(
    parts.map(({ values }) => values.map((value, at) => ({ atMs: days[at] ?? 0, value }))),
  );
  const ticks = valueTicks(Math.max(0, ...layers.flat().map(({ high }) => high)));
  const endMs = (days.at(-1) ?? 0) + DAY_MS;
  const x = scale(endMs - span * DAY_MS, endMs, LEFT, width);
  const y = scale(0, ticks.at(-1) ?? 1, HEIGHT - BOTTOM, TOP);
  const column = (width - LEFT) / span;
  const gap = column > 6 ? 2 : 0;
  const every = Math.max(1, Math.ceil(PIXELS_A_LABEL / column));
  const labels = Array.from({ length: Math.floor((span - 1) / every) + 1 }, (_, at) => {
    const dayMs = endMs - (at * every + 1) * DAY_MS;
    return { dayMs, middle: x(dayMs) + column / 2 };
  });
  const day = new Intl.DateTimeFormat(language, {
    day: "numeric",
    month: "short",
    timeZone: "UTC",
  });
  return (
    <svg width={width} height={HEIGHT} aria-hidden>
      {ticks.map((value) => (
        <g key={value}>
          <line className={styles.grid} x1={LEFT} x2={width} y1={y(value)} y2={y(value)} />
          <text className={styles.text} x={LEFT - 6} y={y(value) + 4} textAnchor="end">
            {new Intl.NumberFormat(language, { notation: "compact" }).format(value)}
          </text>
        </g>
      ))}
      {labels.map(({ dayMs, middle }) => (
        <text
          key={dayMs}
          className={styles.text}
          // A label at the edge would be cut off.
          x={Math.min(middle, width - 24)}
          y={HEIGHT - 8}
          textAnchor="middle"
        >
          {day.format(dayMs)}
        </text>
      ))}
      {parts.map(({ label, look }, part) =>
        days.map((dayMs, at) => {
          const { low = 0, high = 0 } = layers[part]?.[at] ?? {};
          return high === low ? null : (
            <rect
              key={`${label} ${dayMs}`}
              x={x(dayMs) + gap / 2}
              width={Math.max(1, column - gap)}
              y={y(high)}
              height={y(low) - y(high)}
              fill={LOOKS[look].colour}
            />
          );
        }),
      )}
    </svg>
  );
}
