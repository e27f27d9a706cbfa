/** Every rollout of every channel. */
import { Link } from "@tanstack/react-router";
import type { ListedRollout } from "../../../protocol/admin/rollouts.ts";
import { useMessages } from "../../kit/language.ts";
import { Title } from "../../kit/Title.tsx";
import { Asked } from "../parts/Asked.tsx";
import { useLayout } from "../parts/layout.ts";
import { useServer } from "../server.ts";
import { RolloutTable } from "./RolloutTable.tsx";

export function Rollouts() {
  const layout = useLayout();
  const { t } = useMessages();
  const rollouts = useServer<{ rollouts: ListedRollout[] }>("rollouts", ["rollouts", "devices"]);
  return (
    <>
      <Title text={t("page.rollouts")} />
      <div className={layout.page}>
        <p className={layout.quiet}>
          {t("rollouts.what")}{" "}
          <Link to="/rollouts/new" className={layout.link}>
            {t("rollouts.create")}
          </Link>
        </p>
        <Asked query={rollouts}>
          {(found) => <RolloutTable rollouts={found.rollouts} none={t("rollouts.none")} />}
        </Asked>
      </div>
    </>
  );
}
