/** The service console: what services.msc shows, and what one can do there. */
import {
  Badge,
  Button,
  Card,
  Menu,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
  makeStyles,
  tokens,
} from "@fluentui/react-components";
import { MoreHorizontalRegular } from "@fluentui/react-icons";
import { Link } from "@tanstack/react-router";
import type { ServiceAction, ServiceInfo } from "../../../protocol/servicesApi.ts";
import { reportOf } from "../../kit/api.ts";
import { ErrorCard } from "../../kit/ErrorCard.tsx";
import { moment, relative } from "../../kit/format.ts";
import { Loading } from "../../kit/Loading.tsx";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { Title } from "../../kit/Title.tsx";
import { useDevice, useServiceAction, useStartManager } from "../device.ts";

const useStyles = makeStyles({
  part: { display: "grid", gap: "10px", marginTop: "16px" },
  top: { display: "flex", alignItems: "flex-start", gap: "8px 16px", flexWrap: "wrap" },
  words: { flex: "1 1 300px", minWidth: 0 },
  title: { fontWeight: tokens.fontWeightSemibold },
  more: { color: tokens.colorNeutralForeground2 },
  facts: {
    margin: 0,
    display: "grid",
    gridTemplateColumns: "repeat(auto-fill, minmax(150px, 1fr))",
    gap: "8px 16px",
  },
  name: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  value: { margin: 0, overflowWrap: "anywhere" },
  words2: {
    margin: 0,
    padding: "8px 12px",
    whiteSpace: "pre-wrap",
    overflowWrap: "anywhere",
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase200,
    backgroundColor: tokens.colorNeutralBackground3,
    borderRadius: tokens.borderRadiusMedium,
  },
  link: { color: tokens.colorNeutralForeground1 },
  buttons: { display: "flex", gap: "8px" },
});

const COLOURS = {
  running: "success",
  starting: "brand",
  stopping: "brand",
  "backing-off": "warning",
  stopped: "informative",
  failed: "danger",
} as const;

export function Services() {
  const styles = useStyles();
  const { t } = useMessages();
  const { live, session } = useDevice();
  const manager = useStartManager();
  const action = useServiceAction();
  const refused = action.error ?? manager.error;
  const services = live.value.state === "ready" ? live.value.value.services : live.value;
  return (
    <>
      <Title text={t("page.services")} />
      <div className={styles.part}>
        {refused === null ? null : <ErrorCard error={reportOf(refused)} />}
        {services.state === "loading" ? <Loading /> : null}
        {services.state === "failed" ? (
          <ErrorCard error={services.error} title={t("state.manager-stopped")}>
            <Button
              appearance="primary"
              disabled={manager.isPending || !session.may.administer}
              onClick={() => manager.mutate()}
            >
              {t("home.startServices")}
            </Button>
          </ErrorCard>
        ) : null}
        {services.state === "ready"
          ? services.value.map((service) => (
              <Service key={service.name} service={service} action={action} />
            ))
          : null}
      </div>
    </>
  );
}

type ActionCall = ReturnType<typeof useServiceAction>;

function Service({ service, action }: { service: ServiceInfo; action: ActionCall }) {
  const styles = useStyles();
  const { t, language } = useMessages();
  const now = useNow(1_000);
  const { session } = useDevice();
  const isUp = ["running", "starting", "backing-off"].includes(service.state);
  const act = (wanted: ServiceAction) => action.mutate({ name: service.name, action: wanted });
  const isMine = action.isPending && action.variables.name === service.name;
  const facts: [string, string][] = [
    [t("service.startUp"), t(`startUp.${service.startUp}`)],
    [t("service.account"), service.account],
    [t("service.pid"), service.pid === undefined ? "–" : String(service.pid)],
    [t("service.since"), relative(service.sinceMs, now, language)],
    [t("service.restarts"), String(service.restarts)],
    [
      t("service.dependsOn"),
      service.dependsOn.length === 0
        ? t("service.nothing")
        : service.dependsOn.map((name) => t(`serviceName.${name}`)).join(", "),
    ],
    ...(service.nextStartMs === undefined
      ? []
      : [
          [t("service.nextStart"), relative(service.nextStartMs, now, language)] as [
            string,
            string,
          ],
        ]),
  ];
  return (
    <Card data-testid="service" data-service={service.name}>
      <div className={styles.top}>
        <div className={styles.words}>
          <div className={styles.title}>{t(`serviceName.${service.name}`)}</div>
          <div className={styles.more}>{t(`serviceDoes.${service.name}`)}</div>
        </div>
        <Badge appearance="tint" size="large" color={COLOURS[service.state]}>
          {t(`serviceState.${service.state}`)}
        </Badge>
        <div className={styles.buttons}>
          {/* services.msc shows Restart, and Start where there is nothing to restart. */}
          <Button
            disabled={isMine || !session.may.change}
            onClick={() => act(isUp ? "restart" : "start")}
            aria-label={t(isUp ? "service.restartOf" : "service.startOf", {
              name: t(`serviceName.${service.name}`),
            })}
          >
            {t(isUp ? "service.restart" : "service.start")}
          </Button>
          <Menu>
            <MenuTrigger disableButtonEnhancement>
              <Button
                icon={<MoreHorizontalRegular />}
                disabled={isMine || !session.may.administer}
                aria-label={t("service.more", { name: t(`serviceName.${service.name}`) })}
              />
            </MenuTrigger>
            <MenuPopover>
              <MenuList>
                <MenuItem disabled={!isUp} onClick={() => act("stop")}>
                  {t("service.stop")}
                </MenuItem>
                {(["enable", "manual", "disable"] as const).map((wanted) => (
                  <MenuItem key={wanted} onClick={() => act(wanted)}>
                    {t(`service.${wanted}`)}
                  </MenuItem>
                ))}
              </MenuList>
            </MenuPopover>
          </Menu>
        </div>
      </div>
      <dl className={styles.facts}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className={styles.name}>{name}</dt>
            <dd className={styles.value}>{value}</dd>
          </div>
        ))}
      </dl>
      {service.lastExit === undefined || service.state === "running" ? null : (
        <div>
          <div className={styles.name}>
            {t("service.lastWords", {
              how: service.lastExit.signal ?? service.lastExit.code ?? "?",
              when: moment(service.lastExit.atMs, now, language),
            })}
          </div>
          <pre className={styles.words2}>{service.lastExit.lastWords || "–"}</pre>
        </div>
      )}
      <div>
        <Link to="/logs" className={styles.link} search={{ service: service.name }}>
          {t("service.logs")}
        </Link>
      </div>
    </Card>
  );
}
