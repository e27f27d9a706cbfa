/** One update: what it is, its files, how its bytes are offered, who signed, and who would get it. */
import { Badge } from "@fluentui/react-components";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import type { CatalogueDetail } from "../../../protocol/admin/catalogue.ts";
import { useMessages } from "../../kit/language.ts";
import { Title } from "../../kit/Title.tsx";
import { Asked } from "../parts/Asked.tsx";
import { ClassBadge } from "../parts/badges.tsx";
import { CommandDialog } from "../parts/CommandDialog.tsx";
import { channelOption, command } from "../parts/commands.ts";
import { useLayout } from "../parts/layout.ts";
import { Tabs } from "../parts/Tabs.tsx";
import { UPDATE_TABS } from "../search.ts";
import { useServer } from "../server.ts";
import { useConsole } from "../session.ts";
import { About } from "./About.tsx";
import { AudienceTab } from "./AudienceTab.tsx";
import { Delivery } from "./Delivery.tsx";
import { Files } from "./Files.tsx";
import { Signatures } from "./Signatures.tsx";

const FROM = "/updates/$channel/$product/$version";

export function Update() {
  const layout = useLayout();
  const params = useParams({ from: FROM });
  const path = [params.channel, params.product, params.version].map(encodeURIComponent).join("/");
  const detail = useServer<CatalogueDetail>(`catalogue/${path}`, ["updates", "rollouts"]);
  return (
    <>
      <Title text={`${params.product} ${params.version}`} />
      <div className={layout.page}>
        <Asked query={detail}>{(found) => <Detail found={found} path={path} />}</Asked>
      </div>
    </>
  );
}

function Detail({ found, path }: { found: CatalogueDetail; path: string }) {
  const layout = useLayout();
  const { t } = useMessages();
  const { serverUrl } = useConsole();
  const { tab = "about" } = useSearch({ from: FROM });
  const params = useParams({ from: FROM });
  const navigate = useNavigate();
  const { entry } = found;
  const named = `${entry.product}@${entry.version}`;
  return (
    <>
      <div className={layout.row}>
        <strong>{entry.title}</strong>
        <ClassBadge classification={entry.classification} severity={entry.severity} />
        {entry.retired ? <Badge appearance="outline">{t("updates.retired")}</Badge> : null}
        {entry.supersededBy === undefined ? null : (
          <Badge appearance="outline">{t("updates.superseded", { by: entry.supersededBy })}</Badge>
        )}
        {entry.retired ? null : (
          <CommandDialog
            label={t("updates.retire")}
            title={t("updates.retireTitle", { update: named })}
            what={t("updates.retireWhat")}
            text={command(
              ["updates", "retire", named],
              [channelOption(entry.channel), ["--server", serverUrl]],
            )}
          />
        )}
      </div>
      <Tabs
        label={t("updates.parts")}
        tabs={UPDATE_TABS.map((name) => ({ name, label: t(`updateTab.${name}`) }))}
        open={tab}
        choose={(chosen) => void navigate({ to: FROM, params, search: { tab: chosen } })}
      >
        <div className={layout.page}>
          {tab === "about" ? <About found={found} /> : null}
          {tab === "files" ? <Files path={path} /> : null}
          {tab === "delivery" ? <Delivery found={found} /> : null}
          {tab === "signatures" ? <Signatures found={found} /> : null}
          {tab === "audience" ? <AudienceTab update={entry} /> : null}
        </div>
      </Tabs>
    </>
  );
}
