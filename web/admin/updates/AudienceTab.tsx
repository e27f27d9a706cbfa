/** “Who would get this, and when?”: of one device, and of all that follow the product. */
import { Badge, Button, Card, Field, Input } from "@fluentui/react-components";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { CatalogueEntry } from "../../../protocol/admin/catalogue.ts";
import type { FleetPage } from "../../../protocol/admin/fleet.ts";
import type { Audience, AudienceDevice } from "../../../protocol/adminApi.ts";
import { DayChart } from "../../kit/chart/DayChart.tsx";
import { DataTable } from "../../kit/DataTable.tsx";
import { Empty } from "../../kit/Empty.tsx";
import { FactList } from "../../kit/FactList.tsx";
import { moment } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { Asked } from "../parts/Asked.tsx";
import { useLayout } from "../parts/layout.ts";
import { queryText, useServer } from "../server.ts";

const COLOURS = {
  offered: "brand",
  later: "warning",
  installed: "success",
  "not-offered": "danger",
  unknown: "informative",
} as const;
/** Those first about whom there is something to say. */
const ORDER = Object.keys(COLOURS);
const FOUND = 8;

export function AudienceTab({ update }: { update: CatalogueEntry }) {
  return (
    <>
      <OneDevice update={update} />
      <Everybody update={update} />
    </>
  );
}

/** Only those that follow the product could get it. */
function OneDevice({ update }: { update: CatalogueEntry }) {
  const layout = useLayout();
  const { t } = useMessages();
  const [typed, setTyped] = useState("");
  const [q, setQ] = useState<string>();
  const [chosen, setChosen] = useState<string>();
  const found = useServer<FleetPage>(`fleet${queryText({ q, limit: FOUND })}`, ["devices"], {
    enabled: q !== undefined,
  });
  return (
    <section className={layout.part} aria-label={t("audience.oneDevice")}>
      <h2 className={layout.heading}>{t("audience.oneDevice")}</h2>
      <form
        className={layout.fields}
        onSubmit={(event) => {
          event.preventDefault();
          setChosen(undefined);
          setQ(typed.trim());
        }}
      >
        <Field label={t("audience.device")}>
          <Input value={typed} onChange={(_, { value }) => setTyped(value)} />
        </Field>
        <Button type="submit">{t("audience.find")}</Button>
      </form>
      {q === undefined ? null : (
        <Asked query={found}>
          {({ devices }) =>
            devices.length === 0 ? (
              <Empty title={t("devices.noMatch")} />
            ) : (
              <div className={layout.row}>
                {devices.map(({ deviceId, name }) => (
                  <Button
                    key={deviceId}
                    size="small"
                    aria-pressed={chosen === deviceId}
                    appearance={chosen === deviceId ? "primary" : "secondary"}
                    onClick={() => setChosen(deviceId)}
                  >
                    {name}
                  </Button>
                ))}
              </div>
            )
          }
        </Asked>
      )}
      {chosen === undefined ? null : <When deviceId={chosen} update={update} />}
    </section>
  );
}

function When({ deviceId, update }: { deviceId: string; update: CatalogueEntry }) {
  const layout = useLayout();
  const { t } = useMessages();
  const { product, version } = update;
  const when = useServer<AudienceDevice>(
    `devices/${deviceId}/when/${encodeURIComponent(product)}/${encodeURIComponent(version)}`,
    ["devices", "rollouts", "updates"],
  );
  return (
    <Asked query={when}>
      {(found) => (
        <Card data-testid="when" data-outcome={found.outcome}>
          <div className={layout.row}>
            <Outcome found={found} />
            <Link
              to="/devices/$id"
              params={{ id: deviceId }}
              search={{ tab: "updates", why: `${product}@${version}` }}
              className={layout.link}
            >
              {t("audience.whole")}
            </Link>
          </div>
        </Card>
      )}
    </Asked>
  );
}

function Outcome({ found }: { found: AudienceDevice }) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow();
  return (
    <>
      <Badge appearance="tint" color={COLOURS[found.outcome]}>
        {t(`outcome.${found.outcome}`)}
        {found.atMs === undefined ? "" : ` · ${moment(found.atMs, now, language)}`}
      </Badge>
      {found.detail === undefined ? null : (
        <span lang="en" className={layout.quiet}>
          {found.detail}
        </span>
      )}
    </>
  );
}

function Everybody({ update }: { update: CatalogueEntry }) {
  const layout = useLayout();
  const { t } = useMessages();
  const { product, version } = update;
  const [asked, setAsked] = useState(false);
  const audience = useServer<Audience>(
    `updates/${encodeURIComponent(product)}/${encodeURIComponent(version)}/audience`,
    ["rollouts", "updates"],
    { enabled: asked },
  );
  return (
    <section className={layout.part} aria-label={t("audience.everybody")}>
      <h2 className={layout.heading}>{t("audience.everybody")}</h2>
      {asked ? (
        <Asked query={audience}>{(found) => <Summary found={found} />}</Asked>
      ) : (
        <div className={layout.row}>
          {/* Every device is decided on, which takes its time with a hundred thousand of them. */}
          <Button onClick={() => setAsked(true)}>{t("audience.work")}</Button>
        </div>
      )}
    </section>
  );
}

function Summary({ found }: { found: Audience }) {
  const layout = useLayout();
  const { t, language } = useMessages();
  const number = (value: number) => value.toLocaleString(language);
  return (
    <>
      <Card data-testid="audience">
        <FactList
          facts={[
            [t("outcome.offered"), number(found.offered)],
            [t("outcome.later"), number(found.later)],
            [t("outcome.installed"), number(found.installed)],
            ...found.notOffered.map(
              ({ reason, devices }) => [t(`reason.${reason}`), number(devices)] as const,
            ),
            [t("outcome.unknown"), number(found.unknown)],
          ]}
        />
      </Card>
      {found.arrivals.length === 0 ? null : <Arrivals arrivals={found.arrivals} />}
      {found.devices.length === 0 ? (
        <Empty title={t("audience.nobody")} />
      ) : (
        <DataTable
          label={t("page.devices")}
          columns={[
            {
              id: "name",
              label: t("devices.name"),
              names: true,
              show: ({ deviceId, name }) => (
                <Link
                  to="/devices/$id"
                  params={{ id: deviceId }}
                  search={{}}
                  className={layout.link}
                >
                  {name}
                </Link>
              ),
            },
            {
              id: "outcome",
              label: t("audience.outcome"),
              show: (it) => (
                <div className={layout.row}>
                  <Outcome found={it} />
                </div>
              ),
            },
          ]}
          rows={found.devices.toSorted(
            (a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome),
          )}
          keyOf={({ deviceId }) => deviceId}
        />
      )}
    </>
  );
}

const DAY_MS = 86_400_000;

function Arrivals({ arrivals }: { arrivals: Audience["arrivals"] }) {
  const { t } = useMessages();
  const days = arrivals.map(({ dayMs }) => dayMs);
  const first = Math.min(...days);
  return (
    <DayChart
      title={t("audience.arrivals")}
      days={days}
      span={Math.max(7, Math.round((Math.max(...days) - first) / DAY_MS) + 1)}
      parts={[
        {
          label: t("outcome.later"),
          look: "busy",
          values: arrivals.map(({ devices }) => devices),
        },
      ]}
    />
  );
}
