/** Each update of what a device follows: offered or why not, how far it is; and the whole answer. */
import { Badge } from "@fluentui/react-components";
import { Link, useSearch } from "@tanstack/react-router";
import type { DeviceUpdate } from "../../../protocol/admin/fleet.ts";
import type { Explanation } from "../../../protocol/decisions.ts";
import { DataTable } from "../../kit/DataTable.tsx";
import { Empty } from "../../kit/Empty.tsx";
import { ExplanationView } from "../../kit/ExplanationView.tsx";
import { moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { Asked } from "../parts/Asked.tsx";
import { ClassBadge } from "../parts/badges.tsx";
import { ErrorTitle } from "../parts/ErrorTitle.tsx";
import { useLayout } from "../parts/layout.ts";
import { useServer } from "../server.ts";

export function DeviceUpdates({ id }: { id: string }) {
  const { t } = useMessages();
  const { why } = useSearch({ from: "/devices/$id" });
  const updates = useServer<{ updates: DeviceUpdate[] }>(
    `devices/${encodeURIComponent(id)}/updates`,
    ["devices", "rollouts", "updates"],
  );
  return (
    <>
      {why === undefined ? null : <Why id={id} update={why} />}
      <Asked query={updates}>
        {({ updates: found }) =>
          found.length === 0 ? (
            <Empty title={t("device.noUpdates")}>{t("device.noUpdatesWhy")}</Empty>
          ) : (
            <Table id={id} updates={found} />
          )
        }
      </Asked>
    </>
  );
}

function Why({ id, update }: { id: string; update: string }) {
  const layout = useLayout();
  const { t } = useMessages();
  const path = update.split("@").map(encodeURIComponent).join("/");
  const why = useServer<Explanation>(`devices/${encodeURIComponent(id)}/why/${path}`, [
    "devices",
    "rollouts",
    "updates",
  ]);
  return (
    <section className={layout.part} aria-label={t("device.whyOf", { update })}>
      <h2 className={layout.heading}>{t("device.whyOf", { update })}</h2>
      <Asked query={why}>{(found) => <ExplanationView found={found} />}</Asked>
    </section>
  );
}

function Table({ id, updates }: { id: string; updates: readonly DeviceUpdate[] }) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow();
  return (
    <DataTable<DeviceUpdate>
      label={t("deviceTab.updates")}
      columns={[
        {
          id: "title",
          label: t("updates.title"),
          names: true,
          kind: "wide",
          show: ({ title, product, version, channel }) => (
            <>
              <Link
                to="/updates/$channel/$product/$version"
                params={{ channel, product, version }}
                search={{}}
                className={layout.link}
              >
                {title}
              </Link>
              <div className={layout.quiet}>
                {product} {version}
              </div>
            </>
          ),
        },
        {
          id: "class",
          label: t("updates.classification"),
          optional: true,
          show: ({ classification }) => <ClassBadge classification={classification} />,
        },
        {
          id: "outcome",
          label: t("device.gets"),
          show: ({ outcome, refusal }) => (
            <>
              <Badge appearance="tint" color={outcome === "offered" ? "brand" : "informative"}>
                {refusal === undefined ? t(`outcome.${outcome}`) : t(`reason.${refusal.reason}`)}
              </Badge>
              {refusal === undefined ? null : (
                <div className={layout.quiet} lang="en">
                  {refusal.detail}
                </div>
              )}
              {refusal?.untilMs === undefined ? null : (
                <div className={layout.quiet}>
                  {t("explanation.until", { when: moment(refusal.untilMs, now, language) })}
                </div>
              )}
            </>
          ),
        },
        {
          id: "state",
          label: t("device.state"),
          show: ({ state, stateMs, error }) =>
            state === undefined ? (
              "–"
            ) : (
              <>
                {t(`updateState.${state}`)}
                {stateMs === undefined ? null : (
                  <div className={layout.quiet}>{moment(stateMs, now, language)}</div>
                )}
                {error === undefined ? null : (
                  <div>
                    <ErrorTitle error={error} />
                  </div>
                )}
              </>
            ),
        },
        {
          id: "why",
          label: t("device.why"),
          show: ({ product, version }) => (
            <Link
              to="/devices/$id"
              params={{ id }}
              search={{ tab: "updates", why: `${product}@${version}` }}
              className={layout.link}
              aria-label={t("device.whyOf", { update: `${product} ${version}` })}
            >
              {t("device.why")}
            </Link>
          ),
        },
      ]}
      rows={updates}
      keyOf={({ manifestSha256 }) => manifestSha256}
    />
  );
}
