/** One device: what it has, what it gets and why not, who decided its settings, what happened on it. */
import { MessageBar, MessageBarBody } from "@fluentui/react-components";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import type { DeviceStanding } from "../../../protocol/admin/fleet.ts";
import { FactList } from "../../kit/FactList.tsx";
import { moment, relative } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { Title } from "../../kit/Title.tsx";
import { Asked } from "../parts/Asked.tsx";
import { DeviceBadge } from "../parts/badges.tsx";
import { ErrorTitle } from "../parts/ErrorTitle.tsx";
import { useLayout } from "../parts/layout.ts";
import { Tabs } from "../parts/Tabs.tsx";
import { DEVICE_TABS } from "../search.ts";
import { useServer } from "../server.ts";
import { DeviceUpdates } from "./DeviceUpdates.tsx";
import { Diagnosis } from "./Diagnosis.tsx";
import { Facts } from "./Facts.tsx";
import { Policy } from "./Policy.tsx";
import { Timeline } from "./Timeline.tsx";

export function Device() {
  const layout = useLayout();
  const { id } = useParams({ from: "/devices/$id" });
  const standing = useServer<DeviceStanding>(`devices/${encodeURIComponent(id)}/standing`, [
    "devices",
    "rollouts",
  ]);
  return (
    <>
      <Title text={standing.data?.name ?? id} />
      <div className={layout.page}>
        <Asked query={standing}>{(found) => <Standing found={found} />}</Asked>
      </div>
    </>
  );
}

function Standing({ found }: { found: DeviceStanding }) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow();
  const navigate = useNavigate();
  const { tab = "updates" } = useSearch({ from: "/devices/$id" });
  const params = { id: found.deviceId };
  return (
    <>
      <div className={layout.row} data-testid="device" data-state={found.state}>
        <DeviceBadge state={found.state} />
        <span className={layout.quiet}>
          {found.lastSeenMs === undefined
            ? t("devices.never")
            : t("device.seen", { when: relative(found.lastSeenMs, now, language) })}
        </span>
        <code className={layout.code}>{found.deviceId}</code>
      </div>
      {found.error === undefined ? null : (
        <MessageBar intent="error" layout="multiline">
          <MessageBarBody>
            <ErrorTitle error={found.error} />{" "}
            <Link to="/devices" search={{ error: found.error.code }} className={layout.link}>
              {t("device.sameError")}
            </Link>
          </MessageBarBody>
        </MessageBar>
      )}
      <FactList
        facts={[
          [
            t("device.installed"),
            found.products.length === 0
              ? "–"
              : found.products.map((it) => (
                  <div key={it.product}>
                    {it.product} {it.current ?? "–"}
                    {it.previous === undefined || it.rollbackUntilMs === undefined ? null : (
                      <div className={layout.quiet}>
                        {t("device.rollback", {
                          version: it.previous,
                          when: moment(it.rollbackUntilMs, now, language),
                        })}
                      </div>
                    )}
                  </div>
                )),
          ],
          [
            t("device.follows"),
            found.followed.map(({ product, channel }) => `${product} (${channel})`).join(", ") ||
              "–",
          ],
          [
            t("device.rings"),
            found.rings.length === 0
              ? "–"
              : found.rings.map(({ channel, rollout, ring }) => (
                  <div key={`${channel} ${rollout}`}>
                    <Link
                      to="/rollouts/$channel/$rollout"
                      params={{ channel, rollout }}
                      className={layout.link}
                    >
                      {rollout}
                    </Link>
                    : {ring}
                  </div>
                )),
          ],
          [t("devices.tags"), found.tags.join(", ") || "–"],
          [t("devices.system"), found.system ?? "–"],
          [t("device.enrolled"), moment(found.enrolledMs, now, language)],
        ]}
      />
      <Tabs
        label={t("device.parts")}
        tabs={DEVICE_TABS.map((name) => ({ name, label: t(`deviceTab.${name}`) }))}
        open={tab}
        choose={(chosen) => void navigate({ to: "/devices/$id", params, search: { tab: chosen } })}
      >
        <div className={layout.page}>
          {tab === "updates" ? <DeviceUpdates id={found.deviceId} /> : null}
          {tab === "facts" ? <Facts facts={found.facts} /> : null}
          {tab === "policy" ? <Policy policy={found.policy} /> : null}
          {tab === "diagnosis" ? <Diagnosis found={found.diagnosis} /> : null}
          {tab === "timeline" ? <Timeline id={found.deviceId} /> : null}
        </div>
      </Tabs>
    </>
  );
}
