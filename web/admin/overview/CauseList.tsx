/** What the troubleshooters of those devices found whose owners let them tell. */
import { Link } from "@tanstack/react-router";
import type { FleetCause } from "../../../protocol/adminApi.ts";
import { DataTable } from "../../kit/DataTable.tsx";
import { relative } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { useLayout } from "../parts/layout.ts";

export function CauseList({ causes }: { causes: readonly FleetCause[] }) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow();
  return (
    <>
      <h2 className={layout.heading}>{t("overview.found")}</h2>
      <DataTable
        label={t("overview.found")}
        columns={[
          {
            id: "cause",
            label: t("overview.cause"),
            names: true,
            show: ({ cause, title }) => (
              <>
                <span lang="en">{title}</span> <code className={layout.code}>{cause}</code>
              </>
            ),
          },
          {
            id: "devices",
            label: t("rollout.devices"),
            kind: "number",
            show: ({ cause, devices }) => (
              <Link to="/devices" search={{ cause }} className={layout.link}>
                {devices.toLocaleString(language)}
              </Link>
            ),
          },
          {
            id: "newest",
            label: t("overview.newest"),
            show: ({ newest }) => (
              <>
                <Link
                  to="/devices/$id"
                  params={{ id: newest.deviceId }}
                  search={{ tab: "diagnosis" }}
                  className={layout.link}
                >
                  {newest.name}
                </Link>
                , {relative(newest.atMs, now, language)}
              </>
            ),
          },
        ]}
        rows={causes}
        keyOf={({ cause }) => cause}
      />
    </>
  );
}
