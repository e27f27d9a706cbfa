/** What the troubleshooter found, by itself or when it was asked, as long as it is open. */
import { MessageBar, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { Link } from "@tanstack/react-router";
import type { DeviceStatus } from "../../../protocol/orchestratorApi.ts";
import { useMessages } from "../../kit/language.ts";

export function FoundNotice({ status }: { status: DeviceStatus }) {
  const { t } = useMessages();
  const [first, ...others] = status.found?.findings ?? [];
  if (first === undefined) return null;
  return (
    <MessageBar
      intent={first.severity === "problem" ? "error" : "warning"}
      layout="multiline"
      data-testid="found"
    >
      <MessageBarBody>
        <MessageBarTitle lang="en">{first.title}</MessageBarTitle>
        {t("found.notice", { count: others.length + 1 })}{" "}
        <Link to="/troubleshoot">{t("found.which")}</Link>
      </MessageBarBody>
    </MessageBar>
  );
}
