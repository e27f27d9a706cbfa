/** What machines fetch: everything, or a patch from a version that they have. */
import { Card } from "@fluentui/react-components";
import type { CatalogueDetail } from "../../../protocol/admin/catalogue.ts";
import { DataTable } from "../../kit/DataTable.tsx";
import { Empty } from "../../kit/Empty.tsx";
import { FactList } from "../../kit/FactList.tsx";
import { bytes } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useLayout } from "../parts/layout.ts";

export function Delivery({ found }: { found: CatalogueDetail }) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const { storage } = found;
  if (storage === undefined) return <Empty title={t("delivery.none")} />;
  const size = (sizeBytes: number) => bytes(sizeBytes, language);
  const share = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  const objects = (of: { objects: number; sizeBytes: number }) =>
    t("delivery.objects", { count: of.objects, size: size(of.sizeBytes) });
  return (
    <>
      <Card>
        <FactList
          facts={[
            [t("delivery.whole"), size(storage.wholeBytes)],
            [t("delivery.packs"), objects(storage.packs)],
            [t("delivery.files"), objects(storage.files)],
            [t("delivery.shared"), objects(storage.shared)],
            [t("delivery.lists"), objects(storage.lists)],
          ]}
        />
      </Card>
      <h2 className={layout.heading}>{t("delivery.patches")}</h2>
      {storage.patches.length === 0 ? (
        <Empty title={t("delivery.noPatches")}>{t("delivery.noPatchesWhy")}</Empty>
      ) : (
        <DataTable
          label={t("delivery.patches")}
          columns={[
            {
              id: "from",
              label: t("delivery.from"),
              names: true,
              show: ({ from }) => from ?? t("delivery.unknown"),
            },
            {
              id: "size",
              label: t("delivery.fetched"),
              kind: "number",
              show: ({ sizeBytes }) => size(sizeBytes),
            },
            {
              id: "share",
              label: t("delivery.share"),
              kind: "number",
              show: ({ sizeBytes }) =>
                storage.wholeBytes === 0 ? "–" : share.format(sizeBytes / storage.wholeBytes),
            },
            {
              id: "read",
              label: t("delivery.read"),
              kind: "number",
              optional: true,
              show: ({ readBytes }) => size(readBytes),
            },
            {
              id: "write",
              label: t("delivery.write"),
              kind: "number",
              optional: true,
              show: ({ writeBytes }) => size(writeBytes),
            },
          ]}
          rows={storage.patches}
          keyOf={({ from, sizeBytes, readBytes }) => `${from} ${sizeBytes} ${readBytes}`}
        />
      )}
    </>
  );
}
