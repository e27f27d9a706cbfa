/** Signing roles: how many keys must sign, which have, and until when it counts. */
import { Badge, makeStyles } from "@fluentui/react-components";
import type { RoleSigners } from "../../../protocol/admin/trust.ts";
import { DataTable } from "../../kit/DataTable.tsx";
import { moment, relative } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { useLayout } from "../parts/layout.ts";

const useStyles = makeStyles({
  keys: { listStyleType: "none", margin: 0, padding: 0, display: "grid", gap: "4px" },
});

const DAY_MS = 86_400_000;
/** Time enough to find whoever has the keys. */
const SOON_MS = 14 * DAY_MS;

export function RoleTable(props: {
  readonly label: string;
  readonly roles: readonly RoleSigners[];
}) {
  const styles = useStyles();
  const layout = useLayout();
  const { t, language } = useMessages();
  const now = useNow(1_000);
  return (
    <DataTable
      label={props.label}
      columns={[
        { id: "role", label: t("keys.role"), names: true, show: ({ role }) => role },
        {
          id: "threshold",
          label: t("keys.threshold"),
          show: ({ threshold, keys }) => t("keys.of", { threshold, keys: keys.length }),
        },
        {
          id: "keys",
          label: t("keys.keys"),
          show: ({ keys }) => (
            <ul className={styles.keys}>
              {keys.map(({ keyId, signed }) => (
                <li key={keyId}>
                  <code title={keyId} className={layout.code}>
                    {keyId.slice(0, 12)}…
                  </code>{" "}
                  <Badge appearance="tint" color={signed ? "success" : "informative"} size="small">
                    {t(signed ? "keys.signed" : "keys.notSigned")}
                  </Badge>
                </li>
              ))}
            </ul>
          ),
        },
        {
          id: "version",
          label: t("keys.version"),
          kind: "number",
          optional: true,
          show: ({ version }) => version,
        },
        {
          id: "expires",
          label: t("keys.expires"),
          show: ({ expiresMs, online }) => (
            <>
              <Badge
                appearance="tint"
                data-testid="expiry"
                color={expiryColour(expiresMs - now, online)}
              >
                {expiresMs <= now
                  ? t("keys.expired", { when: relative(expiresMs, now, language) })
                  : relative(expiresMs, now, language)}
              </Badge>
              <div className={layout.quiet}>{moment(expiresMs, now, language)}</div>
            </>
          ),
        },
        {
          id: "who",
          label: t("keys.who"),
          optional: true,
          show: ({ online }) => t(online ? "keys.online" : "keys.offline"),
        },
      ]}
      rows={props.roles}
      keyOf={({ role }) => role}
    />
  );
}

/** What the server signs again by itself lives for days: it is late only when it is over. */
function expiryColour(leftMs: number, online: boolean): "danger" | "warning" | "success" {
  if (leftMs <= 0) return "danger";
  return leftMs < SOON_MS && !online ? "warning" : "success";
}
