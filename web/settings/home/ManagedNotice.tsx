/** That somebody else decides some of it: said plainly, with the way to see what. */
import { MessageBar, MessageBarBody } from "@fluentui/react-components";
import { Link } from "@tanstack/react-router";
import { useMessages } from "../../kit/language.ts";
import { isManaged, usePolicy } from "../device.ts";

export function ManagedNotice() {
  const { t } = useMessages();
  const policy = usePolicy();
  const managed = policy.data?.settings.filter((one) => isManaged(one.setBy)) ?? [];
  if (managed.length === 0) return null;
  return (
    <MessageBar intent="info" layout="multiline" data-testid="managed">
      <MessageBarBody>
        {t("managed.notice", { count: managed.length })}{" "}
        <Link to="/advanced">{t("managed.which")}</Link>
      </MessageBarBody>
    </MessageBar>
  );
}
