/** What a device says about itself: rules ask about these. */
import { Field, Input } from "@fluentui/react-components";
import { useState } from "react";
import type { Facts as DeviceFacts } from "../../../protocol/deviceApi.ts";
import { DataTable } from "../../kit/DataTable.tsx";
import { Empty } from "../../kit/Empty.tsx";
import { useMessages } from "../../kit/language.ts";
import { useLayout } from "../parts/layout.ts";

export function Facts({ facts }: { facts: DeviceFacts }) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const [wanted, setWanted] = useState("");
  const all = Object.entries(facts).toSorted(([a], [b]) => a.localeCompare(b));
  const words = wanted.toLowerCase();
  const shown = all.filter(([name, value]) => `${name} ${value}`.toLowerCase().includes(words));
  if (all.length === 0) return <Empty title={t("device.noFacts")} />;
  return (
    <>
      <div className={layout.fields}>
        <Field label={t("device.searchFacts")}>
          <Input value={wanted} onChange={(_, { value }) => setWanted(value)} />
        </Field>
      </div>
      {shown.length === 0 ? (
        <Empty title={t("device.noSuchFact")} />
      ) : (
        <DataTable
          label={t("deviceTab.facts")}
          columns={[
            {
              id: "name",
              label: t("device.fact"),
              names: true,
              show: ([name]) => <code className={layout.code}>{name}</code>,
            },
            {
              id: "value",
              label: t("device.value"),
              show: ([, value]) =>
                typeof value === "number" ? value.toLocaleString(language) : String(value),
            },
          ]}
          rows={shown}
          keyOf={([name]) => name}
        />
      )}
    </>
  );
}
