/** The catalogue: every published update, who needs it, who has it, where it failed. */
import { Badge, Field, Input, Select, Switch } from "@fluentui/react-components";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { CatalogueEntry } from "../../../protocol/admin/catalogue.ts";
import { type Column, DataTable } from "../../kit/DataTable.tsx";
import { Empty } from "../../kit/Empty.tsx";
import { bytes, moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { Title } from "../../kit/Title.tsx";
import { Asked } from "../parts/Asked.tsx";
import { ClassBadge } from "../parts/badges.tsx";
import { useLayout } from "../parts/layout.ts";
import { useServer } from "../server.ts";

export function Updates() {
  const layout = useLayout();
  const { t } = useMessages();
  const catalogue = useServer<{ updates: CatalogueEntry[] }>("catalogue", ["updates", "devices"]);
  return (
    <>
      <Title text={t("page.updates")} />
      <div className={layout.page}>
        <Asked query={catalogue}>
          {({ updates }) =>
            updates.length === 0 ? (
              <Empty title={t("updates.none")}>
                <Link to="/publish" className={layout.link}>
                  {t("updates.publish")}
                </Link>
              </Empty>
            ) : (
              <Catalogue updates={updates} />
            )
          }
        </Asked>
      </div>
    </>
  );
}

const ANY = "";

function Catalogue({ updates }: { updates: readonly CatalogueEntry[] }) {
  const layout = useLayout();
  const { t } = useMessages();
  const [wanted, setWanted] = useState("");
  const [channel, setChannel] = useState(ANY);
  const [classification, setClassification] = useState(ANY);
  const [old, setOld] = useState(false);
  const words = wanted.toLowerCase();
  const shown = updates.filter(
    (it) =>
      `${it.product} ${it.version} ${it.title}`.toLowerCase().includes(words) &&
      (channel === ANY || it.channel === channel) &&
      (classification === ANY || it.classification === classification) &&
      (old || (!it.retired && it.supersededBy === undefined)),
  );
  const choice = (values: readonly string[]) => [...new Set(values)].toSorted();
  return (
    <>
      <div className={layout.fields}>
        <Field label={t("updates.search")}>
          <Input value={wanted} onChange={(_, { value }) => setWanted(value)} />
        </Field>
        <Field label={t("rollouts.channel")}>
          <Select value={channel} onChange={(_, { value }) => setChannel(value)}>
            <option value={ANY}>{t("any")}</option>
            {choice(updates.map((it) => it.channel)).map((one) => (
              <option key={one}>{one}</option>
            ))}
          </Select>
        </Field>
        <Field label={t("updates.classification")}>
          <Select value={classification} onChange={(_, { value }) => setClassification(value)}>
            <option value={ANY}>{t("any")}</option>
            {choice(updates.map((it) => it.classification)).map((one) => (
              <option key={one} value={one}>
                {t(`classification.${one}`)}
              </option>
            ))}
          </Select>
        </Field>
        <Switch
          label={t("updates.old")}
          checked={old}
          onChange={(_, { checked }) => setOld(checked)}
        />
      </div>
      {shown.length === 0 ? <Empty title={t("updates.noMatch")} /> : <Table updates={shown} />}
    </>
  );
}

function Table({ updates }: { updates: readonly CatalogueEntry[] }) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow();
  const devices = (
    count: number,
    what: "needing" | "installed" | "failing",
    { product, version, channel }: CatalogueEntry,
  ) => {
    if (count === 0) return "0";
    const search = {
      needing: { product, channel, state: "behind" },
      installed: { product, version },
      failing: { product, channel, state: "failing" },
    } as const;
    return (
      <Link to="/devices" search={search[what]} className={layout.link}>
        {count.toLocaleString(language)}
      </Link>
    );
  };
  const columns: Column<CatalogueEntry>[] = [
    {
      id: "title",
      label: t("updates.title"),
      names: true,
      kind: "wide",
      show: ({ title, product, version, channel }) => (
        <>
          <Link
            to="/updates/$channel/$product/$version"
            params={{ channel, product, version }}
            search={{}}
            className={layout.link}
          >
            {title}
          </Link>
          <div className={layout.quiet}>
            {product} {version}
          </div>
        </>
      ),
    },
    {
      id: "class",
      label: t("updates.classification"),
      show: (it) => (
        <div className={layout.badges}>
          <ClassBadge classification={it.classification} severity={it.severity} />
          {it.retired ? <Badge appearance="outline">{t("updates.retired")}</Badge> : null}
          {it.supersededBy === undefined ? null : (
            <Badge appearance="outline">{t("updates.superseded", { by: it.supersededBy })}</Badge>
          )}
        </div>
      ),
    },
    { id: "channel", label: t("rollouts.channel"), optional: true, show: (it) => it.channel },
    {
      id: "published",
      label: t("updates.published"),
      optional: true,
      kind: "short",
      show: (it) => moment(Date.parse(it.publishedAt), now, language),
    },
    {
      id: "size",
      label: t("updates.size"),
      kind: "number",
      optional: true,
      show: (it) => bytes(it.sizeBytes, language),
    },
    {
      id: "needing",
      label: t("updates.needing"),
      kind: "number",
      show: (it) => devices(it.needing, "needing", it),
    },
    {
      id: "installed",
      label: t("step.installed"),
      kind: "number",
      show: (it) => devices(it.installed, "installed", it),
    },
    {
      id: "failing",
      label: t("step.failed"),
      kind: "number",
      show: (it) => devices(it.failing, "failing", it),
    },
  ];
  return (
    <DataTable
      label={t("page.updates")}
      columns={columns}
      rows={updates}
      keyOf={({ manifestSha256 }) => manifestSha256}
    />
  );
}
