/** The rings of a rollout on one axis of time: when each starts, when all of it is reached, where it is. */
import { makeStyles, tokens } from "@fluentui/react-components";
import type { RingStanding } from "../../../protocol/admin/rollouts.ts";
import { Figure } from "../../kit/chart/Figure.tsx";
import { LOOKS } from "../../kit/chart/looks.ts";
import { scale, timeTicks } from "../../kit/chart/scale.ts";

import { moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";

const useStyles = makeStyles({
  /** Readable where a line of the axis goes through it. */
  text: {
    fill: tokens.colorNeutralForeground1,
    fontSize: "13px",
    paintOrder: "stroke",
    stroke: tokens.colorNeutralBackground1,
    strokeWidth: "4px",
  },
  quiet: { fill: tokens.colorNeutralForeground2, fontSize: "12px" },
  grid: { stroke: tokens.colorNeutralStroke2 },
  bar: { fill: tokens.colorNeutralBackground4, stroke: tokens.colorNeutralStroke1 },
  reached: { fill: LOOKS.busy.colour },
  now: { stroke: tokens.colorNeutralForeground1, strokeDasharray: "3 3" },
});

const ROW = 46;
const BOTTOM = 26;
const EDGE = 6;
/** All at once is a moment, not a span: it still has to be seen. */
const LEAST_WIDTH = 8;
const HOUR_MS = 3_600_000;

export function RingTimeline({ rings }: { rings: readonly RingStanding[] }) {
  const { t, language } = useMessages();
  const now = useNow();
  const when = (atMs: number | undefined) =>
    atMs === undefined ? t("rollout.afterPause") : moment(atMs, now, language);
  return (
    <Figure
      title={t("rollout.rings")}
      marks={[
        { label: t("rollout.reached"), colour: LOOKS.busy.colour, dash: "none" },
        { label: t("rollout.notReached"), colour: tokens.colorNeutralBackground4, dash: "none" },
      ]}
      filled
      table={{
        header: [
          t("rollout.ring"),
          t("rollout.devices"),
          t("rollout.starts"),
          t("rollout.ends"),
          t("rollout.percent"),
        ],
        rows: rings.map((ring) => [
          ring.name,
          ring.devices.toLocaleString(language),
          when(ring.startsMs),
          when(ring.endsMs),
          percentText(ring.percent, language),
        ]),
      }}
    >
      {(width) => <Picture rings={rings} width={width} now={now} />}
    </Figure>
  );
}

function Picture(props: { rings: readonly RingStanding[]; width: number; now: number }) {
  const styles = useStyles();
  const { t, language } = useMessages();
  const { rings, width, now } = props;
  const moments = rings.flatMap(({ startsMs, endsMs }) =>
    [startsMs, endsMs].filter((atMs) => atMs !== undefined),
  );
  const fromMs = Math.min(now - HOUR_MS, ...moments);
  const toMs = Math.max(now + HOUR_MS, ...moments);
  const x = scale(fromMs, toMs, EDGE, width - EDGE);
  const height = rings.length * ROW + BOTTOM;
  const ticks = timeTicks(fromMs, toMs, Math.max(2, Math.floor(width / 110)));
  const isDays = ticks.every((atMs) => new Date(atMs).getHours() === 0);
  const time = new Intl.DateTimeFormat(
    language,
    isDays ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" },
  );
  return (
    <svg width={width} height={height} aria-hidden>
      {ticks.map((atMs) => (
        <g key={atMs}>
          <line className={styles.grid} x1={x(atMs)} x2={x(atMs)} y1={0} y2={height - BOTTOM} />
          <text
            className={styles.quiet}
            x={Math.min(x(atMs), width - 24)}
            y={height - 8}
            textAnchor="middle"
          >
            {time.format(atMs)}
          </text>
        </g>
      ))}
      <line className={styles.now} x1={x(now)} x2={x(now)} y1={0} y2={height - BOTTOM} />
      {rings.map((ring, at) => {
        const top = at * ROW;
        const words = `${ring.name} · ${t("rollout.count", { count: ring.devices })} · ${percentText(ring.percent, language)}`;
        const left = x(ring.startsMs ?? toMs);
        const right = Math.max(left + LEAST_WIDTH, x(ring.endsMs ?? toMs));
        const done = Math.min(right, Math.max(left, x(now)));
        return (
          <g key={ring.name}>
            <text className={styles.text} x={EDGE} y={top + 16}>
              {words}
            </text>
            {ring.startsMs === undefined ? null : (
              <>
                <rect
                  className={styles.bar}
                  x={left}
                  y={top + 22}
                  width={right - left}
                  height={14}
                  rx={3}
                />
                <rect
                  className={styles.reached}
                  x={left}
                  y={top + 22}
                  width={ring.percent === 0 ? 0 : ring.percent === 100 ? right - left : done - left}
                  height={14}
                  rx={3}
                />
              </>
            )}
          </g>
        );
      })}
    </svg>
  );
}

const percentText = (percent: number, language: string): string =>
  new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(
    percent / 100,
  );
