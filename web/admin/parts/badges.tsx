/** States in a word and a colour, the same on every page. */
import { Badge } from "@fluentui/react-components";
import type { FleetDevice } from "../../../protocol/admin/fleet.ts";
import type { CLASSIFICATIONS, SEVERITIES } from "../../../protocol/manifest.ts";
import type { Rollout } from "../../../protocol/offerPolicy.ts";
import { useMessages } from "../../kit/language.ts";
import { useLayout } from "./layout.ts";

const DEVICE_COLOURS = {
  "up-to-date": "success",
  behind: "warning",
  failing: "danger",
  silent: "informative",
  unknown: "informative",
} as const satisfies Record<FleetDevice["state"], string>;

export function DeviceBadge({ state }: { state: FleetDevice["state"] }) {
  const { t } = useMessages();
  return (
    <Badge appearance="tint" color={DEVICE_COLOURS[state]}>
      {t(`deviceState.${state}`)}
    </Badge>
  );
}

const ROLLOUT_COLOURS = { running: "brand", paused: "warning", halted: "danger" } as const;

export function RolloutBadge({ rollout }: { rollout: Rollout }) {
  const { t } = useMessages();
  const layout = useLayout();
  return (
    <span className={layout.badges}>
      <Badge appearance="tint" color={ROLLOUT_COLOURS[rollout.state]} data-state={rollout.state}>
        {t(`rolloutState.${rollout.state}`)}
      </Badge>
      {rollout.expedite === undefined ? null : (
        <Badge appearance="tint" color="important">
          {t("rolloutState.expedited")}
        </Badge>
      )}
    </span>
  );
}

export function ClassBadge(props: {
  classification: (typeof CLASSIFICATIONS)[number];
  severity?: (typeof SEVERITIES)[number];
}) {
  const { t } = useMessages();
  const { classification, severity = "unspecified" } = props;
  const urgent = classification === "security" || classification === "critical";
  return (
    <>
      <Badge appearance="tint" color={urgent ? "danger" : "brand"}>
        {t(`classification.${classification}`)}
      </Badge>
      {severity === "unspecified" ? null : (
        <Badge appearance="outline" color="important">
          {t(`severity.${severity}`)}
        </Badge>
      )}
    </>
  );
}
