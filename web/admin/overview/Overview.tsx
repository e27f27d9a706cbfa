/** How the fleet stands: counts that lead to the devices behind them, how they came about, what is wrong. */
import { Field, Select } from "@fluentui/react-components";
import { useState } from "react";
import type {
  ComplianceDay,
  Overview as OverviewAnswer,
} from "../../../protocol/admin/overview.ts";
import { DayChart } from "../../kit/chart/DayChart.tsx";
import { moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { Title } from "../../kit/Title.tsx";
import { Asked } from "../parts/Asked.tsx";
import { useLayout } from "../parts/layout.ts";
import { RolloutTable } from "../rollouts/RolloutTable.tsx";
import { useServer } from "../server.ts";
import { AttentionList } from "./AttentionList.tsx";
import { CauseList } from "./CauseList.tsx";
import { FailureList } from "./FailureList.tsx";
import { FirstSteps } from "./FirstSteps.tsx";
import { Tiles } from "./Tiles.tsx";

export function Overview() {
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow();
  const overview = useServer<OverviewAnswer>("overview", [
    "devices",
    "rollouts",
    "updates",
    "trust",
  ]);
  return (
    <>
      <Title text={t("page.overview")} />
      <div className={layout.page}>
        <Asked query={overview}>
          {(found) => (
            <>
              <p className={layout.quiet}>
                {t("overview.asOf", { when: moment(found.atMs, now, language) })}
              </p>
              <AttentionList found={found.attention} />
              {found.devices === 0 ? <FirstSteps found={found} /> : <Tiles found={found} />}
              {found.devices === 0 ? null : <Compliance today={found} />}
              <h2 className={layout.heading}>{t("overview.rollouts")}</h2>
              <RolloutTable rollouts={found.rollouts} none={t("overview.noRollouts")} />
              <h2 className={layout.heading}>{t("overview.failures")}</h2>
              <FailureList failures={found.failures} />
              {found.causes.length === 0 ? null : <CauseList causes={found.causes} />}
            </>
          )}
        </Asked>
      </div>
    </>
  );
}

const DAY_MS = 86_400_000;
const DAYS = [30, 90, 365] as const;
/** In the order in which they stand on each other, the good at the bottom. */
const STATES = [
  ["up-to-date", "good"],
  ["behind", "behind"],
  ["failing", "bad"],
  ["silent", "quiet"],
  ["unknown", "plan"],
] as const;

/** The server counts at the end of each day; how it stands now comes with the overview. */
function Compliance({ today }: { today: OverviewAnswer }) {
  const layout = useLayout();
  const { t } = useMessages();
  const [days, setDays] = useState<number>(DAYS[0]);
  const compliance = useServer<{ days: ComplianceDay[] }>(`compliance?days=${days}`, ["devices"], {
    keep: true,
  });
  return (
    <section className={layout.part} aria-label={t("overview.compliance")}>
      <div className={layout.fields}>
        <Field label={t("overview.span")} size="small">
          <Select
            size="small"
            value={String(days)}
            onChange={(_, { value }) => setDays(Number(value))}
          >
            {DAYS.map((count) => (
              <option key={count} value={count}>
                {t("overview.days", { count })}
              </option>
            ))}
          </Select>
        </Field>
      </div>
      <Asked query={compliance}>
        {(found) => {
          const dayMs = Math.floor(today.atMs / DAY_MS) * DAY_MS;
          const all = [
            ...found.days.filter((one) => one.dayMs < dayMs),
            { dayMs, counts: today.counts },
          ];
          return (
            <DayChart
              title={t("overview.compliance")}
              span={days}
              days={all.map((one) => one.dayMs)}
              parts={STATES.map(([state, look]) => ({
                label: t(`deviceState.${state}`),
                look,
                values: all.map(({ counts }) => counts[state]),
              }))}
            />
          );
        }}
      </Asked>
    </section>
  );
}
