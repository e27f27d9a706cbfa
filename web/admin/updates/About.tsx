/** What an update is: facts of its manifest, how far it has come, what it changes. */
import { Card } from "@fluentui/react-components";
import type { CatalogueDetail } from "../../../protocol/admin/catalogue.ts";
import { FactList } from "../../kit/FactList.tsx";
import { bytes, moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { useLayout } from "../parts/layout.ts";
import { ruleText } from "../parts/ruleText.ts";

export function About({ found }: { found: CatalogueDetail }) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow();
  const { entry, manifest, counts } = found;
  const named = (refs: readonly { product: string; version?: string | undefined }[]) =>
    refs.length === 0
      ? "–"
      : refs
          .map(({ product, version }) => (version ? `${product} ${version}` : product))
          .join(", ");
  const rules = Object.entries(manifest.applicability).flatMap(([name, rule]) =>
    rule === undefined
      ? []
      : [[t(`applicability.${name}`), <code key={name}>{ruleText(rule)}</code>] as const],
  );
  return (
    <>
      <Card>
        <FactList
          facts={[
            [t("updates.needing"), entry.needing.toLocaleString(language)],
            ...(["offered", "downloaded", "installed", "failed", "rolledBack"] as const).map(
              (step) => [t(`step.${step}`), counts[step].toLocaleString(language)] as const,
            ),
          ]}
        />
      </Card>
      <Card>
        <FactList
          facts={[
            [t("rollouts.channel"), entry.channel],
            [t("updates.published"), moment(Date.parse(entry.publishedAt), now, language)],
            [t("updates.size"), bytes(entry.sizeBytes, language)],
            [t("updates.files"), entry.files.toLocaleString(language)],
            [t("updates.restart"), t(`restart.${manifest.restart}`)],
            [t("updates.supersedes"), named(manifest.supersedes)],
            [t("updates.prerequisites"), named(manifest.prerequisites.flatMap((it) => it.anyOf))],
            [t("updates.health"), healthText(manifest.healthCheck) ?? t("updates.noHealth")],
          ]}
        />
        <FactList
          wide
          facts={[...rules, [t("updates.id"), <code key="id">{entry.manifestSha256}</code>]]}
        />
      </Card>
      {manifest.description === "" ? null : <p className={layout.text}>{manifest.description}</p>}
      {manifest.releaseNotes === "" ? null : (
        <section className={layout.part} aria-label={t("updates.notes")}>
          <h2 className={layout.heading}>{t("updates.notes")}</h2>
          <p className={layout.text}>{manifest.releaseNotes}</p>
        </section>
      )}
    </>
  );
}

function healthText(check: CatalogueDetail["manifest"]["healthCheck"]): string | undefined {
  if (check === undefined) return undefined;
  return check.kind === "command" ? check.command.join(" ") : check.url;
}
