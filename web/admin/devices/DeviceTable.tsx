/** One page of devices. */
import { Link } from "@tanstack/react-router";
import type { FleetDevice } from "../../../protocol/admin/fleet.ts";
import { DataTable, type DataTableProps } from "../../kit/DataTable.tsx";
import { relative } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { DeviceBadge } from "../parts/badges.tsx";
import { ErrorTitle } from "../parts/ErrorTitle.tsx";
import { useLayout } from "../parts/layout.ts";

export function DeviceTable(props: {
  readonly devices: readonly FleetDevice[];
  readonly sort: NonNullable<DataTableProps<FleetDevice>["sort"]>;
  readonly onSort: (by: string) => void;
}) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow();
  return (
    <DataTable
      label={t("page.devices")}
      columns={[
        {
          id: "name",
          label: t("devices.name"),
          names: true,
          sortable: true,
          show: ({ deviceId, name }) => (
            <Link to="/devices/$id" params={{ id: deviceId }} search={{}} className={layout.link}>
              {name}
            </Link>
          ),
        },
        {
          id: "state",
          label: t("devices.state"),
          show: ({ state }) => <DeviceBadge state={state} />,
        },
        {
          id: "products",
          label: t("devices.products"),
          show: ({ products }) => productsText(products),
        },
        {
          id: "error",
          label: t("devices.error"),
          show: ({ error }) => (error === undefined ? "–" : <ErrorTitle error={error} />),
        },
        {
          id: "seen",
          label: t("devices.seen"),
          kind: "short",
          sortable: true,
          show: ({ lastSeenMs }) =>
            lastSeenMs === undefined ? t("devices.never") : relative(lastSeenMs, now, language),
        },
        {
          id: "system",
          label: t("devices.system"),
          optional: true,
          show: ({ system }) => system ?? "–",
        },
        {
          id: "tags",
          label: t("devices.tags"),
          optional: true,
          show: ({ tags }) => (tags.length === 0 ? "–" : tags.join(", ")),
        },
      ]}
      rows={props.devices}
      keyOf={({ deviceId }) => deviceId}
      sort={props.sort}
      onSort={props.onSort}
    />
  );
}

const productsText = (products: FleetDevice["products"]): string =>
  products.length === 0
    ? "–"
    : products
        .map(({ product, current }) => (current === undefined ? product : `${product} ${current}`))
        .join(", ");
