/** The settings in force on a device, each with who decided it and what it overruled. */
import { Badge, MessageBar, MessageBarBody, Switch } from "@fluentui/react-components";
import { useState } from "react";
import type { EffectivePolicy } from "../../../protocol/settings.ts";
import { DataTable } from "../../kit/DataTable.tsx";
import { Empty } from "../../kit/Empty.tsx";
import { useMessages } from "../../kit/language.ts";
import { useLayout } from "../parts/layout.ts";

export function Policy({ policy }: { policy: EffectivePolicy | undefined }) {
  const layout = useLayout();
  const { t } = useMessages();
  const [all, setAll] = useState(false);
  if (policy === undefined)
    return <Empty title={t("device.noPolicy")}>{t("device.noPolicyWhy")}</Empty>;
  const shown = policy.settings.filter(({ setBy }) => all || setBy !== "default");
  return (
    <>
      {policy.contradictions.map(({ sentence }) => (
        <MessageBar key={sentence} intent="warning" layout="multiline">
          <MessageBarBody lang="en">{sentence}</MessageBarBody>
        </MessageBar>
      ))}
      <Switch
        label={t("device.allSettings")}
        checked={all}
        onChange={(_, { checked }) => setAll(checked)}
      />
      {shown.length === 0 ? (
        <Empty title={t("device.onlyDefaults")} />
      ) : (
        <DataTable
          label={t("deviceTab.policy")}
          columns={[
            {
              id: "key",
              label: t("device.setting"),
              names: true,
              show: ({ key }) => (
                <>
                  {t(`setting.${key}`)} <code className={layout.code}>{key}</code>
                </>
              ),
            },
            {
              id: "value",
              label: t("device.value"),
              show: ({ value, unit }) => (
                <>
                  <code className={layout.code}>{JSON.stringify(value)}</code>
                  {unit === undefined || value === null ? "" : ` ${t(`unit.${unit}`)}`}
                </>
              ),
            },
            {
              id: "setBy",
              label: t("device.setBy"),
              show: ({ setBy, entry }) => (
                <Badge appearance="tint" color={setBy === "default" ? "informative" : "brand"}>
                  {t(`setBy.${setBy}`)}
                  {entry === undefined ? "" : `: ${entry}`}
                </Badge>
              ),
            },
            {
              id: "overruled",
              label: t("device.overruled"),
              show: ({ overruled }) =>
                overruled.length === 0
                  ? "–"
                  : overruled.map((it) => (
                      <div key={`${it.layer} ${it.entry ?? ""}`}>
                        {t(`setBy.${it.layer}`)}: <code>{JSON.stringify(it.value)}</code>{" "}
                        <span lang="en" className={layout.quiet}>
                          {it.because}
                        </span>
                      </div>
                    )),
            },
          ]}
          rows={shown}
          keyOf={({ key }) => key}
        />
      )}
    </>
  );
}
