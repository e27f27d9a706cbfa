/** Rollouts, a row each: what, how far by the plan, and how far they really are. */
import { makeStyles, ProgressBar } from "@fluentui/react-components";
import { Link } from "@tanstack/react-router";
import type { ListedRollout } from "../../../protocol/admin/rollouts.ts";
import { type Column, DataTable } from "../../kit/DataTable.tsx";
import { Empty } from "../../kit/Empty.tsx";
import { useMessages } from "../../kit/language.ts";
import { RolloutBadge } from "../parts/badges.tsx";
import { useLayout } from "../parts/layout.ts";

const useStyles = makeStyles({ bar: { minWidth: "110px", paddingTop: "6px" } });

export function RolloutTable(props: {
  readonly rollouts: readonly ListedRollout[];
  /** What stands there when there is none. */
  readonly none: string;
}) {
  const styles = useStyles();
  const layout = useLayout();
  const { t, language } = useMessages();
  if (props.rollouts.length === 0) {
    return (
      <Empty title={props.none}>
        <Link to="/rollouts/new" className={layout.link}>
          {t("rollouts.create")}
        </Link>
      </Empty>
    );
  }
  const number = (value: number) => value.toLocaleString(language);
  const columns: Column<ListedRollout>[] = [
    {
      id: "id",
      label: t("rollouts.name"),
      names: true,
      show: ({ channel, rollout }) => (
        <Link
          to="/rollouts/$channel/$rollout"
          params={{ channel, rollout: rollout.id }}
          className={layout.link}
        >
          {rollout.id}
        </Link>
      ),
    },
    {
      id: "state",
      label: t("rollouts.state"),
      show: ({ rollout }) => <RolloutBadge rollout={rollout} />,
    },
    {
      id: "update",
      label: t("rollouts.update"),
      show: ({ rollout }) => `${rollout.product} ${rollout.version}`,
    },
    { id: "channel", label: t("rollouts.channel"), optional: true, show: (it) => it.channel },
    {
      id: "progress",
      label: t("rollouts.progress"),
      show: ({ counts, devices }) => (
        <div className={styles.bar}>
          <ProgressBar
            value={devices === 0 ? 0 : counts.installed / devices}
            thickness="large"
            color="success"
            aria-label={t("rollouts.progressOf", { installed: counts.installed, devices })}
          />
        </div>
      ),
    },
    {
      id: "installed",
      label: t("step.installed"),
      kind: "number",
      show: ({ counts, devices }) => `${number(counts.installed)} / ${number(devices)}`,
    },
    {
      id: "planned",
      label: t("rollouts.planned"),
      kind: "number",
      optional: true,
      show: ({ planned }) => number(planned),
    },
    {
      id: "failed",
      label: t("step.failed"),
      kind: "number",
      show: ({ counts }) => number(counts.failed),
    },
    {
      id: "rolledBack",
      label: t("step.rolledBack"),
      kind: "number",
      optional: true,
      show: ({ counts }) => number(counts.rolledBack),
    },
  ];
  return (
    <DataTable
      label={t("page.rollouts")}
      columns={columns}
      rows={props.rollouts}
      keyOf={({ channel, rollout }) => `${channel}/${rollout.id}`}
    />
  );
}
