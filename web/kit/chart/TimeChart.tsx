/**
 * What is counted over time, as lines and as a table. Colours are never the only sign: every line has
 * its own pattern of dashes, and the table says all.
 */
import { makeStyles, tokens } from "@fluentui/react-components";
import { useMessages } from "../language.ts";
import { Figure } from "./Figure.tsx";
import { LOOKS } from "./looks.ts";
import { type Point, scale, timeTicks, valueTicks } from "./scale.ts";

const useStyles = makeStyles({
  grid: { stroke: tokens.colorNeutralStroke2 },
  text: { fill: tokens.colorNeutralForeground2, fontSize: "12px" },
  now: { stroke: tokens.colorNeutralForeground3, strokeDasharray: "2 3" },
});

export interface Line {
  readonly label: string;
  readonly look: keyof typeof LOOKS;
  readonly points: readonly Point[];
}

const HEIGHT = 240;
const LEFT = 48;
const RIGHT = 14;
const TOP = 10;
const BOTTOM = 26;
const PIXELS_A_TICK = 90;

export function TimeChart(props: {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Drawn as a line across, when it lies within. */
  readonly nowMs?: number;
}) {
  const { t, language } = useMessages();
  const moments = [...new Set(props.lines.flatMap(({ points }) => points.map((it) => it.atMs)))];
  moments.sort((a, b) => a - b);
  const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const valueAt = new Map(
    props.lines.map((line) => [line.label, new Map(line.points.map((it) => [it.atMs, it.value]))]),
  );
  return (
    <Figure
      title={props.title}
      marks={props.lines.map(({ label, look }) => ({ label, ...LOOKS[look] }))}
      filled={false}
      table={{
        header: [t("chart.when"), ...props.lines.map(({ label }) => label)],
        rows: moments.map((atMs) => [
          when.format(atMs),
          ...props.lines.map(({ label }) =>
            (valueAt.get(label)?.get(atMs) ?? "–").toLocaleString(language),
          ),
        ]),
      }}
    >
      {(width) => <Picture {...props} width={width} language={language} />}
    </Figure>
  );
}

function Picture(props: {
  readonly lines: readonly Line[];
  readonly nowMs?: number;
  readonly width: number;
  readonly language: string;
}) {
  const styles = useStyles();
  const { lines, width, nowMs } = props;
  const moments = lines.flatMap(({ points }) => points.map((it) => it.atMs));
  const fromMs = Math.min(...moments);
  const toMs = Math.max(...moments);
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value));
  const ticks = valueTicks(Math.max(0, ...values));
  const x = scale(fromMs, toMs, LEFT, width - RIGHT);
  const y = scale(0, ticks.at(-1) ?? 1, HEIGHT - BOTTOM, TOP);
  const times = timeTicks(fromMs, toMs, Math.max(2, Math.floor(width / PIXELS_A_TICK)));
  const isDays = times.every((atMs) => new Date(atMs).getHours() === 0);
  const time = new Intl.DateTimeFormat(
    props.language,
    isDays ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" },
  );
  return (
    <svg width={width} height={HEIGHT} aria-hidden>
      {ticks.map((value) => (
        <g key={value}>
          <line className={styles.grid} x1={LEFT} x2={width - RIGHT} y1={y(value)} y2={y(value)} />
          <text className={styles.text} x={LEFT - 6} y={y(value) + 4} textAnchor="end">
            {compact(value, props.language)}
          </text>
        </g>
      ))}
      {times.map((atMs) => (
        <text
          key={atMs}
          className={styles.text}
          x={x(atMs)}
          y={HEIGHT - 8}
          // A label at the edge would be cut off.
          textAnchor={x(atMs) > width - 40 ? "end" : "middle"}
        >
          {time.format(atMs)}
        </text>
      ))}
      {lines.map(({ label, look, points }) => (
        <polyline
          key={label}
          points={points.map(({ atMs, value }) => `${x(atMs)},${y(value)}`).join(" ")}
          fill="none"
          stroke={LOOKS[look].colour}
          strokeWidth={2.5}
          strokeDasharray={LOOKS[look].dash}
        />
      ))}
      {nowMs === undefined || nowMs < fromMs || nowMs > toMs ? null : (
        <line className={styles.now} x1={x(nowMs)} x2={x(nowMs)} y1={TOP} y2={HEIGHT - BOTTOM} />
      )}
    </svg>
  );
}

const compact = (value: number, language: string): string =>
  new Intl.NumberFormat(language, { notation: "compact" }).format(value);
