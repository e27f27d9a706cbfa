/** Lets one more machine in: makes its one-time token, and says what to run on it. */
import { Button } from "@fluentui/react-components";
import { useMutation } from "@tanstack/react-query";
import { callApi, reportOf } from "../../kit/api.ts";
import { Command } from "../../kit/Command.tsx";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { useMessages } from "../../kit/language.ts";
import { command } from "../parts/commands.ts";
import { useLayout } from "../parts/layout.ts";
import { server } from "../server.ts";
import { useConsole } from "../session.ts";

export function AddDevice() {
  const layout = useLayout();
  const { t } = useMessages();
  const { serverUrl } = useConsole();
  const make = useMutation({
    mutationFn: () => callApi<{ token: string }>(server, "POST", "/api/v1/enrolment-tokens", {}),
  });
  return (
    <div className={layout.part} data-testid="add-device">
      <div>
        <Button disabled={make.isPending} onClick={() => make.mutate()}>
          {t(make.data === undefined ? "addDevice.do" : "addDevice.another")}
        </Button>
      </div>
      {make.error === null ? null : <ErrorCard error={reportOf(make.error)} />}
      {make.data === undefined ? null : (
        <>
          <p className={layout.quiet}>{t("addDevice.how")}</p>
          <Command
            text={`sudo ${command(
              ["device", "enrol", serverUrl],
              [
                ["--token", make.data.token],
                ["--product", "PRODUCT"],
              ],
            )}`}
            label={t("addDevice.command")}
          />
        </>
      )}
    </div>
  );
}
