/** What there is to go on from: each product in each channel, and what its devices have. */
import type { ProductLine } from "../../../protocol/admin/catalogue.ts";
import { DataTable } from "../../kit/DataTable.tsx";
import { moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";

const SHOWN = 4;

export function Products({ products }: { products: readonly ProductLine[] }) {
  const { t, language } = useMessages();
  const now = useNow();
  if (products.length === 0) return null;
  return (
    <DataTable<ProductLine>
      label={t("publish.products")}
      columns={[
        { id: "product", label: t("publish.product"), names: true, show: (it) => it.product },
        { id: "channel", label: t("rollouts.channel"), show: (it) => it.channel },
        { id: "latest", label: t("publish.newest"), show: (it) => it.latest ?? "–" },
        {
          id: "published",
          label: t("updates.published"),
          optional: true,
          kind: "short",
          show: (it) =>
            it.publishedAt === undefined ? "–" : moment(Date.parse(it.publishedAt), now, language),
        },
        {
          id: "devices",
          label: t("rollout.devices"),
          kind: "number",
          show: (it) => it.devices.toLocaleString(language),
        },
        {
          id: "versions",
          label: t("publish.versions"),
          show: ({ versions }) =>
            versions.length === 0
              ? "–"
              : versions
                  .slice(0, SHOWN)
                  .map(({ version, devices }) => `${version} (${devices.toLocaleString(language)})`)
                  .join(", ") + (versions.length > SHOWN ? " …" : ""),
        },
      ]}
      rows={products}
      keyOf={({ product, channel }) => `${channel} ${product}`}
    />
  );
}
