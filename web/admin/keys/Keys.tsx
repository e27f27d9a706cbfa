/** Keys and metadata: who may sign what, and until when what they signed counts. */
import { Card } from "@fluentui/react-components";
import type { TrustState } from "../../../protocol/admin/trust.ts";
import { Empty } from "../../kit/Empty.tsx";
import { FactList } from "../../kit/FactList.tsx";
import { useMessages } from "../../kit/language.ts";
import { Title } from "../../kit/Title.tsx";
import { Asked } from "../parts/Asked.tsx";
import { CommandDialog } from "../parts/CommandDialog.tsx";
import { command } from "../parts/commands.ts";
import { useLayout } from "../parts/layout.ts";
import { SignedStep } from "../parts/SignedStep.tsx";
import { useServer } from "../server.ts";
import { useConsole } from "../session.ts";
import { RoleTable } from "./RoleTable.tsx";

export function Keys() {
  const layout = useLayout();
  const { t } = useMessages();
  const { serverUrl } = useConsole();
  const trust = useServer<TrustState>("trust", ["trust", "updates", "rollouts"]);
  const toServer = ["--server", serverUrl] as const;
  return (
    <>
      <Title text={t("page.keys")} />
      <div className={layout.page}>
        <p className={layout.quiet}>{t("keys.what")}</p>
        <Asked query={trust}>
          {({ rootSha256, roles }) =>
            roles.length === 0 ? (
              <Empty title={t("keys.none")}>
                <SignedStep
                  text={`${command(["keys", "init"], [toServer, ["--token-file", "token"]])} --save`}
                  label={t("keys.none")}
                />
              </Empty>
            ) : (
              <>
                <RoleTable label={t("keys.roles")} roles={roles} />
                <div className={layout.row}>
                  <CommandDialog
                    label={t("keys.renew")}
                    title={t("keys.renew")}
                    what={t("keys.renewWhat")}
                    text={command(["keys", "renew"], [toServer])}
                  />
                  {roles
                    .filter(({ online }) => !online)
                    .map(({ role }) => (
                      <CommandDialog
                        key={role}
                        label={t("keys.rotate", { role })}
                        title={t("keys.rotate", { role })}
                        what={t("keys.rotateWhat")}
                        text={command(["keys", "rotate", role], [toServer])}
                      />
                    ))}
                </div>
                <Card>
                  <FactList
                    wide
                    facts={[[t("keys.fingerprint"), <code key="root">{rootSha256 ?? "–"}</code>]]}
                  />
                </Card>
              </>
            )
          }
        </Asked>
      </div>
    </>
  );
}
