/** Safeguard holds: what is held, for whom, why, and until when. */
import { Badge } from "@fluentui/react-components";
import type { SafeguardHold } from "../../../protocol/offerPolicy.ts";
import { DataTable } from "../../kit/DataTable.tsx";
import { moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { CommandDialog } from "../parts/CommandDialog.tsx";
import { channelOption, command } from "../parts/commands.ts";
import { filterText } from "../parts/filterText.ts";
import { useLayout } from "../parts/layout.ts";
import { ruleText } from "../parts/ruleText.ts";
import { useConsole } from "../session.ts";

export function HoldTable(props: {
  readonly holds: readonly SafeguardHold[];
  readonly channel: string;
}) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow();
  const { serverUrl } = useConsole();
  const when = (text: string) => moment(Date.parse(text), now, language);
  return (
    <DataTable<SafeguardHold>
      label={t("holds.holds")}
      columns={[
        { id: "id", label: t("holds.id"), names: true, show: ({ id }) => id },
        {
          id: "updates",
          label: t("holds.updates"),
          show: ({ updates }) => <code className={layout.code}>{filterText(updates)}</code>,
        },
        {
          id: "why",
          label: t("holds.why"),
          show: ({ text, url }) => (
            <>
              {text}
              {url === undefined ? null : (
                <div>
                  <a href={url} rel="noreferrer" className={layout.link}>
                    {t("holds.more")}
                  </a>
                </div>
              )}
            </>
          ),
        },
        {
          id: "who",
          label: t("holds.who"),
          show: ({ who }) =>
            who === undefined ? t("rollout.everybody") : <code>{ruleText(who)}</code>,
        },
        {
          id: "until",
          label: t("holds.until"),
          show: ({ expiresAt, expectedAt }) => {
            if (expiresAt !== undefined && Date.parse(expiresAt) <= now)
              return <Badge appearance="tint">{t("holds.over")}</Badge>;
            if (expiresAt !== undefined) return when(expiresAt);
            return expectedAt === undefined
              ? t("holds.untilLifted")
              : t("holds.expected", { when: when(expectedAt) });
          },
        },
        {
          id: "lift",
          label: t("holds.change"),
          show: ({ id }) => (
            <CommandDialog
              label={t("holds.lift")}
              of={id}
              title={t("holds.liftTitle", { id })}
              what={t("holds.liftWhat")}
              text={command(
                ["holds", "lift", id],
                [channelOption(props.channel), ["--server", serverUrl]],
              )}
            />
          ),
        },
      ]}
      rows={props.holds}
      keyOf={({ id }) => id}
    />
  );
}
