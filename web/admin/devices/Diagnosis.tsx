/** What the device's own troubleshooter found last: cause, evidence, remedy. */
import { Badge, Card } from "@fluentui/react-components";
import type { DeviceStanding } from "../../../protocol/admin/fleet.ts";
import { Empty } from "../../kit/Empty.tsx";
import { moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { useLayout } from "../parts/layout.ts";

const COLOURS = { problem: "danger", warning: "warning", note: "informative" } as const;

export function Diagnosis({ found }: { found: DeviceStanding["diagnosis"] }) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow();
  if (found === undefined)
    return <Empty title={t("diagnosis.none")}>{t("diagnosis.noneWhy")}</Empty>;
  return (
    <>
      <p className={layout.quiet}>
        {t("diagnosis.when", { when: moment(found.atMs, now, language), count: found.checks })}
      </p>
      {found.findings.length === 0 ? <Empty title={t("diagnosis.nothing")} /> : null}
      {found.findings.map((one) => (
        <Card key={`${one.cause} ${one.object}`} data-testid="finding" data-cause={one.cause}>
          <div className={layout.row}>
            <Badge appearance="tint" color={COLOURS[one.severity]}>
              {t(`diagnosis.${one.severity}`)}
            </Badge>
            <strong lang="en">{one.title}</strong>
            <code className={layout.code}>{one.object}</code>
            {one.repaired ? (
              <Badge appearance="tint" color="success">
                {t("diagnosis.repaired")}
              </Badge>
            ) : null}
          </div>
          <div lang="en">{one.remedy}</div>
          {one.evidence.length === 0 ? null : (
            <ul lang="en" className={layout.quiet} aria-label={t("diagnosis.evidence")}>
              {one.evidence.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          )}
        </Card>
      ))}
    </>
  );
}
