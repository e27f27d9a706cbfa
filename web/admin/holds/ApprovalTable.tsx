/** What an administrator has approved or declined. */
import { Badge } from "@fluentui/react-components";
import type { Approval } from "../../../protocol/offerPolicy.ts";
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

export function ApprovalTable(props: {
  readonly approvals: readonly Approval[];
  readonly channel: string;
}) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow();
  const { serverUrl } = useConsole();
  const when = (text: string | undefined) =>
    text === undefined ? "–" : moment(Date.parse(text), now, language);
  return (
    <DataTable<Approval>
      label={t("holds.approvals")}
      columns={[
        { id: "id", label: t("holds.id"), names: true, show: ({ id }) => id },
        {
          id: "action",
          label: t("holds.decision"),
          show: ({ action }) => (
            <Badge appearance="tint" color={action === "approve" ? "success" : "danger"}>
              {t(`holds.${action}`)}
            </Badge>
          ),
        },
        {
          id: "updates",
          label: t("holds.updates"),
          show: ({ updates }) => <code className={layout.code}>{filterText(updates)}</code>,
        },
        {
          id: "who",
          label: t("holds.who"),
          show: ({ who }) =>
            who === undefined ? t("rollout.everybody") : <code>{ruleText(who)}</code>,
        },
        { id: "from", label: t("holds.from"), optional: true, show: (it) => when(it.startsAt) },
        { id: "until", label: t("holds.until"), optional: true, show: (it) => when(it.expiresAt) },
        { id: "deadline", label: t("holds.deadline"), show: (it) => when(it.deadline) },
        {
          id: "change",
          label: t("holds.change"),
          show: ({ id }) => (
            <CommandDialog
              label={t("holds.remove")}
              of={id}
              title={t("holds.removeTitle", { id })}
              what={t("holds.removeWhat")}
              text={command(
                ["approvals", "remove", id],
                [channelOption(props.channel), ["--server", serverUrl]],
              )}
            />
          ),
        },
      ]}
      rows={props.approvals}
      keyOf={({ id }) => id}
    />
  );
}
