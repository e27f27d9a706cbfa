/** One rollout, live: where its rings are, what its devices report against the plan, what to do. */
import { Card, MessageBar, MessageBarBody } from "@fluentui/react-components";
import { Link, useParams } from "@tanstack/react-router";
import type { RolloutDetail } from "../../../protocol/admin/rollouts.ts";
import { TimeChart } from "../../kit/chart/TimeChart.tsx";
import { DataTable } from "../../kit/DataTable.tsx";
import { FactList } from "../../kit/FactList.tsx";
import { moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { Title } from "../../kit/Title.tsx";
import { ApprovalTable } from "../holds/ApprovalTable.tsx";
import { HoldTable } from "../holds/HoldTable.tsx";
import { Asked } from "../parts/Asked.tsx";
import { RolloutBadge } from "../parts/badges.tsx";
import { useLayout } from "../parts/layout.ts";
import { ruleText } from "../parts/ruleText.ts";
import { useServer } from "../server.ts";
import { progressLines } from "./progressLines.ts";
import { RingTimeline } from "./RingTimeline.tsx";
import { RolloutActions } from "./RolloutActions.tsx";

export function Rollout() {
  const layout = useLayout();
  const { channel, rollout } = useParams({ from: "/rollouts/$channel/$rollout" });
  const detail = useServer<RolloutDetail>(
    `rollouts/${encodeURIComponent(channel)}/${encodeURIComponent(rollout)}`,
    ["rollouts", "devices"],
  );
  return (
    <>
      <Title text={rollout} />
      <div className={layout.page}>
        <Asked query={detail}>{(found) => <Detail found={found} />}</Asked>
      </div>
    </>
  );
}

function Detail({ found }: { found: RolloutDetail }) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow();
  const { rollout, counts, channel } = found;
  const { product, version } = rollout;
  const number = (value: number) => value.toLocaleString(language);
  return (
    <>
      <div className={layout.row} data-testid="rollout" data-state={rollout.state}>
        <RolloutBadge rollout={rollout} />
        <Link
          to="/updates/$channel/$product/$version"
          params={{ channel, product, version }}
          search={{}}
          className={layout.link}
        >
          {product} {version}
        </Link>
        <span className={layout.quiet}>
          {t("rollout.created", {
            channel,
            when: moment(Date.parse(rollout.createdAt), now, language),
          })}
        </span>
      </div>
      {rollout.text === undefined ? null : (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>{rollout.text}</MessageBarBody>
        </MessageBar>
      )}
      <RolloutActions found={found} />
      <Card>
        <FactList
          facts={[
            [t("rollout.devices"), number(found.devices)],
            [t("step.plan"), number(found.planned)],
            ...(["offered", "downloaded", "installed", "failed", "rolledBack"] as const).map(
              (step) => [t(`step.${step}`), number(counts[step])] as const,
            ),
          ]}
        />
      </Card>
      <div className={layout.columns}>
        <RingTimeline rings={found.rings} />
        <TimeChart title={t("rollout.progress")} lines={progressLines(found, now, t)} nowMs={now} />
      </div>
      {counts.errors.length === 0 ? null : (
        <>
          <h2 className={layout.heading}>{t("rollout.errors")}</h2>
          <DataTable
            label={t("rollout.errors")}
            columns={[
              {
                id: "code",
                label: t("error.codeOnly"),
                names: true,
                show: ({ code }) => (
                  <Link to="/devices" search={{ error: code }} className={layout.link}>
                    {code}
                  </Link>
                ),
              },
              {
                id: "devices",
                label: t("rollout.devices"),
                kind: "number",
                show: ({ devices }) => number(devices),
              },
            ]}
            rows={counts.errors}
            keyOf={({ code }) => code}
          />
        </>
      )}
      {found.holds.length === 0 ? null : (
        <>
          <h2 className={layout.heading}>{t("holds.holds")}</h2>
          <HoldTable holds={found.holds} channel={channel} />
        </>
      )}
      {found.approvals.length === 0 ? null : (
        <>
          <h2 className={layout.heading}>{t("holds.approvals")}</h2>
          <ApprovalTable approvals={found.approvals} channel={channel} />
        </>
      )}
      <h2 className={layout.heading}>{t("rollout.who")}</h2>
      <DataTable
        label={t("rollout.who")}
        columns={[
          { id: "name", label: t("rollout.ring"), names: true, show: ({ name }) => name },
          {
            id: "who",
            label: t("rollout.whoIs"),
            show: ({ who }) =>
              who === undefined ? (
                t("rollout.everybody")
              ) : (
                <code className={layout.code}>{ruleText(who)}</code>
              ),
          },
          {
            id: "curve",
            label: t("rollout.curve"),
            optional: true,
            show: ({ curve }) => curve.map((point) => curveText(point, t)).join(", "),
          },
          {
            id: "devices",
            label: t("rollout.list"),
            show: ({ name }) => (
              <Link
                to="/devices"
                search={{ ring: `${channel}/${rollout.id}/${name}` }}
                className={layout.link}
                aria-label={t("rollout.showOf", { name })}
              >
                {t("rollout.show")}
              </Link>
            ),
          },
        ]}
        rows={rollout.rings}
        keyOf={({ name }) => name}
      />
    </>
  );
}

/** `10 % at once`, `50 % after 24 h`, `100 % after 3 d`. */
function curveText(
  { percent, afterHours }: { percent: number; afterHours: number },
  t: ReturnType<typeof useMessages>["t"],
): string {
  if (afterHours === 0) return t("rollout.curveStart", { percent });
  const isDays = afterHours > 24 && afterHours % 24 === 0;
  return isDays
    ? t("rollout.curveDays", { percent, days: afterHours / 24 })
    : t("rollout.curveHours", { percent, hours: afterHours });
}
