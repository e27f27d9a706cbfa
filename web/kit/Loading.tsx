import { Spinner } from "@fluentui/react-components";
import { useMessages } from "./language.ts";

export function Loading() {
  const { t } = useMessages();
  return <Spinner label={t("loading")} labelPosition="after" size="small" />;
}
