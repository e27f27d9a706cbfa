/** Nobody is here yet: what to do, in order, with what is done ticked off. */
import { Card, makeStyles, tokens } from "@fluentui/react-components";
import { CheckmarkCircleRegular, CircleRegular } from "@fluentui/react-icons";
import type { Overview } from "../../../protocol/admin/overview.ts";
import { Command } from "../../kit/Command.tsx";
import { useMessages } from "../../kit/language.ts";
import { AddDevice } from "../devices/AddDevice.tsx";
import { command } from "../parts/commands.ts";
import { useLayout } from "../parts/layout.ts";
import { useConsole } from "../session.ts";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: 0, display: "grid", gap: "16px" },
  title: {
    display: "flex",
    alignItems: "center",
    gap: "8px",
    fontWeight: tokens.fontWeightSemibold,
    marginBottom: "6px",
  },
});

export function FirstSteps({ found }: { found: Overview }) {
  const styles = useStyles();
  const layout = useLayout();
  const { t } = useMessages();
  const { serverUrl } = useConsole();
  const hasRepository = !found.attention.some(({ kind }) => kind === "no-repository");
  return (
    <Card data-testid="first-steps">
      <h2 className={layout.heading}>{t("first.title")}</h2>
      <ol className={styles.list}>
        <li>
          <div className={styles.title}>
            {hasRepository ? <CheckmarkCircleRegular aria-hidden /> : <CircleRegular aria-hidden />}
            {t(hasRepository ? "first.keysDone" : "first.keys")}
          </div>
          {hasRepository ? null : (
            <Command
              text={command(
                ["keys", "init"],
                [
                  ["--server", serverUrl],
                  ["--token-file", "token"],
                ],
              ).concat(" --save")}
              label={t("first.keys")}
            />
          )}
        </li>
        <li>
          <div className={styles.title}>
            <CircleRegular aria-hidden />
            {t("first.device")}
          </div>
          {hasRepository ? <AddDevice /> : <p className={layout.quiet}>{t("first.deviceLater")}</p>}
        </li>
        <li>
          <div className={styles.title}>
            <CircleRegular aria-hidden />
            {t("first.publish")}
          </div>
          <Command
            text={command(
              ["publish", "./build"],
              [
                ["--product", "kiosk"],
                ["--version", "1.0.0"],
              ],
            )}
            label={t("first.publish")}
          />
        </li>
      </ol>
    </Card>
  );
}
