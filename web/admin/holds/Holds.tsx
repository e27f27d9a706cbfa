/** What narrows offers, channel by channel: holds, approvals, floors, pins. */
import { Badge } from "@fluentui/react-components";
import type { Restrictions } from "../../../protocol/admin/rollouts.ts";
import { DataTable } from "../../kit/DataTable.tsx";
import { Empty } from "../../kit/Empty.tsx";
import { moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { Title } from "../../kit/Title.tsx";
import { Asked } from "../parts/Asked.tsx";
import { useLayout } from "../parts/layout.ts";
import { ruleText } from "../parts/ruleText.ts";
import { useServer } from "../server.ts";
import { ApprovalTable } from "./ApprovalTable.tsx";
import { HoldTable } from "./HoldTable.tsx";
import { NewHold } from "./NewHold.tsx";

export function Holds() {
  const layout = useLayout();
  const { t } = useMessages();
  const restrictions = useServer<Restrictions>("restrictions", ["rollouts"]);
  return (
    <>
      <Title text={t("page.holds")} />
      <div className={layout.page}>
        <p className={layout.quiet}>{t("holds.what")}</p>
        <Asked query={restrictions}>
          {({ channels }) => (
            <>
              <NewHold channels={channels.map(({ channel }) => channel)} />
              {channels.length === 0 ? (
                <Empty title={t("holds.none")}>{t("holds.noneWhy")}</Empty>
              ) : null}
              {channels.map((one) => (
                <ChannelPart key={one.channel} one={one} />
              ))}
            </>
          )}
        </Asked>
      </div>
    </>
  );
}

function ChannelPart({ one }: { one: Restrictions["channels"][number] }) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow();
  const { channel, floors, pins } = one;
  const nothing = one.holds.length + one.approvals.length + floors.length + pins.length === 0;
  return (
    <section className={layout.part} data-testid="channel" data-channel={channel}>
      <div className={layout.row}>
        <h2 className={layout.heading}>{t("holds.channel", { channel })}</h2>
        {one.rolloutRequired ? (
          <Badge appearance="outline">{t("holds.rolloutRequired")}</Badge>
        ) : null}
        {one.approvalRequired ? (
          <Badge appearance="outline">{t("holds.approvalRequired")}</Badge>
        ) : null}
        <span className={layout.quiet}>
          {t("holds.revision", {
            revision: one.revision,
            when: moment(Date.parse(one.issuedAt), now, language),
          })}
        </span>
      </div>
      {nothing ? <Empty title={t("holds.nothing")} /> : null}
      {one.holds.length === 0 ? null : (
        <>
          <h3 className={layout.heading}>{t("holds.holds")}</h3>
          <HoldTable holds={one.holds} channel={channel} />
        </>
      )}
      {one.approvals.length === 0 ? null : (
        <>
          <h3 className={layout.heading}>{t("holds.approvals")}</h3>
          <ApprovalTable approvals={one.approvals} channel={channel} />
        </>
      )}
      {floors.length === 0 ? null : (
        <>
          <h3 className={layout.heading}>{t("holds.floors")}</h3>
          <DataTable
            label={t("holds.floors")}
            columns={[
              {
                id: "update",
                label: t("holds.updates"),
                names: true,
                show: ({ product, version }) => `${product} ${version}`,
              },
              { id: "why", label: t("holds.why"), show: ({ text }) => text ?? "–" },
            ]}
            rows={floors}
            keyOf={({ product, version }) => `${product}@${version}`}
          />
        </>
      )}
      {pins.length === 0 ? null : (
        <>
          <h3 className={layout.heading}>{t("holds.pins")}</h3>
          <DataTable
            label={t("holds.pins")}
            columns={[
              {
                id: "update",
                label: t("holds.updates"),
                names: true,
                show: ({ product, version }) => `${product} ${version}`,
              },
              {
                id: "who",
                label: t("holds.who"),
                show: ({ who }) => (who === undefined ? t("rollout.everybody") : ruleText(who)),
              },
              { id: "why", label: t("holds.why"), show: ({ text }) => text ?? "–" },
            ]}
            rows={pins}
            keyOf={(pin) => JSON.stringify(pin)}
          />
        </>
      )}
    </section>
  );
}
